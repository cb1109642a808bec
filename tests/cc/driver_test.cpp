// The command line, objects and programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "run.h"

namespace wanren::cc::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr const char* saxpy = R"(
__global__ void saxpy(int n, float a, const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}
int main() {
  saxpy<<<1, 32>>>(32, 2.0f, nullptr, nullptr);
  return 0;
}
)";

// A runtime that only records what registers, so that objects can be linked and run here.
constexpr const char* recorder = R"(
#include <stdio.h>
#include <string.h>
struct wrapper { unsigned magic, version; const char* data; void* rest; };
void** __cudaRegisterFatBinary(struct wrapper* w) {
  unsigned magic; memcpy(&magic, w->data, 4);
  printf("wrapper %x container %x %.22s\n", w->magic, magic, w->data + 16 + 64);
  return (void**)w;
}
void __cudaRegisterFatBinaryEnd(void** h) { printf("end\n"); }
void __cudaUnregisterFatBinary(void** h) { printf("unregister\n"); }
void __cudaRegisterFunction(void** h, void* f, char* a, const char* n) { printf("function %s\n", n); }
void __cudaRegisterVar(void** h, void* v, char* a, const char* n) { printf("variable %s\n", n); }
int __cudaPushCallConfiguration() { return 0; }
int __cudaPopCallConfiguration() { return 0; }
int cudaLaunchKernel() { printf("launch\n"); return 0; }
int cudaMemcpyToSymbol() { return 0; }
)";

std::string build_recorder(const Folder& folder) {
  folder.write("recorder.c", recorder);
  EXPECT_EQ(
      shell("cc -w -shared -fPIC " + folder.path("recorder.c") + " -o " + folder.path("librecorder.so")).code,
      0);
  return folder.path("librecorder.so");
}

TEST(Driver, AnObjectRegistersItsPtxAndKernels) {
  const Folder folder;
  const std::string library = build_recorder(folder);
  const std::string source = folder.write("saxpy.cu", saxpy);
  const Outcome o = compile({"-cudart", "none", source, library, "-o", folder.path("app")});
  ASSERT_EQ(o.code, 0) << o.err;
  EXPECT_EQ(o.err, "");
  const Outcome run = shell(folder.path("app"));
  EXPECT_THAT(run.out, HasSubstr("wrapper 466243b1 container ba55ed50"));
  EXPECT_THAT(run.out, HasSubstr("function _Z5saxpyifPKfPf\n"));
  EXPECT_THAT(run.out, HasSubstr("launch\n"));
  EXPECT_THAT(run.out, HasSubstr("unregister\n"));
}

TEST(Driver, SeveralArchitecturesAreSeveralPtxTextsOfOneObject) {
  const Folder folder;
  const std::string source = folder.write("a.cu", saxpy);
  ASSERT_EQ(compile({"-gencode", "arch=compute_80,code=sm_80", "-gencode",
                     "arch=compute_90,code=[sm_90,compute_90]", "-c", source, "-o", folder.path("a.o")})
                .code,
            0);
  const std::string object = Folder::read(folder.path("a.o"));
  EXPECT_NE(object.find(".target sm_80"), std::string::npos);
  EXPECT_NE(object.find(".target sm_90"), std::string::npos);
}

TEST(Driver, RelocatableFilesShareDeviceFunctionsAndVariables) {
  const Folder folder;
  const std::string library = build_recorder(folder);
  const std::string a = folder.write("a.cu", R"(
extern __device__ int counter;
__device__ float twice(float);
__global__ void run(float* x) { *x = twice(*x); atomicAdd(&counter, 1); }
int set();
int main() { return set(); }
)");
  const std::string b = folder.write("b.cu", R"(
__device__ int counter;
__device__ float twice(float v) { return 2 * v; }
int set() { int v = 0; return cudaMemcpyToSymbol(counter, &v, 4); }
)");
  ASSERT_EQ(compile({"-dc", a, "-o", folder.path("a.o")}).code, 0);
  ASSERT_EQ(compile({"-rdc=true", "-c", b, "-o", folder.path("b.o")}).code, 0);
  ASSERT_EQ(compile({"-dlink", folder.path("a.o"), folder.path("b.o"), "-o", folder.path("d.o")}).code, 0);
  // The objects need no special linker.
  ASSERT_EQ(shell("c++ " + folder.path("a.o") + " " + folder.path("b.o") + " " + folder.path("d.o") + " " +
                  library + " -o " + folder.path("app"))
                .code,
            0);
  const Outcome run = shell(folder.path("app"));
  EXPECT_EQ(run.code, 0);
  size_t marks = 0;
  for (size_t at = run.out.find("// wanren: relocatable"); at != std::string::npos;
       at = run.out.find("// wanren: relocatable", at + 1))
    ++marks;
  EXPECT_EQ(marks, 2u);
  EXPECT_THAT(run.out, HasSubstr("function _Z3runPf"));
  EXPECT_THAT(run.out, HasSubstr("variable counter"));
}

