// What programs ask of NCCL before they use it. None of its operations is there: each says so.
#include <cuda_runtime.h>

extern "C" {

int ncclGetVersion(int* version) {
  if (version == nullptr) return 4;  // ncclInvalidArgument
  *version = 22899;
  return 0;
}
const char* ncclGetErrorString(int result) {
  return result == 0   ? "no error"
         : result == 4 ? "invalid argument"
                       : "invalid usage: this operation is not supported on a virtual chip";
}
const char* ncclGetLastError(void*) {
  return "";
}

}  // extern "C"
