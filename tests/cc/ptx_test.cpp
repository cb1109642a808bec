// What device code becomes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run.h"

namespace wanren::cc::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A kernel that stores an expression of the floats x[0], x[1] and the doubles d[0], d[1].
std::string kernel(const std::string& expression, const std::string& includes = "") {
  return includes + "__global__ void k(float* x, double* d, int* i) { x[2] = (float)(" + expression +
         "); }\n";
}

TEST(Ptx, DivisionAndSquareRootAreIeeeByDefault) {
  const std::string text = ptx(kernel("sqrtf(x[0] / x[1])"));
  EXPECT_THAT(text, HasSubstr("div.rn.f32"));
  EXPECT_THAT(text, HasSubstr("sqrt.rn.f32"));
}

TEST(Ptx, FastMathApproximatesAndFlushesDenormals) {
  const std::string text = ptx(kernel("sqrtf(x[0] / x[1]) + sinf(x[0]) + expf(x[1])"), {"-use_fast_math"});
  EXPECT_THAT(text, Not(HasSubstr("div.rn")));
  EXPECT_THAT(text, HasSubstr("div.approx.ftz.f32"));
  EXPECT_THAT(text, HasSubstr("sqrt.approx.ftz.f32"));
  EXPECT_THAT(text, HasSubstr("sin.approx"));
  EXPECT_THAT(text, HasSubstr("ex2.approx"));
}

TEST(Ptx, FmadFalseKeepsMultiplicationAndAdditionApart) {
  EXPECT_THAT(ptx(kernel("x[0] * x[1] + 1.0f")), HasSubstr("fma.rn.f32"));
  EXPECT_THAT(ptx(kernel("x[0] * x[1] + 1.0f"), {"-fmad=false"}), Not(HasSubstr("fma.rn.f32")));
}

TEST(Ptx, TargetIsSm80UnlessNamed) {
  EXPECT_THAT(ptx(kernel("x[0]")), HasSubstr(".target sm_80"));
  EXPECT_THAT(ptx(kernel("x[0]"), {"-arch=sm_90"}), HasSubstr(".target sm_90"));
  EXPECT_THAT(ptx(kernel("x[0]"), {"-arch=compute_75"}), HasSubstr(".target sm_75"));
  EXPECT_THAT(ptx(kernel("x[0]"), {"-gencode", "arch=compute_90a,code=sm_90a"}), HasSubstr(".target sm_90a"));
}

TEST(Ptx, LineTablesAreOnByDefault) {
  const Folder folder;
  const std::string source = folder.write("a.cu", kernel("x[0]"));
  ASSERT_EQ(compile({"-ptx", source, "-o", folder.path("a.ptx")}).code, 0);
  EXPECT_THAT(Folder::read(folder.path("a.ptx")), HasSubstr("\t.loc\t"));
}

TEST(Ptx, ClusterDimsReachTheEntryOfTheirKernelAlone) {
  const std::string text =
      ptx("template <int N> __global__ void __cluster_dims__(N, 2) several(int* p) { *p = N; }\n"
          "__global__ void __cluster_dims__(4, 1, 1) __launch_bounds__(128) bounded(int* p) { *p = 1; }\n"
          "__global__ void plain(int* p) { *p = 3; }\n"
          "void all() { several<3><<<6, 1>>>(nullptr); several<5><<<10, 1>>>(nullptr); }\n",
          {"-arch=sm_90", "-maxrregcount=40"});
  const auto entry = [&](const std::string& name) {
    const std::size_t at = text.find(".entry " + name + "(");
    return at == std::string::npos ? "none" : text.substr(at, text.find("\n{", at) - at);
  };
  EXPECT_THAT(entry("_Z7severalILi3EEvPi"), HasSubstr(".explicitcluster\n.reqnctapercluster 3, 2, 1"));
  EXPECT_THAT(entry("_Z7severalILi5EEvPi"), HasSubstr(".reqnctapercluster 5, 2, 1"));
  EXPECT_THAT(entry("_Z7boundedPi"), HasSubstr(".reqnctapercluster 4, 1, 1"));
  EXPECT_THAT(entry("_Z7boundedPi"), HasSubstr(".maxntid 128"));
  EXPECT_THAT(entry("_Z5plainPi"), Not(HasSubstr("cluster")));
}

TEST(Ptx, LaunchBoundsAndRegisterLimitReachTheEntry) {
  const std::string text =
      ptx("__global__ void __launch_bounds__(256, 2) k(int* p) { *p = 1; }", {"-maxrregcount=40"});
  EXPECT_THAT(text, HasSubstr(".maxntid 256"));
  EXPECT_THAT(text, HasSubstr(".minnctapersm 2"));
  EXPECT_THAT(text, HasSubstr(".maxnreg 40"));
}

