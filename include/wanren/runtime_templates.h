// C++ templates and overloads of the runtime API (CUDA Runtime API reference, "C++ API Routines").
#ifndef WANREN_RUNTIME_TEMPLATES_H
#define WANREN_RUNTIME_TEMPLATES_H

#include "../cuda_runtime_api.h"

#define WANREN_API static inline __attribute__((unused)) cudaError_t

static inline __attribute__((unused)) cudaPitchedPtr make_cudaPitchedPtr(void* d, size_t p, size_t xsz,
                                                                         size_t ysz) {
  cudaPitchedPtr s;
  s.ptr = d, s.pitch = p, s.xsize = xsz, s.ysize = ysz;
  return s;
}
static inline __attribute__((unused)) cudaPos make_cudaPos(size_t x, size_t y, size_t z) {
  cudaPos p;
  p.x = x, p.y = y, p.z = z;
  return p;
}
static inline __attribute__((unused)) cudaExtent make_cudaExtent(size_t w, size_t h, size_t d) {
  cudaExtent e;
  e.width = w, e.height = h, e.depth = d;
  return e;
}

template <class T>
WANREN_API cudaMalloc(T** devPtr, size_t size) {
  return ::cudaMalloc((void**)devPtr, size);
}
template <class T>
WANREN_API cudaMallocHost(T** ptr, size_t size, unsigned int flags = 0) {
  return ::cudaHostAlloc((void**)ptr, size, flags);
}
WANREN_API cudaMallocHost(void** ptr, size_t size, unsigned int flags) {
  return ::cudaHostAlloc(ptr, size, flags);
}
template <class T>
WANREN_API cudaHostAlloc(T** ptr, size_t size, unsigned int flags) {
  return ::cudaHostAlloc((void**)ptr, size, flags);
}
template <class T>
WANREN_API cudaHostGetDevicePointer(T** pDevice, void* pHost, unsigned int flags) {
  return ::cudaHostGetDevicePointer((void**)pDevice, pHost, flags);
}
template <class T>
WANREN_API cudaMallocManaged(T** devPtr, size_t size, unsigned int flags = cudaMemAttachGlobal) {
  return ::cudaMallocManaged((void**)devPtr, size, flags);
}
template <class T>
WANREN_API cudaMallocPitch(T** devPtr, size_t* pitch, size_t width, size_t height) {
  return ::cudaMallocPitch((void**)devPtr, pitch, width, height);
}
template <class T>
WANREN_API cudaMallocAsync(T** ptr, size_t size, cudaStream_t stream) {
  return ::cudaMallocAsync((void**)ptr, size, stream);
}
template <class T>
WANREN_API cudaMallocAsync(T** ptr, size_t size, cudaMemPool_t memPool, cudaStream_t stream) {
  return ::cudaMallocFromPoolAsync((void**)ptr, size, memPool, stream);
}
WANREN_API cudaMallocAsync(void** ptr, size_t size, cudaMemPool_t memPool, cudaStream_t stream) {
  return ::cudaMallocFromPoolAsync(ptr, size, memPool, stream);
}
template <class T>
WANREN_API cudaMallocFromPoolAsync(T** ptr, size_t size, cudaMemPool_t memPool, cudaStream_t stream) {
  return ::cudaMallocFromPoolAsync((void**)ptr, size, memPool, stream);
}
template <class T>
WANREN_API cudaStreamAttachMemAsync(cudaStream_t stream, T* devPtr, size_t length = 0,
                                    unsigned int flags = cudaMemAttachSingle) {
  return ::cudaStreamAttachMemAsync(stream, (void*)devPtr, length, flags);
}
template <class T>
WANREN_API cudaMemcpyToSymbol(const T& symbol, const void* src, size_t count, size_t offset = 0,
                              cudaMemcpyKind kind = cudaMemcpyHostToDevice) {
  return ::cudaMemcpyToSymbol((const void*)&symbol, src, count, offset, kind);
}
template <class T>
WANREN_API cudaMemcpyToSymbolAsync(const T& symbol, const void* src, size_t count, size_t offset = 0,
                                   cudaMemcpyKind kind = cudaMemcpyHostToDevice, cudaStream_t stream = 0) {
  return ::cudaMemcpyToSymbolAsync((const void*)&symbol, src, count, offset, kind, stream);
}
template <class T>
WANREN_API cudaMemcpyFromSymbol(void* dst, const T& symbol, size_t count, size_t offset = 0,
                                cudaMemcpyKind kind = cudaMemcpyDeviceToHost) {
  return ::cudaMemcpyFromSymbol(dst, (const void*)&symbol, count, offset, kind);
}
template <class T>
WANREN_API cudaMemcpyFromSymbolAsync(void* dst, const T& symbol, size_t count, size_t offset = 0,
                                     cudaMemcpyKind kind = cudaMemcpyDeviceToHost, cudaStream_t stream = 0) {
  return ::cudaMemcpyFromSymbolAsync(dst, (const void*)&symbol, count, offset, kind, stream);
}
template <class T>
WANREN_API cudaGetSymbolAddress(void** devPtr, const T& symbol) {
  return ::cudaGetSymbolAddress(devPtr, (const void*)&symbol);
}
template <class T>
WANREN_API cudaGetSymbolSize(size_t* size, const T& symbol) {
  return ::cudaGetSymbolSize(size, (const void*)&symbol);
}
WANREN_API cudaEventCreate(cudaEvent_t* event, unsigned int flags) {
  return ::cudaEventCreateWithFlags(event, flags);
}

