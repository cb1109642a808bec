#pragma once
// Private to src/cuda: cudaDeviceProp as CUDA 13 lays it out, field by field from the driver's chip.

#include <cstddef>

#include "cuda_runtime_api.h"

namespace wanren::cuda {

/// Bytes of CUDA 11's cudaDeviceProp, whose fields are the first of CUDA 12's.
inline constexpr std::size_t device_properties_11_bytes = offsetof(cudaDeviceProp, hostRegisterSupported);

/// WR_PROPERTY(type, name, array): CUDA 13's fields in order, names as in CUDA 12.
#define WR_PROPERTIES_13(WR_PROPERTY)                          \
  WR_PROPERTY(char, name, [256])                               \
  WR_PROPERTY(cudaUUID_t, uuid, )                              \
  WR_PROPERTY(char, luid, [8])                                 \
  WR_PROPERTY(unsigned int, luidDeviceNodeMask, )              \
  WR_PROPERTY(size_t, totalGlobalMem, )                        \
  WR_PROPERTY(size_t, sharedMemPerBlock, )                     \
  WR_PROPERTY(int, regsPerBlock, )                             \
  WR_PROPERTY(int, warpSize, )                                 \
  WR_PROPERTY(size_t, memPitch, )                              \
  WR_PROPERTY(int, maxThreadsPerBlock, )                       \
  WR_PROPERTY(int, maxThreadsDim, [3])                         \
  WR_PROPERTY(int, maxGridSize, [3])                           \
  WR_PROPERTY(size_t, totalConstMem, )                         \
  WR_PROPERTY(int, major, )                                    \
  WR_PROPERTY(int, minor, )                                    \
  WR_PROPERTY(size_t, textureAlignment, )                      \
  WR_PROPERTY(size_t, texturePitchAlignment, )                 \
  WR_PROPERTY(int, multiProcessorCount, )                      \
  WR_PROPERTY(int, integrated, )                               \
  WR_PROPERTY(int, canMapHostMemory, )                         \
  WR_PROPERTY(int, maxTexture1D, )                             \
  WR_PROPERTY(int, maxTexture1DMipmap, )                       \
  WR_PROPERTY(int, maxTexture2D, [2])                          \
  WR_PROPERTY(int, maxTexture2DMipmap, [2])                    \
  WR_PROPERTY(int, maxTexture2DLinear, [3])                    \
  WR_PROPERTY(int, maxTexture2DGather, [2])                    \
  WR_PROPERTY(int, maxTexture3D, [3])                          \
  WR_PROPERTY(int, maxTexture3DAlt, [3])                       \
  WR_PROPERTY(int, maxTextureCubemap, )                        \
  WR_PROPERTY(int, maxTexture1DLayered, [2])                   \
  WR_PROPERTY(int, maxTexture2DLayered, [3])                   \
  WR_PROPERTY(int, maxTextureCubemapLayered, [2])              \
  WR_PROPERTY(int, maxSurface1D, )                             \
  WR_PROPERTY(int, maxSurface2D, [2])                          \
  WR_PROPERTY(int, maxSurface3D, [3])                          \
  WR_PROPERTY(int, maxSurface1DLayered, [2])                   \
  WR_PROPERTY(int, maxSurface2DLayered, [3])                   \
  WR_PROPERTY(int, maxSurfaceCubemap, )                        \
  WR_PROPERTY(int, maxSurfaceCubemapLayered, [2])              \
  WR_PROPERTY(size_t, surfaceAlignment, )                      \
  WR_PROPERTY(int, concurrentKernels, )                        \
  WR_PROPERTY(int, ECCEnabled, )                               \
  WR_PROPERTY(int, pciBusID, )                                 \
  WR_PROPERTY(int, pciDeviceID, )                              \
  WR_PROPERTY(int, pciDomainID, )                              \
  WR_PROPERTY(int, tccDriver, )                                \
  WR_PROPERTY(int, asyncEngineCount, )                         \
  WR_PROPERTY(int, unifiedAddressing, )                        \
  WR_PROPERTY(int, memoryBusWidth, )                           \
  WR_PROPERTY(int, l2CacheSize, )                              \
  WR_PROPERTY(int, persistingL2CacheMaxSize, )                 \
  WR_PROPERTY(int, maxThreadsPerMultiProcessor, )              \
  WR_PROPERTY(int, streamPrioritiesSupported, )                \
  WR_PROPERTY(int, globalL1CacheSupported, )                   \
  WR_PROPERTY(int, localL1CacheSupported, )                    \
  WR_PROPERTY(size_t, sharedMemPerMultiprocessor, )            \
  WR_PROPERTY(int, regsPerMultiprocessor, )                    \
  WR_PROPERTY(int, managedMemory, )                            \
  WR_PROPERTY(int, isMultiGpuBoard, )                          \
  WR_PROPERTY(int, multiGpuBoardGroupID, )                     \
  WR_PROPERTY(int, hostNativeAtomicSupported, )                \
  WR_PROPERTY(int, pageableMemoryAccess, )                     \
  WR_PROPERTY(int, concurrentManagedAccess, )                  \
  WR_PROPERTY(int, computePreemptionSupported, )               \
  WR_PROPERTY(int, canUseHostPointerForRegisteredMem, )        \
  WR_PROPERTY(int, cooperativeLaunch, )                        \
  WR_PROPERTY(size_t, sharedMemPerBlockOptin, )                \
  WR_PROPERTY(int, pageableMemoryAccessUsesHostPageTables, )   \
  WR_PROPERTY(int, directManagedMemAccessFromHost, )           \
  WR_PROPERTY(int, maxBlocksPerMultiProcessor, )               \
  WR_PROPERTY(int, accessPolicyMaxWindowSize, )                \
  WR_PROPERTY(size_t, reservedSharedMemPerBlock, )             \
  WR_PROPERTY(int, hostRegisterSupported, )                    \
  WR_PROPERTY(int, sparseCudaArraySupported, )                 \
  WR_PROPERTY(int, hostRegisterReadOnlySupported, )            \
  WR_PROPERTY(int, timelineSemaphoreInteropSupported, )        \
  WR_PROPERTY(int, memoryPoolsSupported, )                     \
  WR_PROPERTY(int, gpuDirectRDMASupported, )                   \
  WR_PROPERTY(unsigned int, gpuDirectRDMAFlushWritesOptions, ) \
  WR_PROPERTY(int, gpuDirectRDMAWritesOrdering, )              \
  WR_PROPERTY(unsigned int, memoryPoolSupportedHandleTypes, )  \
  WR_PROPERTY(int, deferredMappingCudaArraySupported, )        \
  WR_PROPERTY(int, ipcEventSupported, )                        \
  WR_PROPERTY(int, clusterLaunch, )                            \
  WR_PROPERTY(int, unifiedFunctionPointers, )

struct DeviceProperties13 {
#define WR_PROPERTY(type, name, array) type name array;
  WR_PROPERTIES_13(WR_PROPERTY)
#undef WR_PROPERTY
  int other[63];  ///< Of NUMA, MPS and PCI, and reserved.
};

}  // namespace wanren::cuda
