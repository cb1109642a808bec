// The address of a parameter as 32 bits, which compilers take too: `mov.b32 %r, name`, widened and made
// generic.
#include <cuda.h>

#include <cstdio>

#include "check.h"

#define DRIVER(call) EXPECT((call) == CUDA_SUCCESS)

static const char* ptx = R"(
.version 8.0
.target sm_80
.address_size 64
.visible .entry sum(.param .u64 out, .param .align 64 .b8 values[128]) {
  .reg .b32 %r<8>;
  .reg .b64 %d<6>;
  .reg .pred %p<2>;
  mov.b32 %r1, values;
  cvt.u64.u32 %d1, %r1;
  cvta.param.u64 %d2, %d1;
  ld.param.u64 %d3, [out];
  mov.u32 %r2, %tid.x;
  mul.wide.u32 %d4, %r2, 4;
  add.s64 %d2, %d2, %d4;
  ld.u32 %r3, [%d2];
  add.s64 %d3, %d3, %d4;
  st.global.u32 [%d3], %r3;
  ret;
}
)";

int main() {
  DRIVER(cuInit(0));
  CUdevice device;
  CUcontext context;
  DRIVER(cuDeviceGet(&device, 0));
  DRIVER(cuDevicePrimaryCtxRetain(&context, device));
  DRIVER(cuCtxSetCurrent(context));
  CUmodule module;
  CUfunction function;
  DRIVER(cuModuleLoadData(&module, ptx));
  DRIVER(cuModuleGetFunction(&function, module, "sum"));
  CUdeviceptr out;
  DRIVER(cuMemAlloc(&out, 128));
  unsigned values[32], back[32] = {};
  for (unsigned i = 0; i < 32; ++i) values[i] = 7 * i + 1;
  void* arguments[] = {&out, values};
  DRIVER(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr));
  DRIVER(cuMemcpyDtoH(back, out, sizeof back));
  for (unsigned i = 0; i < 32; ++i) EXPECT(back[i] == values[i]);
  std::printf("PASS\n");
}