template <class T>
WANREN_API cudaFuncSetCacheConfig(T* func, cudaFuncCache cacheConfig) {
  return ::cudaFuncSetCacheConfig((const void*)func, cacheConfig);
}
template <class T>
WANREN_API cudaFuncSetSharedMemConfig(T* func, cudaSharedMemConfig config) {
  return ::cudaFuncSetSharedMemConfig((const void*)func, config);
}
template <class T>
WANREN_API cudaFuncGetAttributes(cudaFuncAttributes* attr, T* entry) {
  return ::cudaFuncGetAttributes(attr, (const void*)entry);
}
template <class T>
WANREN_API cudaFuncSetAttribute(T* func, cudaFuncAttribute attr, int value) {
  return ::cudaFuncSetAttribute((const void*)func, attr, value);
}
template <class T>
WANREN_API cudaFuncGetName(const char** name, T* func) {
  return ::cudaFuncGetName(name, (const void*)func);
}
template <class T>
WANREN_API cudaGetKernel(cudaKernel_t* kernelPtr, T* func) {
  return ::cudaGetKernel(kernelPtr, (const void*)func);
}
template <class T>
WANREN_API cudaLaunchKernel(T* func, dim3 gridDim, dim3 blockDim, void** args, size_t sharedMem = 0,
                            cudaStream_t stream = 0) {
  return ::cudaLaunchKernel((const void*)func, gridDim, blockDim, args, sharedMem, stream);
}
template <class T>
WANREN_API cudaLaunchCooperativeKernel(T* func, dim3 gridDim, dim3 blockDim, void** args,
                                       size_t sharedMem = 0, cudaStream_t stream = 0) {
  return ::cudaLaunchCooperativeKernel((const void*)func, gridDim, blockDim, args, sharedMem, stream);
}
#if __cplusplus >= 201103L
template <class T>
struct wanren_identity {
  typedef T type;
};
// Arguments convert to the kernel's own parameter types.
template <typename... Params, typename... Args>
WANREN_API cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Params...), Args&&... args) {
  static_assert(sizeof...(Params) == sizeof...(Args),
                "cudaLaunchKernelEx needs one argument per kernel parameter");
  return [&](Params... values) {
    void* pointers[] = {(void*)&values..., nullptr};
    return ::cudaLaunchKernelExC(config, (const void*)kernel, pointers);
  }(static_cast<Args&&>(args)...);
}
#endif
template <class T>
WANREN_API cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* numBlocks, T func, int blockSize,
                                                         size_t dynamicSMemSize) {
  return ::cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(numBlocks, (const void*)func, blockSize,
                                                                  dynamicSMemSize, cudaOccupancyDefault);
}
template <class T>
WANREN_API cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* numBlocks, T func, int blockSize,
                                                                  size_t dynamicSMemSize,
                                                                  unsigned int flags) {
  return ::cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(numBlocks, (const void*)func, blockSize,
                                                                  dynamicSMemSize, flags);
}
template <class T>
WANREN_API cudaOccupancyAvailableDynamicSMemPerBlock(size_t* dynamicSmemSize, T* func, int numBlocks,
                                                     int blockSize) {
  return ::cudaOccupancyAvailableDynamicSMemPerBlock(dynamicSmemSize, (const void*)func, numBlocks,
                                                     blockSize);
}
template <class T>
WANREN_API cudaOccupancyMaxActiveClusters(int* numClusters, T* func, const cudaLaunchConfig_t* config) {
  return ::cudaOccupancyMaxActiveClusters(numClusters, (const void*)func, config);
}
template <class T>
WANREN_API cudaOccupancyMaxPotentialClusterSize(int* clusterSize, T* func, const cudaLaunchConfig_t* config) {
  return ::cudaOccupancyMaxPotentialClusterSize(clusterSize, (const void*)func, config);
}

