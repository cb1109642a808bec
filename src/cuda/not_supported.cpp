// The answer of every entry point that the headers declare and Wanren does not have.

#include <string>

#include "cuda/runtime.h"
#include "support/log.h"

extern "C" int wanren_not_supported(const char* name) {
  wanren::log::warn(std::string(name) + " is not supported");
  return wanren::cuda::note(cudaErrorNotSupported);
}
