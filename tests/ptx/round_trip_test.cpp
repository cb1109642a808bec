// parse(print(m)) is m, for modules written here and for what compilers emit.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "module_text.h"

namespace wanren::ptx {
namespace {

void expect_round_trip(const std::string& text, const std::string& name) {
  auto first = parse(text, name);
  ASSERT_TRUE(first) << first.error().message();
  const std::string printed = print(*first);
  auto second = parse(printed, "printed");
  ASSERT_TRUE(second) << second.error().message() << "\n" << printed;
  EXPECT_EQ(difference(*first, *second), "") << printed;
}

const char* const directives = R"(
.version 8.3
.target sm_90a, debug
.address_size 64
.file 1 "a.cu"
.file 2 "b.cuh", 1700000000, 42
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.extern .shared .align 16 .b8 dynamic[];
.visible .const .align 4 .f32 table[4] = {0f3F800000, 2.5, 3};
.global .align 8 .u64 names[3] = {generic(str), generic(str)+1, 0};
.global .align 1 .b8 str[4] = {104, 105, 10};
.global .align 1 .b8 packed[9] = {7, 0xFF(generic(str)), 0xFF00(generic(str)), 0xFF0000(generic(str)),
  0xFF000000(generic(str)), 0xFF00000000(generic(str)), 0xFF0000000000(generic(str)),
  0xFF000000000000(generic(str)), 0xFF00000000000000(generic(str))};
.global .u64 function_address = callee;
.global .b16 matrix[2][3] = {{1, 2}, {4, 5, -1}};
.global .v4 .f32 vectors[2] = {{1.0, 2.0, 3.0, 4.0}, {5.0, 6.0}};
.global .attribute(.managed) .align 4 .u32 managed = 1;
.global .texref texture;
.weak .global .f64 d = 0d3FF0000000000000;
.common .global .b32 shared_by_all[3];
.weak .func (.param .align 8 .b8 out[16]) callee(.param .b32 n, .param .align 4 .b8 s[12])
{
  .reg .b32 %r<3>;
  ld.param.u32 %r1, [s+8];
  st.param.b32 [out+12], %r1;
  ret;
}
.func fatal(.param .b32 code) .noreturn { trap; }
.visible .entry kernel(.param .u64 .ptr .global .align 16 p, .param .align 8 .b8 s[24], .param .u64 fn)
.maxntid 128, 1, 1
.minnctapersm 2
.maxnreg 64
.reqnctapercluster 2, 1, 1
.explicitcluster
{
  .local .align 8 .b8 frame[32];
  .shared .align 4 .f32 tile[16][17];
  .reg .pred %p<3>;
  .reg .b32 %r<5>, odd;
  .reg .b64 %rd<5>;
  .pragma "nounroll";
  .loc 1 12 3
  ld.param.u64 %rd1, [fn];
  .loc 2 5 1, function_name $info+4, inlined_at 1 13 2
  { .param .b32 x; .param .b32 y; st.param.b32 [x], 1; call.uni (y), %rd1, (x), proto; ld.param.b32 %r1, [y]; }
proto: .callprototype (.param .b32 _) _ (.param .b32 _);
  { .param .b32 x; .reg .b32 %r1; mov.u32 %r1, tile; st.param.b32 [x], %r1; call fatal, (x); bra L; L: }
  { .reg .pred %p1; setp.eq.s32 %p1, odd, 0; @%p1 bra L; mov.u32 odd, 1; L: }
  brx.idx %r2, targets;
targets: .branchtargets A, B;
A: mov.u64 %rd2, frame+8;
B: @!%p2 bra A;
  ret;
}
.section .debug_info { .b32 1, 2 .b8 3 }
)";

TEST(RoundTrip, KeepsEveryDirective) {
  expect_round_trip(directives, "directives");
}

TEST(RoundTrip, KeepsEveryInstructionCase) {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WANREN_SOURCE_DIR "/tests/semantics")) {
    if (entry.path().extension() != ".ptx") continue;
    std::ifstream file(entry.path());
    expect_round_trip({std::istreambuf_iterator<char>(file), {}}, entry.path().filename().string());
    ++cases;
  }
  EXPECT_GE(cases, 1000);
}

