// Both APIs: handles by which processes share memory and events. Each process simulates devices of its own,
// so there is nothing to share; memory that a program creates and maps itself has files that can be.

#include "cuda/driver_api.h"
#include "support/log.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

driver::Status refuse(const char* what) {
  log::warn(std::string(what) +
            " cannot be shared between processes, of which each simulates devices of its own; use threads of "
            "one process, with as many devices as WANREN_CHIP lists");
  return driver::Status::cudaErrorNotSupported;
}

}  // namespace

extern "C" {

CUresult cuIpcGetMemHandle(CUipcMemHandle*, CUdeviceptr) {
  return code(refuse("device memory"));
}
CUresult cuIpcOpenMemHandle_v2(CUdeviceptr*, CUipcMemHandle, unsigned int) {
  return code(refuse("device memory"));
}
CUresult cuIpcCloseMemHandle(CUdeviceptr) {
  return invalid_value;  // None is open.
}
CUresult cuIpcGetEventHandle(CUipcEventHandle*, CUevent) {
  return code(refuse("an event"));
}
CUresult cuIpcOpenEventHandle(CUevent*, CUipcEventHandle) {
  return code(refuse("an event"));
}
#undef cuIpcOpenMemHandle
CUresult cuIpcOpenMemHandle(CUdeviceptr* pointer, CUipcMemHandle handle, unsigned int flags) {
  return cuIpcOpenMemHandle_v2(pointer, handle, flags);
}

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t*, void*) {
  return note(refuse("device memory"));
}
cudaError_t cudaIpcOpenMemHandle(void**, cudaIpcMemHandle_t, unsigned int) {
  return note(refuse("device memory"));
}
cudaError_t cudaIpcCloseMemHandle(void*) {
  return note(cudaErrorInvalidValue);
}
cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t*, cudaEvent_t) {
  return note(refuse("an event"));
}
cudaError_t cudaIpcOpenEventHandle(cudaEvent_t*, cudaIpcEventHandle_t) {
  return note(refuse("an event"));
}

}  // extern "C"
