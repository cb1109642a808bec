// The answer of every entry point that the tables have and Wanren has not. No CUDA header here: the tables'
// rows are all that is known of these functions.

#include "driver/status.h"
#include "support/log.h"

namespace wanren::cuda {

void remember_error(int error);

namespace {

[[gnu::noinline]] int runtime_lacks(const char* name) {
  log::warn(std::string(name) + " is not supported");
  remember_error(static_cast<int>(driver::Status::cudaErrorNotSupported));
  return static_cast<int>(driver::Status::cudaErrorNotSupported);
}

[[gnu::noinline]] int driver_lacks(const char* name) {
  log::warn(std::string(name) + " is not supported");
  return driver::driver_value(driver::Status::cudaErrorNotSupported);
}

}  // namespace
}  // namespace wanren::cuda

// Versions of one symbol share the answer, so the runtime's names carry the first version.
#define WR_HAVE(symbol, first, last, function)
#define WR_PER_THREAD(symbol, first, last, function)
#define WR_LACK(symbol, first, last)                 \
  extern "C" int wanren_lacks_##symbol##_##first() { \
    return wanren::cuda::runtime_lacks(#symbol);     \
  }
#include "cuda/runtime.def"
#undef WR_HAVE
#undef WR_PER_THREAD
#undef WR_LACK

#define WR_HAVE(symbol, name, since)
#define WR_PER_THREAD(symbol, name, since, function)
#define WR_LACK(symbol, name, since)            \
  extern "C" int symbol() {                     \
    return wanren::cuda::driver_lacks(#symbol); \
  }
#define WR_LACK_PER_THREAD WR_LACK
#include "cuda/driver.def"
