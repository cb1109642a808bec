// PTX that a program loads at run time: an error, an unsupported instruction, a wrong file, and good text.
#include <cuda.h>
#include <cuda_runtime.h>

#include "check.h"

namespace {

const char* const good = R"(.version 7.0
.target sm_80
.address_size 64
.visible .entry fill(.param .u64 p, .param .u32 value) {
  .reg .b32 %r<3>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [p];
  ld.param.u32 %r1, [value];
  mov.u32 %r2, %tid.x;
  mul.wide.u32 %rd2, %r2, 4;
  add.s64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r1;
  ret;
}
)";

const char* const misspelt = R"(.version 7.0
.target sm_80
.address_size 64
.visible .entry k() {
  .reg .b32 %r<3>;
  addd.s32 %r1, %r2, 1;
  ret;
}
)";

const char* const unsupported = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry k() {
  .reg .b32 %r<9>;
  stackrestore.u32 %r1;
  ret;
}
)";

}  // namespace

int main() {
  CUmodule module;
  EXPECT(cuInit(0) == CUDA_SUCCESS);
  CUcontext context;
  EXPECT(cuDevicePrimaryCtxRetain(&context, 0) == CUDA_SUCCESS);
  EXPECT(cuCtxSetCurrent(context) == CUDA_SUCCESS);
  EXPECT(cuModuleLoadData(&module, misspelt) == CUDA_ERROR_INVALID_PTX);
  EXPECT(cuModuleLoadData(&module, unsupported) == CUDA_ERROR_INVALID_PTX);
  EXPECT(cuModuleLoadData(&module, "this is not PTX") != CUDA_SUCCESS);
  EXPECT(cuModuleLoad(&module, "/nonexistent/file.ptx") == CUDA_ERROR_FILE_NOT_FOUND);
  EXPECT(cuModuleLoadData(&module, good) == CUDA_SUCCESS);
  CUfunction function;
  EXPECT(cuModuleGetFunction(&function, module, "nothing") == CUDA_ERROR_NOT_FOUND);
  EXPECT(cuModuleGetFunction(&function, module, "fill") == CUDA_SUCCESS);
  CUdeviceptr p;
  EXPECT(cuMemAlloc(&p, 128) == CUDA_SUCCESS);
  unsigned value = 9, host[32] = {};
  void* arguments[] = {&p, &value};
  EXPECT(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr) == CUDA_SUCCESS);
  EXPECT(cuMemcpyDtoH(host, p, 128) == CUDA_SUCCESS);
  for (const unsigned h : host) EXPECT(h == 9);
  EXPECT(cuModuleUnload(module) == CUDA_SUCCESS);
  std::printf("PASS\n");
}
