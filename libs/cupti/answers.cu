// What profilers ask of CUPTI before they use it. It records nothing: `wanren run --trace` and --profile do.
#include <cuda_runtime.h>

extern "C" {

int cuptiGetVersion(unsigned* version) {
  if (version == nullptr) return 1;  // CUPTI_ERROR_INVALID_PARAMETER
  *version = 28;
  return 0;
}
int cuptiGetResultString(int result, const char** text) {
  if (text == nullptr) return 1;
  *text = result == 0   ? "CUPTI_SUCCESS"
          : result == 1 ? "CUPTI_ERROR_INVALID_PARAMETER"
                        : "CUPTI_ERROR_NOT_SUPPORTED";
  return 0;
}

}  // extern "C"