// Every function of the math API that programs use must end in instructions, not in a call of something
// outside.
TEST(Ptx, MathFunctionsLeaveNoExternalCalls) {
  std::string body;
  for (const char* f : {"sin",    "cos",    "tan",     "asin",  "acos",    "atan",          "sinh",
                        "cosh",   "tanh",   "asinh",   "acosh", "atanh",   "exp",           "exp2",
                        "exp10",  "expm1",  "log",     "log2",  "log10",   "log1p",         "erf",
                        "erfc",   "erfinv", "erfcinv", "erfcx", "normcdf", "normcdfinv",    "tgamma",
                        "lgamma", "cbrt",   "rcbrt",   "sqrt",  "rsqrt",   "sinpi",         "cospi",
                        "ceil",   "floor",  "trunc",   "round", "rint",    "nearbyint",     "logb",
                        "fabs",   "j0",     "j1",      "y0",    "y1",      "cyl_bessel_i0", "cyl_bessel_i1"})
    body += std::string("x[0] += ") + f + "f(x[1]); d[0] += " + f + "(d[1]);\n";
  for (const char* f : {"pow", "fmod", "remainder", "atan2", "hypot", "rhypot", "fdim", "copysign",
                        "nextafter", "fmin", "fmax"})
    body += std::string("x[0] += ") + f + "f(x[1], x[2]); d[0] += " + f + "(d[1], d[2]);\n";
  body +=
      "float s, c; sincosf(x[1], &s, &c); x[0] += s + c; double t, u; sincos(d[1], &t, &u); d[0] += t + u;\n"
      "sincospif(x[1], &s, &c); x[0] += s + c; int e; x[0] += frexpf(x[1], &e) + e + ldexpf(x[2], i[0]) + "
      "ilogbf(x[3]);\n"
      "x[0] += modff(x[1], &s) + s + remquof(x[1], x[2], &e) + e + norm3df(x[1], x[2], x[3]) + normf(4, x) + "
      "lrintf(x[1]);\n"
      "x[0] += jnf(2, x[1]) + ynf(3, x[1]) + scalbnf(x[1], 3) + powif(x[1], i[0]) + fmaf(x[1], x[2], x[3]);\n"
      "d[0] += jn(2, d[1]) + yn(3, d[1]) + rnorm4d(d[1], d[2], d[3], d[4]) + fma(d[1], d[2], d[3]) + "
      "llround(d[1]);\n";
  const std::string text = ptx("__global__ void k(float* x, double* d, int* i) {\n" + body + "}\n");
  EXPECT_THAT(text, Not(HasSubstr(".extern")));
}

TEST(Ptx, IntrinsicsBecomeTheirInstructions) {
  const std::string text = ptx(
      "__global__ void k(int* i, unsigned* u, float* f, unsigned long long* t) {\n"
      "  i[0] = __popc(u[0]) + __clz(i[1]) + __ffs(i[2]) + (int)__brev(u[1]);\n"
      "  u[2] = __byte_perm(u[0], u[1], u[2]) + __funnelshift_l(u[0], u[1], u[2]) + __umulhi(u[0], u[1]);\n"
      "  i[3] = __dp4a(i[0], i[1], i[2]) + __shfl_xor_sync(~0u, i[4], 1) + __any_sync(~0u, i[5]);\n"
      "  u[3] = __ballot_sync(~0u, i[6]) + __match_any_sync(~0u, u[4]) + __reduce_max_sync(~0u, u[5]) + "
      "__activemask();\n"
      "  f[0] = __fadd_rz(f[1], f[2]) + __fmaf_ru(f[3], f[4], f[5]) + __frcp_rd(f[6]);\n"
      "  i[7] = __float2int_rn(f[7]) + __syncthreads_count(i[8]);\n"
      "  atomicAdd(&f[8], 1.0f); atomicCAS(t, 1ull, 2ull); atomicMax_block(i, 3); atomicInc(u, 5u);\n"
      "  t[1] = clock64(); __nanosleep(20); __threadfence(); __syncwarp();\n"
      "  f[9] = __ldg(f + 10) + __ldcg(f + 11); __stcs(f + 12, 1.0f);\n"
      "}\n");
  for (const char* op : {"popc.b32",
                         "clz.b32",
                         "brev.b32",
                         "prmt.b32",
                         "shf.l.wrap.b32",
                         "mul.hi.u32",
                         "dp4a.s32.s32",
                         "shfl.sync.bfly.b32",
                         "vote.sync.any.pred",
                         "vote.sync.ballot.b32",
                         "match.any.sync.b32",
                         "redux.sync.max.u32",
                         "activemask.b32",
                         "add.rz.f32",
                         "fma.rp.f32",
                         "rcp.rm.f32",
                         "cvt.rni.s32.f32",
                         "atom.global.add.f32",
                         "cas.b64",
                         "atom.cta.max.s32",
                         "inc.u32",
                         "%clock64",
                         "nanosleep.u32",
                         "membar.gl",
                         "bar.warp.sync",
                         "ld.global.nc.f32",
                         "ld.global.cg.f32",
                         "st.global.cs.f32"})
    EXPECT_THAT(text, HasSubstr(op));
}

