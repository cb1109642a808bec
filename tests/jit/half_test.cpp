// f16, bf16 and their pairs: compiled as vector code, and bit for bit what the interpreter gives.

#include <gtest/gtest.h>

#include <random>

#include "engine/grid.h"
#include "engine/interpreted.h"
#include "harness.h"

namespace wanren::jit::test {
namespace {

constexpr std::uint32_t threads = 256, ctas = 32;

/// One instruction on operands of 32 bits that are loaded; `%d`, `%a`, `%b`, `%c` are of `type`'s width.
struct Operation {
  std::string text;       ///< "fma.rn.f16x2 %d, %a, %b, %c"
  std::string register_;  ///< Type of the operands' registers: b16 or b32.
  std::string result;     ///< Of %d.
  int operands;
};

std::string name_of(const Operation& o) {
  std::string name = o.text.substr(0, o.text.find(' '));
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
}
void PrintTo(const Operation& o, std::ostream* out) {
  *out << o.text;
}

std::string kernel_text(const Operation& o) {
  std::string text = R"(.version 8.6
.target sm_90
.address_size 64
.visible .entry k(.param .u64 in, .param .u64 out)
{
  .reg .pred %p<3>;
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>;
  .reg .)" + o.register_ +
                     R"( %a, %b, %c;
  .reg .)" + o.result +
                     R"( %d;
  ld.param.u64 %rd0, [in];
  ld.param.u64 %rd1, [out];
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, %ctaid.x;
  mad.lo.s32 %r2, %r1, 256, %r0;
  mul.wide.s32 %rd2, %r2, 16;
  add.s64 %rd3, %rd0, %rd2;
)";
  const std::string bits = o.register_ == "b16" ? "u16" : "b32";
  const char* const names[] = {"%a", "%b", "%c"};
  for (int i = 0; i < 3; ++i)
    text += "  ld.global." + bits + " " + names[i] + ", [%rd3+" + std::to_string(4 * i) + "];\n";
  text += "  " + o.text + ";\n  mul.wide.s32 %rd4, %r2, 4;\n  add.s64 %rd5, %rd1, %rd4;\n";
  if (o.result == "pred")
    text += "  selp.u32 %r3, 1, 0, %d;\n  st.global.u32 [%rd5], %r3;\n";
  else
    text += "  st.global." + std::string(o.result == "b16" ? "u16" : "b32") + " [%rd5], %d;\n";
  return text + "  ret;\n}\n";
}

/// Numbers of both formats near what can go wrong: ties, limits, subnormals, NaNs, opposite magnitudes.
std::uint32_t awkward(std::mt19937& random) {
  static const std::uint16_t special[] = {0,      0x8000, 1,      0x8001, 0x3ff,  0x400,  0x7f,   0x80,
                                          0x3c00, 0x3f80, 0xbc00, 0xbf80, 0x7bff, 0x7c00, 0xfc00, 0x7e00,
                                          0x7f7f, 0x7f80, 0xff80, 0x7fc0, 0xffff, 0x7c01, 0x3c01, 0x3f81};
  auto half = [&]() -> std::uint32_t {
    const auto r = static_cast<std::uint32_t>(random());
    if (r % 8 == 0) return special[(r >> 8) % std::size(special)];
    if (r % 8 == 1) return (r >> 8 & 0x83ff) | 0x3c00;  // about one
    return r >> 8 & 0xffff;
  };
  return half() | half() << 16;
}

class HalfOperation : public testing::TestWithParam<Operation> {};

TEST_P(HalfOperation, IsInlineAndGivesTheInterpretersBits) {
  const Operation& o = GetParam();
  auto built = semantics::build_kernel(kernel_text(o), "half");
  ASSERT_TRUE(built) << built.error().message();
  auto kernel = std::make_shared<const simt::Kernel>(std::move(*built));
  simt::BlockShape shape;
  shape.generic = false;
  shape.block = {threads, 1, 1};
  const auto ir = Compiler::dump_ir(*kernel, shape, engine::Flavour::plain, false);
  ASSERT_TRUE(ir) << ir.error().message();
  EXPECT_EQ(ir->find("wanren_interp"), std::string::npos);

  constexpr std::uint32_t n = threads * ctas;
  auto* in = static_cast<std::uint32_t*>(*arena().allocate(n * 16));
  auto* out = static_cast<std::uint32_t*>(*arena().allocate(n * 4));
  std::mt19937 random(11);
  std::vector<std::uint32_t> expected(n);
  auto run = [&](std::shared_ptr<const engine::KernelCode> code) {
    engine::Launch launch;
    launch.kernel = kernel;
    launch.code = std::move(code);
    launch.grid = {ctas, 1, 1};
    launch.block = {threads, 1, 1};
    launch.parameters.resize(kernel->parameter_bytes);
    std::memcpy(&launch.parameters[0], &in, 8);
    std::memcpy(&launch.parameters[8], &out, 8);
    std::fill_n(out, n, 0);
    const auto done = engine::execute(launch, arena(), 1);
    ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  };
  auto code = Compiler::compile(kernel, shape, engine::Flavour::plain);
  ASSERT_TRUE(code) << code.error().message();
  // Unary operations: every bit pattern, in both halves.
  const int rounds = o.operands == 1 ? 65536 / static_cast<int>(n) : 8;
  for (int round = 0; round < rounds; ++round) {
    for (std::uint32_t i = 0; i < 4 * n; ++i) in[i] = awkward(random);
    const bool wide_source = o.text.find("f32 %d, %") != std::string::npos;
    if (o.operands == 1 && !wide_source)
      for (std::uint32_t i = 0; i < n; ++i) {
        const std::uint32_t x = static_cast<std::uint32_t>(round) * n + i;
        in[4 * i] = x | (x ^ 0x1234) << 16;
      }
    // A product half way between two bf16 numbers, and an addend that is too small to show in f64.
    if (o.operands == 3) {
      in[0] = in[4] = 0x3f833f83;
      in[1] = in[5] = 0x3fe03fe0;
      in[2] = 0x00010001;
      in[6] = 0x80018001;
    }
    run(engine::interpreted(kernel));
    std::copy_n(out, n, expected.begin());
    run(*code);
    for (std::uint32_t i = 0; i < n; ++i)
      ASSERT_EQ(out[i], expected[i]) << std::hex << in[4 * i] << " " << in[4 * i + 1] << " " << in[4 * i + 2];
  }
  EXPECT_TRUE(arena().release(in));
  EXPECT_TRUE(arena().release(out));
}