TEST(Driver, HostSourcesAndSharedLibrariesLink) {
  const Folder folder;
  const std::string library = build_recorder(folder);
  const std::string kernel =
      folder.write("k.cu", "__global__ void k() {}\nextern \"C\" int go() { k<<<1, 1>>>(); return 7; }\n");
  const std::string host = folder.write(
      "main.cpp",
      "#include <cuda_runtime.h>\nextern \"C\" int go();\nint main() { dim3 d(2); return go() + d.x; }\n");
  ASSERT_EQ(compile({"-shared", "-Xcompiler", "-fPIC", "-cudart=none", kernel, library, "-o",
                     folder.path("libk.so")})
                .code,
            0);
  const Outcome o =
      compile({"-cudart=none", host, folder.path("libk.so"), library, "-o", folder.path("app")});
  ASSERT_EQ(o.code, 0) << o.err;
  EXPECT_EQ(shell(folder.path("app")).code, 9);
}

TEST(Driver, ResponseFilesAndForcedLanguage) {
  const Folder folder;
  const std::string source =
      folder.write("kernel.txt", "#ifndef N\n#error N\n#endif\n__global__ void k(int* p) { *p = N; }\n");
  const std::string options =
      folder.write("options.rsp", "-ptx -g0 -x cu -D\"N=42\" -o '" + folder.path("k.ptx") + "'\n");
  const Outcome o = compile({"@" + options, source});
  ASSERT_EQ(o.code, 0) << o.err;
  EXPECT_THAT(Folder::read(folder.path("k.ptx")), HasSubstr("42"));
}

TEST(Driver, NvccFlagsThatChangeNothingHereAreAccepted) {
  const Folder folder;
  const std::string source = folder.write("a.cu", saxpy);
  const Outcome o = compile({"--expt-relaxed-constexpr", "--expt-extended-lambda", "-Xptxas", "-v,-O3",
                             "-lineinfo", "-Xcompiler", "-Wall,-O2", "--diag-suppress=177", "-t", "4",
                             "-ccbin", "g++", "-m64", "-c", source, "-o", folder.path("a.o")});
  EXPECT_EQ(o.code, 0) << o.err;
}

TEST(Driver, AFatBinaryHoldsPtxOfEachArchitectureThatRunsHere) {
  const Folder folder;
  const std::string source = folder.write("a.cu", saxpy), output = folder.path("a.fatbin");
  const Outcome o =
      compile({"-fatbin", "-gencode=arch=compute_80,code=sm_80", "-gencode=arch=compute_90,code=sm_90",
               "-gencode=arch=compute_120,code=sm_120", source, "-o", output});
  ASSERT_EQ(o.code, 0) << o.err;
  const std::string bytes = Folder::read(output);
  EXPECT_EQ(bytes.substr(0, 4), "\x50\xed\x55\xba");
  EXPECT_THAT(bytes, HasSubstr(".target sm_80"));
  EXPECT_THAT(bytes, HasSubstr(".target sm_90"));
  EXPECT_EQ(compile({"-arch=sm_120", source}).code, 1);
}