TEST(Ptx, HalfPrecisionUsesHalfInstructions) {
  const std::string text =
      ptx("#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n"
          "__global__ void k(__half* h, __half2* h2, __nv_bfloat16* b, float* f) {\n"
          "  h[0] = __hfma(h[1], h[2], h[3]); h2[0] = __hadd2(h2[1], h2[2]); b[0] = b[1] * b[2];\n"
          "  f[0] = __half2float(h[4]) + __bfloat162float(b[3]); h[5] = __float2half(f[1]); b[4] = "
          "__float2bfloat16(f[2]);\n"
          "}\n");
  for (const char* op :
       {"fma.rn.f16", "add.f16x2", "fma.rn.bf16", "cvt.f32.f16", "cvt.rn.f16.f32", "cvt.rn.bf16.f32"})
    EXPECT_THAT(text, HasSubstr(op));
}

TEST(Ptx, MatrixFragmentsUseWmma) {
  const std::string text =
      ptx("#include <mma.h>\nusing namespace nvcuda::wmma;\n"
          "__global__ void k(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c) {\n"
          "  fragment<matrix_a, 16, 16, 16, __nv_bfloat16, row_major> fa;\n"
          "  fragment<matrix_b, 16, 16, 16, __nv_bfloat16, col_major> fb;\n"
          "  fragment<accumulator, 16, 16, 16, float> fc;\n"
          "  fill_fragment(fc, 0.0f); load_matrix_sync(fa, a, 16); load_matrix_sync(fb, b, 16);\n"
          "  mma_sync(fc, fa, fb, fc); store_matrix_sync(c, fc, 16, mem_row_major);\n"
          "}\n");
  EXPECT_THAT(text, HasSubstr("wmma.load.a.sync.aligned.row.m16n16k16.bf16"));
  EXPECT_THAT(text, HasSubstr("wmma.load.b.sync.aligned.col.m16n16k16.bf16"));
  EXPECT_THAT(text, HasSubstr("wmma.mma.sync.aligned.row.col.m16n16k16.f32.bf16.bf16.f32"));
  EXPECT_THAT(text, HasSubstr("wmma.store.d.sync.aligned.row.m16n16k16.f32"));
}

TEST(Ptx, PrintfAssertMallocAndFreeCallTheDeviceRuntime) {
  const std::string text =
      ptx("#include <cassert>\n#include <cstdio>\n"
          "__global__ void k(int** p, int n) { printf(\"%d\\n\", n); assert(n > 0); p[n] = (int*)malloc(n); "
          "free(p[n + 1]); }\n");
  for (const char* name : {"vprintf", "__assertfail", "malloc", "free"}) EXPECT_THAT(text, HasSubstr(name));
}

TEST(Ptx, StandardLibraryHeadersWorkInDeviceCode) {
  const char* source =
      "#include <algorithm>\n#include <array>\n#include <cmath>\n#include <limits>\n#include "
      "<type_traits>\n#include <utility>\n"
      "__global__ void k(float* x, double* d) {\n"
      "  std::array<float, 4> a = {x[0], x[1], x[2], x[3]};\n"
      "  x[4] = std::max(a[0], a[1]) + std::min(a[2], a[3]) + std::abs(a[0]) + std::sqrt(a[1]) + "
      "std::pow(a[2], 2.0f);\n"
      "  d[0] = std::sin(d[1]) + std::isnan(d[2]) + std::numeric_limits<double>::max();\n"
      "}\n";
  for (const char* standard : {"-std=c++14", "-std=c++17", "-std=c++20"})
    EXPECT_THAT(ptx(source, {standard}), Not(HasSubstr(".extern"))) << standard;
}

TEST(Ptx, GridGroupsCompile) {
  const std::string text =
      ptx("#include <cooperative_groups.h>\n#include <cooperative_groups/reduce.h>\nnamespace cg = "
          "cooperative_groups;\n"
          "__global__ void k(int* x) {\n"
          "  auto tile = cg::tiled_partition<16>(cg::this_thread_block());\n"
          "  x[0] = cg::reduce(tile, x[threadIdx.x], cg::plus<int>()); cg::this_grid().sync();\n"
          "}\n");
  EXPECT_THAT(text, HasSubstr("shfl.sync.bfly"));
  EXPECT_THAT(text, HasSubstr("atom.global.add.u32"));
}

TEST(Ptx, HeadersOfAToolkitAreNotNeeded) {
  const Folder folder;
  const std::string source = folder.write("a.cu", "__global__ void k() {}\n");
  const Outcome o = compile({"--dryrun", source, "-o", folder.path("a")});
  EXPECT_EQ(o.code, 0);
  EXPECT_THAT(o.err, HasSubstr("--cuda-path=/nonexistent"));
  EXPECT_THAT(o.err, HasSubstr("-nocudainc"));
}

}  // namespace
}  // namespace wanren::cc::testing