std::vector<Operation> operations() {
  std::vector<Operation> list;
  for (const char* type : {"f16", "bf16", "f16x2", "bf16x2"}) {
    const std::string t = type, r = t.ends_with("x2") ? "b32" : "b16";
    const bool brain = t[0] == 'b';
    for (const char* op : {"add", "sub", "mul"}) {
      list.push_back({std::string(op) + ".rn." + t + " %d, %a, %b", r, r, 2});
      if (brain) continue;
      list.push_back({std::string(op) + ".ftz." + t + " %d, %a, %b", r, r, 2});
      list.push_back({std::string(op) + ".sat." + t + " %d, %a, %b", r, r, 2});
    }
    for (const char* op : {"fma.rn.", "fma.rn.relu."}) list.push_back({op + t + " %d, %a, %b, %c", r, r, 3});
    if (!brain) {
      list.push_back({"fma.rn.ftz." + t + " %d, %a, %b, %c", r, r, 3});
      list.push_back({"fma.rn.sat." + t + " %d, %a, %b, %c", r, r, 3});
    }
    for (const char* op :
         {"min.", "max.", "min.NaN.", "max.NaN.", "min.xorsign.abs.", "max.NaN.xorsign.abs."})
      list.push_back({op + t + " %d, %a, %b", r, r, 2});
    for (const char* op : {"neg.", "abs."}) list.push_back({op + t + " %d, %a", r, r, 1});
    list.push_back({"tanh.approx." + t + " %d, %a", r, r, 1});
    list.push_back({(brain ? "ex2.approx.ftz." : "ex2.approx.") + t + " %d, %a", r, r, 1});
    for (const char* how : {"lt", "ne", "equ", "nan"}) {
      const std::string ops = t.ends_with("x2") ? " %d|%p1, %a, %b" : " %d, %a, %b";
      list.push_back({"setp." + std::string(how) + "." + t + ops, r, "pred", 2});
    }
  }
  for (const char* to : {"f16", "bf16"}) {
    const std::string t = to;
    for (const char* how : {"rn.", "rz.", "rn.relu."})
      list.push_back({"cvt." + std::string(how) + t + ".f32 %d, %a", "b32", "b16", 1});
    for (const char* how : {"rn.", "rz.", "rn.relu."})
      list.push_back({"cvt." + std::string(how) + t + "x2.f32 %d, %a, %b", "b32", "b32", 2});
    list.push_back({"cvt.rn." + t + ".s32 %d, %a", "b32", "b16", 1});
    list.push_back({"cvt.rn." + t + ".u32 %d, %a", "b32", "b16", 1});
    list.push_back({"cvt.rn." + t + ".s16 %d, %a", "b16", "b16", 1});
    list.push_back({"cvt.rzi.s32." + t + " %d, %a", "b16", "b32", 1});
    list.push_back({"cvt.rni.u32." + t + " %d, %a", "b16", "b32", 1});
    list.push_back({"cvt.f32." + t + " %d, %a", "b16", "b32", 1});
  }
  for (const char* how : {"rm.", "rp."})
    list.push_back({"cvt." + std::string(how) + "f16.f32 %d, %a", "b32", "b16", 1});
  for (const char* how : {"rni.", "rzi.", "rmi.", "rpi."})
    list.push_back({"cvt." + std::string(how) + "f16.f16 %d, %a", "b16", "b16", 1});
  list.push_back({"cvt.rna.tf32.f32 %d, %a", "b32", "b32", 1});
  return list;
}

INSTANTIATE_TEST_SUITE_P(All, HalfOperation, testing::ValuesIn(operations()), [](const auto& info) {
  return name_of(info.param) + "_" + std::to_string(info.index);
});

}  // namespace
}  // namespace wanren::jit::test