TEST(Driver, WhatNvccTakesAndClangWouldNotCompilesAndRuns) {
  const Folder folder;
  const std::string source = folder.write("a.cu", R"(
#include <cinttypes>
#include <cstdio>
#if defined(__NVCC__)
#define BOTH __host__ __device__
#else
#define BOTH
#endif
#if __CUDACC_VER_MAJOR__ < 12
#error nvcc has a version
#endif
BOTH int twice(int i) { return 2 * i; }
__global__ void k(int* p) { *p = twice(*p); }
int lasts() {
  register int a = 3;
  return a;
}
int main() {
  const unsigned wide = 1;
  int narrow[] = {wide, lasts()};
  long long value = narrow[0] + 1;
  printf("%"PRId64"\n", value);
  // Wraps from 65536 on.
  for (int i = 65530; i < 65540; ++i)
    if (twice(i) != 2 * i || i * i != int(unsigned(i) * unsigned(i))) return 1;
  return 0;
}
)");
  const Outcome o = compile({"-std=c++17", source, "-o", folder.path("a")});
  EXPECT_EQ(o.code, 0) << o.err;
  const Outcome run = shell(folder.path("a"));
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, "2\n");
}

TEST(Driver, NvtxMarksAreTakenWithoutALibrary) {
  const Folder folder;
  for (const char* file : {"a.cu", "a.cpp"}) {
    const std::string source = folder.write(file, R"(
#include <nvToolsExt.h>
#include <nvtx3/nvToolsExt.h>
int main() {
  nvtxEventAttributes_t event = {};
  event.version = NVTX_VERSION;
  event.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  event.messageType = NVTX_MESSAGE_TYPE_ASCII;
  event.message.ascii = "work";
  nvtxRangePushEx(&event);
  nvtxRangePush("more");
  nvtxMarkA("here");
  const nvtxRangeId_t id = nvtxRangeStartA("range");
  nvtxRangeEnd(id);
  return nvtxRangePop() < 0 && nvtxRangePop() < 0 ? 0 : 1;
}
)");
    const Outcome o = compile({"-Xcompiler", "-Wall,-Werror", source, "-o", folder.path("a")});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(shell(folder.path("a")).code, 0);
  }
}

TEST(Driver, ACompileErrorIsShownOnceWithItsLine) {
  const Folder folder;
  const std::string source =
      folder.write("bad.cu", "__global__ void k(int* p) {\n  *p = undeclared_name;\n}\n");
  const Outcome o = compile({"-c", source, "-o", folder.path("a.o")});
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.err, HasSubstr("bad.cu:2:8: error: use of undeclared identifier 'undeclared_name'"));
  EXPECT_EQ(o.err.find("undeclared identifier"), o.err.rfind("undeclared identifier"));
  EXPECT_FALSE(fs::exists(folder.path("a.o")));
}

TEST(Driver, AMissingLibraryNamesItsRemedyOnce) {
  const Folder folder;
  const auto missing = [&](const std::string& name, const std::string& header) {
    return compile({"-c", folder.write(name, "#include <" + header + ">\n"), "-o", folder.path("a.o")});
  };
  for (const auto& [header, remedy] :
       std::vector<std::pair<std::string, std::string>>{{"thrust/no_such_header.h", "scripts/setup"},
                                                        {"cub/no_such_header.cuh", "scripts/setup"},
                                                        {"cublas_no_such_header.h", "cublas_v2.h"},
                                                        {"curand_no_such_header.h", "cuRAND"},
                                                        {"cufft_no_such_header.h", "cuFFT"},
                                                        {"helper_no_such_header.h", "Common"},
                                                        {"GL/no_such_header.h", "graphics"}}) {
    for (const char* file : {"a.cu", "a.cpp"}) {
      const Outcome o = missing(file, header);
      EXPECT_EQ(o.code, 1);
      EXPECT_THAT(o.err, HasSubstr("'" + header + "' file not found"));
      EXPECT_THAT(o.err, HasSubstr("wanren cc: " + header + " belongs to "));
      EXPECT_THAT(o.err, HasSubstr(remedy));
      EXPECT_EQ(o.err.find("wanren cc: "), o.err.rfind("wanren cc: "));
    }
  }
  EXPECT_THAT(missing("a.cu", "no_such_header.h").err, Not(HasSubstr("wanren cc: ")));
  const Outcome link = compile({"-cudart=none", folder.write("m.cpp", "int main() {}\n"),
                                "-lcufft_no_such_library", "-o", folder.path("a")});
  EXPECT_EQ(link.code, 1);
  EXPECT_THAT(link.err, HasSubstr("-lcufft_no_such_library belongs to cuFFT"));
}

