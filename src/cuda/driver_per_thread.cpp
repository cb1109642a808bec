// libcuda's forms with a stream per thread: the table through which per_thread.S jumps.

#include "cuda.h"
#include "cuda/entry_points.h"

// Forms that the header does not declare.
#undef cuStreamBeginCapture
#undef cuStreamGetCaptureInfo
extern "C" {
CUresult cuStreamBeginCapture(CUstream stream);
CUresult cuStreamGetCaptureInfo(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id);
CUresult cuMemcpyBatchAsync_v2(CUdeviceptr* to, CUdeviceptr* from, size_t* bytes, size_t count,
                               CUmemcpyAttributes* attributes, size_t* first, size_t attribute_count,
                               CUstream handle);
CUresult cuMemcpy3DBatchAsync_v2(size_t count, CUDA_MEMCPY3D_BATCH_OP* list, unsigned long long flags,
                                 CUstream handle);
}

#define WR_HAVE(symbol, name, since)
#define WR_LACK(symbol, name, since)
#define WR_LACK_PER_THREAD(symbol, name, since)
#define WR_PER_THREAD(symbol, name, since, function) \
  reinterpret_cast<void (*)()>(&wanren::cuda::PerThread<&function>::call),

extern "C" [[gnu::visibility("hidden")]] void (*const wanren_per_thread[])();
void (*const wanren_per_thread[])() = {
#include "cuda/driver.def"
};
