// The table through which libcudart's symbols reach their functions.

// Overloads would leave open which function a row names.
#define WANREN_C_API_ONLY
#include "cuda/entry_points.h"
#include "cuda/runtime_forms.h"

#define WR_HAVE(symbol, first, last, function)
#define WR_PER_THREAD(symbol, first, last, function)
#define WR_LACK(symbol, first, last) extern "C" int wanren_lacks_##symbol##_##first();
#include "cuda/runtime.def"
#undef WR_HAVE
#undef WR_PER_THREAD
#undef WR_LACK

extern "C" void (*const wanren_runtime[])();
void (*const wanren_runtime[])() = {
#define WR_HAVE(symbol, first, last, function) reinterpret_cast<void (*)()>(&function),
#define WR_PER_THREAD(symbol, first, last, function) \
  reinterpret_cast<void (*)()>(&wanren::cuda::PerThread<&function>::call),
#define WR_LACK(symbol, first, last) reinterpret_cast<void (*)()>(&wanren_lacks_##symbol##_##first),
#include "cuda/runtime.def"
};