// The block size with the most resident threads; of equals, the largest.
template <typename Size, class T>
WANREN_API cudaOccupancyMaxPotentialBlockSizeVariableSMemWithFlags(int* minGridSize, int* blockSize, T func,
                                                                   Size blockSizeToDynamicSMemSize,
                                                                   int blockSizeLimit = 0,
                                                                   unsigned int flags = 0) {
  if (!minGridSize || !blockSize || !func) return cudaErrorInvalidValue;
  int device = 0, threads_per_sm = 0, max_block = 0, sms = 0, warp = 0;
  cudaFuncAttributes attr;
  cudaError_t e;
  if ((e = ::cudaGetDevice(&device)) != cudaSuccess) return e;
  if ((e = ::cudaDeviceGetAttribute(&threads_per_sm, cudaDevAttrMaxThreadsPerMultiProcessor, device)) !=
      cudaSuccess)
    return e;
  if ((e = ::cudaDeviceGetAttribute(&max_block, cudaDevAttrMaxThreadsPerBlock, device)) != cudaSuccess)
    return e;
  if ((e = ::cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device)) != cudaSuccess) return e;
  if ((e = ::cudaDeviceGetAttribute(&warp, cudaDevAttrWarpSize, device)) != cudaSuccess) return e;
  if ((e = ::cudaFuncGetAttributes(&attr, (const void*)func)) != cudaSuccess) return e;
  int limit = max_block < attr.maxThreadsPerBlock ? max_block : attr.maxThreadsPerBlock;
  if (blockSizeLimit > 0 && blockSizeLimit < limit) limit = blockSizeLimit;
  int best_threads = 0, best_block = 0, best_blocks = 0;
  for (int aligned = (limit + warp - 1) / warp * warp; aligned > 0; aligned -= warp) {
    const int block = aligned < limit ? aligned : limit;
    int blocks = 0;
    e = ::cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(&blocks, (const void*)func, block,
                                                                 blockSizeToDynamicSMemSize(block), flags);
    if (e != cudaSuccess) return e;
    if (block * blocks > best_threads)
      best_threads = block * blocks, best_block = block, best_blocks = blocks;
    if (best_threads == threads_per_sm) break;
  }
  *minGridSize = best_blocks * sms;
  *blockSize = best_block;
  return cudaSuccess;
}
struct wanren_constant_smem {
  size_t bytes;
  size_t operator()(int) const { return bytes; }
};
template <typename Size, class T>
WANREN_API cudaOccupancyMaxPotentialBlockSizeVariableSMem(int* minGridSize, int* blockSize, T func,
                                                          Size blockSizeToDynamicSMemSize,
                                                          int blockSizeLimit = 0) {
  return cudaOccupancyMaxPotentialBlockSizeVariableSMemWithFlags(
      minGridSize, blockSize, func, blockSizeToDynamicSMemSize, blockSizeLimit, 0u);
}
template <class T>
WANREN_API cudaOccupancyMaxPotentialBlockSize(int* minGridSize, int* blockSize, T func,
                                              size_t dynamicSMemSize = 0, int blockSizeLimit = 0) {
  wanren_constant_smem size = {dynamicSMemSize};
  return cudaOccupancyMaxPotentialBlockSizeVariableSMemWithFlags(minGridSize, blockSize, func, size,
                                                                 blockSizeLimit, 0u);
}
template <class T>
WANREN_API cudaOccupancyMaxPotentialBlockSizeWithFlags(int* minGridSize, int* blockSize, T func,
                                                       size_t dynamicSMemSize = 0, int blockSizeLimit = 0,
                                                       unsigned int flags = 0) {
  wanren_constant_smem size = {dynamicSMemSize};
  return cudaOccupancyMaxPotentialBlockSizeVariableSMemWithFlags(minGridSize, blockSize, func, size,
                                                                 blockSizeLimit, flags);
}