TEST(Module, HoldsWhatTheTextDeclares) {
  auto module = parse(directives, "directives");
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ(module->version_major, 8);
  EXPECT_EQ(module->version_minor, 3);
  EXPECT_EQ(module->target, "sm_90a");
  EXPECT_EQ(module->target_sm, 90);
  EXPECT_EQ(module->files, (std::vector<std::string>{"", "a.cu", "b.cuh"}));

  std::map<std::string, const Variable*> variables;
  for (const Variable& variable : module->variables) variables[variable.name] = &variable;
  EXPECT_EQ(variables.at("dynamic")->count, 0u);
  EXPECT_TRUE(variables.at("dynamic")->is_extern);
  EXPECT_EQ(variables.at("table")->space, Space::constant);
  EXPECT_EQ(variables.at("table")->initial,
            (std::vector<std::uint8_t>{0, 0, 0x80, 0x3f, 0, 0, 0x20, 0x40, 0, 0, 0x40, 0x40}));
  ASSERT_EQ(variables.at("names")->relocations.size(), 2u);
  EXPECT_EQ(variables.at("names")->relocations[1].offset, 8u);
  EXPECT_EQ(variables.at("names")->relocations[1].addend, 1);
  EXPECT_TRUE(variables.at("names")->relocations[1].generic);
  ASSERT_EQ(variables.at("packed")->relocations.size(), 1u);
  EXPECT_EQ(variables.at("packed")->relocations[0].offset, 1u);
  EXPECT_EQ(variables.at("packed")->initial, std::vector<std::uint8_t>{7});
  EXPECT_EQ(variables.at("function_address")->relocations[0].symbol, "callee");
  // Rows of three 16-bit elements: {1, 2, 0}, {4, 5, -1}.
  EXPECT_EQ(variables.at("matrix")->initial,
            (std::vector<std::uint8_t>{1, 0, 2, 0, 0, 0, 4, 0, 5, 0, 0xff, 0xff}));
  EXPECT_EQ(variables.at("vectors")->bytes(), 32u);
  EXPECT_EQ(variables.at("vectors")->initial.size(), 24u);
  EXPECT_TRUE(variables.at("managed")->is_managed);
  EXPECT_EQ(variables.at("texture")->opaque, Opaque::texref);
  EXPECT_TRUE(variables.at("shared_by_all")->is_common);

  const Function& kernel = module->functions.back();
  EXPECT_EQ(kernel.name, "kernel");
  EXPECT_TRUE(kernel.is_kernel);
  EXPECT_EQ(kernel.bounds.max_threads[0], 128u);
  EXPECT_EQ(kernel.bounds.min_ctas, 2u);
  EXPECT_EQ(kernel.bounds.max_registers, 64u);
  EXPECT_EQ(kernel.bounds.required_cluster[0], 2u);
  EXPECT_EQ(kernel.parameters[0].align, 0u) << "the alignment is that of what p points to";
  EXPECT_EQ(kernel.parameters[1].bytes(), 24u);
  EXPECT_EQ(kernel.variables[1].count, 16u * 17u);
  ASSERT_EQ(kernel.prototypes.size(), 1u);
  EXPECT_EQ(kernel.body[0].kind, Statement::Kind::no_unroll);
  EXPECT_EQ(kernel.body[1].instruction.location.line, 12u);
  EXPECT_EQ(kernel.body[2].instruction.location.file, 2u);
  EXPECT_EQ(kernel.body[3].instruction.prototype, "proto");
}

TEST(Module, NestedScopesKeepTheirNamesApart) {
  auto module = parse(kernel_text("{ .reg .b32 t; mov.u32 t, 1; bra L; L: }\n"
                                  "{ .reg .f64 t; mov.f64 t, 0d0000000000000000; bra L; L: }\n"
                                  "{ .param .b32 x; st.param.b32 [x], %r1; }"),
                      "t");
  ASSERT_TRUE(module) << module.error().message();
  const Function& kernel = module->functions.back();
  const auto reg = [&](std::size_t i) {
    return kernel.registers[kernel.body[i].instruction.destinations[0].reg];
  };
  EXPECT_EQ(reg(0).type, Type::b32);
  EXPECT_EQ(reg(3).type, Type::f64);
  EXPECT_NE(reg(0).name, reg(3).name);
  EXPECT_NE(kernel.body[2].label, kernel.body[5].label);
  EXPECT_EQ(kernel.body[1].instruction.sources[0].symbol, kernel.body[2].label);
  EXPECT_EQ(kernel.body[4].instruction.sources[0].symbol, kernel.body[5].label);
  EXPECT_EQ(kernel.body[6].instruction.sources[0].symbol, kernel.variables[2].name);
  EXPECT_NE(kernel.variables[2].name, "x") << "x is declared outside";
}