TEST(Driver, OpenMpRunsThreads) {
  const Folder folder;
  const std::string source = folder.write("a.cu", R"(
#include <omp.h>
__global__ void nothing() {}
int main() {
  int threads = 0;
#pragma omp parallel num_threads(3) reduction(+ : threads)
  threads += omp_get_num_threads() == 3;
  return threads == 3 ? 0 : 1;
}
)");
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"-fopenmp"}, std::vector<std::string>{"-Xcompiler", "-fopenmp"}}) {
    std::vector<std::string> command = flags;
    command.insert(command.end(), {source, "-o", folder.path("a")});
    const Outcome o = compile(command);
    ASSERT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(std::system(folder.path("a").c_str()), 0);
  }
}

TEST(Driver, CudaSourcesFindWhatNvccIncludesForThem) {
  const Folder folder;
  const std::string source = folder.write("a.cu", R"(
#if __CUDACC__ != 1
#error __CUDACC__ has no value
#endif
int main() {
  const clock_t begin = clock();
  const time_t now = time(nullptr);
  char text[8];
  memset(text, 0, sizeof text);
  printf("%f %d\n", sqrt(fabs(2.0)) + std::pow(2.0, 3), abs(-rand()));
  int* p = (int*)malloc(strlen(text) + INT_MAX % 7 + 4);
  free(p);
  return begin == (clock_t)now && std::swap<int>, 0;
}
)");
  const Outcome o = compile({"-Xcompiler", "-w", "-c", source, "-o", folder.path("a.o")});
  EXPECT_EQ(o.code, 0) << o.err;
}

TEST(Driver, HalfTypesWorkInPlainHostFiles) {
  const Folder folder;
  const std::string source = folder.write("a.cpp", R"(
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <math.h>
#include <stdio.h>
int main() {
  int wrong = 0;
  for (unsigned i = 0; i < 65536; ++i) {
    const __half h = __ushort_as_half((unsigned short)i);
    const float f = __half2float(h);
    if (f != f) continue;
    wrong += __half_as_ushort(__float2half(f)) != i || __half_as_ushort(__float2half_rz(f)) != i;
    // Between two neighbours each rounding takes its side.
    if ((i & 0x7fff) >= 0x7bff || (i & 0x7fff) == 0) continue;
    const float next = __half2float(__ushort_as_half((unsigned short)(i + 1))), third = f + (next - f) * 0.375f;
    wrong += __half_as_ushort(__float2half_rn(third)) != i || __half_as_ushort(__float2half_rz(third)) != i;
    wrong += __half_as_ushort(f > 0 ? __float2half_rd(third) : __float2half_ru(third)) != i;
    wrong += __half_as_ushort(f > 0 ? __float2half_ru(third) : __float2half_rd(third)) != i + 1;
  }
  const __half2 p = __floats2half2_rn(1.5f, 2.5f);
  const __nv_bfloat16 b = __float2bfloat16(3.14159265f);
  wrong += __half2float(__hfma(p.x, p.y, p.x)) != 5.25f || __low2float(__hadd2(p, p)) != 3.0f;
  wrong += __bfloat162float(b) != 3.140625f || __bfloat162float(b * b) != 9.875f;
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
)");
  for (const std::string compiler : {"c++ -std=c++17 -Wall -Wextra -Werror", "c++ -std=c++11"}) {
    const Outcome built =
        shell(compiler + " -isystem " WANREN_SOURCE_DIR "/include " + source + " -o " + folder.path("a"));
    ASSERT_EQ(built.code, 0) << built.out;
    const Outcome ran = shell(folder.path("a"));
    EXPECT_EQ(ran.code, 0) << ran.out;
  }
  const Outcome o = compile({"-cudart=none", source, "-o", folder.path("b")});
  ASSERT_EQ(o.code, 0) << o.err;
  EXPECT_EQ(shell(folder.path("b")).code, 0);
}

TEST(Driver, AnErrorOfTheHostPassAloneIsReported) {
  const Folder folder;
  const std::string source =
      folder.write("bad.cu", "#ifndef __CUDA_ARCH__\n#error only the host sees this\n#endif\n");
  const Outcome o = compile({"-c", source, "-o", folder.path("a.o")});
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.err, HasSubstr("only the host sees this"));
}