// Nodes that copy to and from variables.
template <class T>
WANREN_API cudaGraphAddMemcpyNodeToSymbol(cudaGraphNode_t* node, cudaGraph_t graph,
                                          const cudaGraphNode_t* after, size_t afterCount, const T& symbol,
                                          const void* src, size_t count, size_t offset, cudaMemcpyKind kind) {
  return cudaGraphAddMemcpyNodeToSymbol(node, graph, after, afterCount, (const void*)&symbol, src, count,
                                        offset, kind);
}
template <class T>
WANREN_API cudaGraphAddMemcpyNodeFromSymbol(cudaGraphNode_t* node, cudaGraph_t graph,
                                            const cudaGraphNode_t* after, size_t afterCount, void* dst,
                                            const T& symbol, size_t count, size_t offset,
                                            cudaMemcpyKind kind) {
  return cudaGraphAddMemcpyNodeFromSymbol(node, graph, after, afterCount, dst, (const void*)&symbol, count,
                                          offset, kind);
}
template <class T>
WANREN_API cudaGraphMemcpyNodeSetParamsToSymbol(cudaGraphNode_t node, const T& symbol, const void* src,
                                                size_t count, size_t offset, cudaMemcpyKind kind) {
  return cudaGraphMemcpyNodeSetParamsToSymbol(node, (const void*)&symbol, src, count, offset, kind);
}
template <class T>
WANREN_API cudaGraphMemcpyNodeSetParamsFromSymbol(cudaGraphNode_t node, void* dst, const T& symbol,
                                                  size_t count, size_t offset, cudaMemcpyKind kind) {
  return cudaGraphMemcpyNodeSetParamsFromSymbol(node, dst, (const void*)&symbol, count, offset, kind);
}
template <class T>
WANREN_API cudaGraphExecMemcpyNodeSetParamsToSymbol(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                    const T& symbol, const void* src, size_t count,
                                                    size_t offset, cudaMemcpyKind kind) {
  return cudaGraphExecMemcpyNodeSetParamsToSymbol(exec, node, (const void*)&symbol, src, count, offset, kind);
}
template <class T>
WANREN_API cudaGraphExecMemcpyNodeSetParamsFromSymbol(cudaGraphExec_t exec, cudaGraphNode_t node, void* dst,
                                                      const T& symbol, size_t count, size_t offset,
                                                      cudaMemcpyKind kind) {
  return cudaGraphExecMemcpyNodeSetParamsFromSymbol(exec, node, dst, (const void*)&symbol, count, offset,
                                                    kind);
}

#undef WANREN_API
#endif
