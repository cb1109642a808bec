// What programs ask of cuDNN before they use it. None of its operations is there: each says so.
#include <cuda_runtime.h>

namespace {

enum Status { success = 0, not_supported = 3000, invalid_value = 2000 };
// Programs refuse a library older than the one that they were built with.
constexpr int major = 9, minor = 99, patch = 0;

}  // namespace

extern "C" {

std::size_t cudnnGetVersion() {
  return major * 10000 + minor * 100 + patch;
}
std::size_t cudnnGetCudartVersion() {
  int version = 0;
  cudaRuntimeGetVersion(&version);
  return static_cast<std::size_t>(version);
}
Status cudnnGetProperty(int which, int* value) {
  const int parts[] = {major, minor, patch};
  if (value == nullptr || which < 0 || which > 2) return invalid_value;
  *value = parts[which];
  return success;
}
const char* cudnnGetErrorString(Status status) {
  return status == success         ? "CUDNN_STATUS_SUCCESS"
         : status == not_supported ? "CUDNN_STATUS_NOT_SUPPORTED"
                                   : "CUDNN_STATUS_INVALID_VALUE";
}
void cudnnGetLastErrorString(char* text, std::size_t bytes) {
  if (bytes > 0) text[0] = '\0';
}

}  // extern "C"