TEST(Driver, AttributesThatClangWouldIgnoreAreErrors) {
  const Folder folder;
  const std::string managed = folder.write("m.cu", "__managed__ int x;\n");
  Outcome o = compile({"-c", managed, "-o", folder.path("a.o")});
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.err, HasSubstr("cudaMallocManaged"));
  const std::string cluster = folder.write("c.cu", "__global__ void __cluster_dims__(2, 1, 1) k() {}\n");
  o = compile({"-arch=sm_80", "-c", cluster, "-o", folder.path("a.o")});
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.err, HasSubstr("-arch=sm_90"));
  EXPECT_EQ(compile({"-arch=sm_90", "-c", cluster, "-o", folder.path("a.o")}).code, 0);
  const std::string constant = folder.write(
      "g.cu",
      "struct S { int v[4]; };\n__global__ void k(const __grid_constant__ S s, int* p) { *p = s.v[1]; }\n");
  EXPECT_EQ(compile({"-c", constant, "-o", folder.path("a.o")}).code, 0);
}

struct Refusal {
  std::vector<std::string> args;
  std::string cause, remedy;
};

class Refuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refuses, WithCauseAndRemedy) {
  const Outcome o = compile(GetParam().args);
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.err, HasSubstr(GetParam().cause));
  EXPECT_THAT(o.err, HasSubstr(GetParam().remedy));
}

INSTANTIATE_TEST_SUITE_P(
    BadCommandLines, Refuses,
    ::testing::Values(
        Refusal{{}, "no input files", "wanren cc saxpy.cu -o saxpy"},
        Refusal{{"-c", "/nonexistent/a.cu"}, "no such file", "/nonexistent/a.cu"},
        Refusal{{"-arch=sm_81", "a.cu"}, "'sm_81' is not an architecture", "sm_80"},
        Refusal{{"-std=c++71", "a.cu"}, "'c++71' is not a language standard", "c++17"},
        Refusal{{"-use_fast_mth", "a.cu"}, "unknown option", "-use_fast_math"},
        Refusal{{"-cubin", "a.cu"}, "no machine code", "-ptx"},
        Refusal{{"a.cu", "-o"}, "a value is missing", "-o VALUE"},
        Refusal{{"-maxrregcount=many", "a.cu"}, "not a number of registers", "-maxrregcount=64"},
        Refusal{{"-rdc=perhaps", "a.cu"}, "neither true nor false", "=true"},
        Refusal{{"@/nonexistent.rsp"}, "cannot read the response file", "@FILE"},
        Refusal{{"-gencode", "code=sm_80", "a.cu"}, "names no arch", "-gencode arch=compute_80"}));

TEST(Driver, AMissingClangIsNamedWithTheRemedy) {
  const Folder folder;
  const std::string source = folder.write("a.cu", saxpy);
  setenv("WANREN_CLANG", "/nonexistent/clang++", 1);
  const Outcome o = compile({"-c", source, "-o", folder.path("a.o")});
  unsetenv("WANREN_CLANG");
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.err, HasSubstr("/nonexistent/clang++"));
  EXPECT_THAT(o.err, HasSubstr("clang++ version 19"));
}

TEST(Driver, HelpAndVersionGoToStdout) {
  EXPECT_THAT(compile({"--help"}).out, HasSubstr("usage: wanren cc"));
  EXPECT_THAT(compile({"--version"}).out, HasSubstr("release 12.8"));
}

TEST(Driver, EveryExampleCompiles) {
  const Folder folder;
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(WANREN_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".cu") continue;
    ++count;
    const Outcome o = compile({"-O1", "-c", entry.path().string(), "-o", folder.path("e.o")});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(o.err, "");
  }
  EXPECT_GE(count, 14u);
}

// Thrust, CUB and libcu++ are no part of Wanren; scripts/setup fetches them where it can.
TEST(Driver, CubDeviceScanCompilesWithoutAFlag) {
  if (!fs::exists(WANREN_SOURCE_DIR "/cccl/version"))
    GTEST_SKIP() << "scripts/setup could not fetch CCCL's headers";
  const Folder folder;
  const std::string source = folder.write("scan.cu", R"(
#include <cub/device/device_scan.cuh>
size_t scan(void* temporary, size_t bytes, int* in, int* out, int n) {
  cub::DeviceScan::ExclusiveSum(temporary, bytes, in, out, n);
  return bytes;
}
)");
  const Outcome o = compile({"-c", source, "-o", folder.path("scan.o")});
  EXPECT_EQ(o.code, 0) << o.err;
}

}  // namespace
}  // namespace wanren::cc::testing