TEST(Module, AnAliasIsItsFunctionUnderAnotherName) {
  auto module = parse(
      ".version 8.0 .target sm_80 .func b(); .func a() { ret; } .alias b, a; .entry k() { call b; }", "t");
  ASSERT_TRUE(module) << module.error().message();
  for (const Function& function : module->functions) EXPECT_EQ(function.body.size(), 1u) << function.name;
}

// Real compilers.

const char* const program = R"(
#define G __attribute__((global))
#define D __attribute__((device))
#define S __attribute__((shared))
D int counter = 3;
D const char* const words[2] = {"one", "two"};
D __attribute__((noinline)) float twice(float x, int n) { return n > 0 ? x * 2 : x / 3; }
D __attribute__((noinline)) float half_of(float x, int n) { return x * 0.5f + n; }
typedef float (*Fn)(float, int);
D Fn table[2] = {twice, half_of};
struct Big { double d[3]; short s; char c[5]; };
D __attribute__((noinline)) Big change(Big b, int i) { b.d[i % 3] += 1; b.c[i % 5] = 'x'; return b; }
extern "C" G void kernel(float* a, const float* b, long n, Big big) {
  S float tile[64];
  int i = __builtin_nothing;
  tile[i] = b[i];
  BARRIER;
  float sum = 0;
  for (long j = 0; j < n; ++j) {
    switch (j % 7) {
      case 0: sum += tile[j % 64]; break;
      case 1: sum *= 1.25f; break;
      case 2: sum -= b[j]; break;
      case 3: sum = table[j & 1](sum, (int)j); break;
      case 4: a[j] = (float)(double)sum * 3.0; break;
      case 5: sum += (float)change(big, (int)j).d[1]; break;
      default: sum += words[j & 1][0];
    }
    asm volatile("{ .reg .pred q; setp.gt.s32 q, %1, 4; @q bra SKIP; add.s32 %0, %1, 1; SKIP: }" : "=r"(i) : "r"(i));
    asm volatile("{ .reg .pred q; setp.gt.s32 q, %1, 5; @q bra SKIP; add.s32 %0, %1, 2; SKIP: }" : "=r"(i) : "r"(i));
  }
  a[i] = sum + counter + (unsigned long long)a % 7;
}
)";

class Compiled : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("wanren_ptx_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string compile(const std::string& tid, const std::string& barrier, const std::string& command) {
    std::string text = program;
    const auto replace = [&](const std::string& from, const std::string& to) {
      text.replace(text.find(from), from.size(), to);
    };
    replace("__builtin_nothing", tid);
    replace("BARRIER", barrier);
    std::ofstream(folder_ / "a.cu") << text;
    const std::string line = "cd '" + folder_.string() + "' && " + command + " a.cu -o a.ptx > log.txt 2>&1";
    EXPECT_EQ(std::system(line.c_str()), 0) << read("log.txt");
    return read("a.ptx");
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::filesystem::path folder_;
};

bool have(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

TEST_F(Compiled, ClangOutputGoesRoundUnchanged) {
  if (!have("clang++-19")) GTEST_SKIP() << "clang++-19 is not installed";
  for (const char* flags : {"-O0", "-O3", "-O2 -g", "-O3 -ffast-math"}) {
    const std::string text =
        compile("__nvvm_read_ptx_sreg_tid_x()", "__syncthreads()",
                std::string("clang++-19 -x cuda --cuda-device-only -nocudainc -nocudalib "
                            "--cuda-gpu-arch=sm_80 -S ") +
                    flags);
    ASSERT_NE(text.find(".entry kernel"), std::string::npos);
    expect_round_trip(text, flags);
  }
}

TEST_F(Compiled, NvccOutputGoesRoundUnchanged) {
  const std::string nvcc = have("nvcc") ? "nvcc" : "/usr/local/cuda/bin/nvcc";
  if (!have(nvcc)) GTEST_SKIP() << "nvcc is not installed";
  for (const char* flags :
       {"-arch=compute_80", "-arch=compute_90 -lineinfo", "-arch=compute_100", "-arch=compute_80 -G"}) {
    const std::string text = compile("threadIdx.x", "__syncthreads()", nvcc + " -ptx " + flags);
    ASSERT_NE(text.find(".entry kernel"), std::string::npos);
    expect_round_trip(text, flags);
  }
}

}  // namespace
}  // namespace wanren::ptx
