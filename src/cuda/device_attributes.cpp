// What both APIs answer of a device by number. Most are properties; the rest is what Wanren has and has not.

#include <algorithm>
#include <iterator>

#include "cuda.h"
#include "cuda/runtime.h"

namespace wanren::cuda {
namespace {

struct Row {
  int attribute;
  int (*value)(const cudaDeviceProp& p);
};

#define WR_PROPERTY(attribute, field) \
  {cudaDevAttr##attribute, [](const cudaDeviceProp& p) { return static_cast<int>(p.field); }}
#define WR_VALUE(attribute, number) \
  {CU_DEVICE_ATTRIBUTE_##attribute, [](const cudaDeviceProp&) { return number; }}

constexpr Row rows[] = {
    WR_PROPERTY(MaxThreadsPerBlock, maxThreadsPerBlock),
    WR_PROPERTY(MaxBlockDimX, maxThreadsDim[0]),
    WR_PROPERTY(MaxBlockDimY, maxThreadsDim[1]),
    WR_PROPERTY(MaxBlockDimZ, maxThreadsDim[2]),
    WR_PROPERTY(MaxGridDimX, maxGridSize[0]),
    WR_PROPERTY(MaxGridDimY, maxGridSize[1]),
    WR_PROPERTY(MaxGridDimZ, maxGridSize[2]),
    WR_PROPERTY(MaxSharedMemoryPerBlock, sharedMemPerBlock),
    WR_PROPERTY(TotalConstantMemory, totalConstMem),
    WR_PROPERTY(WarpSize, warpSize),
    WR_PROPERTY(MaxPitch, memPitch),
    WR_PROPERTY(MaxRegistersPerBlock, regsPerBlock),
    WR_PROPERTY(ClockRate, clockRate),
    WR_PROPERTY(TextureAlignment, textureAlignment),
    WR_PROPERTY(GpuOverlap, deviceOverlap),
    WR_PROPERTY(MultiProcessorCount, multiProcessorCount),
    WR_PROPERTY(KernelExecTimeout, kernelExecTimeoutEnabled),
    WR_PROPERTY(Integrated, integrated),
    WR_PROPERTY(CanMapHostMemory, canMapHostMemory),
    WR_PROPERTY(ComputeMode, computeMode),
    WR_PROPERTY(MaxTexture1DWidth, maxTexture1D),
    WR_PROPERTY(MaxTexture2DWidth, maxTexture2D[0]),
    WR_PROPERTY(MaxTexture2DHeight, maxTexture2D[1]),
    WR_PROPERTY(MaxTexture3DWidth, maxTexture3D[0]),
    WR_PROPERTY(MaxTexture3DHeight, maxTexture3D[1]),
    WR_PROPERTY(MaxTexture3DDepth, maxTexture3D[2]),
    WR_PROPERTY(MaxTexture2DLayeredWidth, maxTexture2DLayered[0]),
    WR_PROPERTY(MaxTexture2DLayeredHeight, maxTexture2DLayered[1]),
    WR_PROPERTY(MaxTexture2DLayeredLayers, maxTexture2DLayered[2]),
    WR_PROPERTY(SurfaceAlignment, surfaceAlignment),
    WR_PROPERTY(ConcurrentKernels, concurrentKernels),
    WR_PROPERTY(EccEnabled, ECCEnabled),
    WR_PROPERTY(PciBusId, pciBusID),
    WR_PROPERTY(PciDeviceId, pciDeviceID),
    WR_PROPERTY(TccDriver, tccDriver),
    WR_PROPERTY(MemoryClockRate, memoryClockRate),
    WR_PROPERTY(GlobalMemoryBusWidth, memoryBusWidth),
    WR_PROPERTY(L2CacheSize, l2CacheSize),
    WR_PROPERTY(MaxThreadsPerMultiProcessor, maxThreadsPerMultiProcessor),
    WR_PROPERTY(AsyncEngineCount, asyncEngineCount),
    WR_PROPERTY(UnifiedAddressing, unifiedAddressing),
    WR_PROPERTY(MaxTexture1DLayeredWidth, maxTexture1DLayered[0]),
    WR_PROPERTY(MaxTexture1DLayeredLayers, maxTexture1DLayered[1]),
    WR_VALUE(CAN_TEX2D_GATHER, 1),
    WR_PROPERTY(MaxTexture2DGatherWidth, maxTexture2DGather[0]),
    WR_PROPERTY(MaxTexture2DGatherHeight, maxTexture2DGather[1]),
    WR_PROPERTY(MaxTexture3DWidthAlt, maxTexture3DAlt[0]),
    WR_PROPERTY(MaxTexture3DHeightAlt, maxTexture3DAlt[1]),
    WR_PROPERTY(MaxTexture3DDepthAlt, maxTexture3DAlt[2]),
    WR_PROPERTY(PciDomainId, pciDomainID),
    WR_PROPERTY(TexturePitchAlignment, texturePitchAlignment),
    WR_PROPERTY(MaxTextureCubemapWidth, maxTextureCubemap),
    WR_PROPERTY(MaxTextureCubemapLayeredWidth, maxTextureCubemapLayered[0]),
    WR_PROPERTY(MaxTextureCubemapLayeredLayers, maxTextureCubemapLayered[1]),
    WR_PROPERTY(MaxSurface1DWidth, maxSurface1D),
    WR_PROPERTY(MaxSurface2DWidth, maxSurface2D[0]),
    WR_PROPERTY(MaxSurface2DHeight, maxSurface2D[1]),
    WR_PROPERTY(MaxSurface3DWidth, maxSurface3D[0]),
    WR_PROPERTY(MaxSurface3DHeight, maxSurface3D[1]),
    WR_PROPERTY(MaxSurface3DDepth, maxSurface3D[2]),
    WR_PROPERTY(MaxSurface1DLayeredWidth, maxSurface1DLayered[0]),
    WR_PROPERTY(MaxSurface1DLayeredLayers, maxSurface1DLayered[1]),
    WR_PROPERTY(MaxSurface2DLayeredWidth, maxSurface2DLayered[0]),
    WR_PROPERTY(MaxSurface2DLayeredHeight, maxSurface2DLayered[1]),
    WR_PROPERTY(MaxSurface2DLayeredLayers, maxSurface2DLayered[2]),
    WR_PROPERTY(MaxSurfaceCubemapWidth, maxSurfaceCubemap),
    WR_PROPERTY(MaxSurfaceCubemapLayeredWidth, maxSurfaceCubemapLayered[0]),
    WR_PROPERTY(MaxSurfaceCubemapLayeredLayers, maxSurfaceCubemapLayered[1]),
    WR_PROPERTY(MaxTexture1DLinearWidth, maxTexture1DLinear),
    WR_PROPERTY(MaxTexture2DLinearWidth, maxTexture2DLinear[0]),
    WR_PROPERTY(MaxTexture2DLinearHeight, maxTexture2DLinear[1]),
    WR_PROPERTY(MaxTexture2DLinearPitch, maxTexture2DLinear[2]),
    WR_PROPERTY(MaxTexture2DMipmappedWidth, maxTexture2DMipmap[0]),
    WR_PROPERTY(MaxTexture2DMipmappedHeight, maxTexture2DMipmap[1]),
    WR_PROPERTY(ComputeCapabilityMajor, major),
    WR_PROPERTY(ComputeCapabilityMinor, minor),
    WR_PROPERTY(MaxTexture1DMipmappedWidth, maxTexture1DMipmap),
    WR_PROPERTY(StreamPrioritiesSupported, streamPrioritiesSupported),
    WR_PROPERTY(GlobalL1CacheSupported, globalL1CacheSupported),
    WR_PROPERTY(LocalL1CacheSupported, localL1CacheSupported),
    WR_PROPERTY(MaxSharedMemoryPerMultiprocessor, sharedMemPerMultiprocessor),
    WR_PROPERTY(MaxRegistersPerMultiprocessor, regsPerMultiprocessor),
    WR_PROPERTY(ManagedMemory, managedMemory),
    WR_PROPERTY(IsMultiGpuBoard, isMultiGpuBoard),
    WR_PROPERTY(MultiGpuBoardGroupID, multiGpuBoardGroupID),
    WR_PROPERTY(HostNativeAtomicSupported, hostNativeAtomicSupported),
    WR_PROPERTY(SingleToDoublePrecisionPerfRatio, singleToDoublePrecisionPerfRatio),
    WR_PROPERTY(PageableMemoryAccess, pageableMemoryAccess),
    WR_PROPERTY(ConcurrentManagedAccess, concurrentManagedAccess),
    WR_PROPERTY(ComputePreemptionSupported, computePreemptionSupported),
    WR_PROPERTY(CanUseHostPointerForRegisteredMem, canUseHostPointerForRegisteredMem),
    // Values in memory that streams write and wait for: there are such, of 64 bits, with "nor".
    WR_VALUE(CAN_USE_STREAM_MEM_OPS_V1, 1),
    WR_VALUE(CAN_USE_64_BIT_STREAM_MEM_OPS_V1, 1),
    WR_VALUE(CAN_USE_STREAM_WAIT_VALUE_NOR_V1, 1),
    WR_PROPERTY(CooperativeLaunch, cooperativeLaunch),
    WR_PROPERTY(CooperativeMultiDeviceLaunch, cooperativeMultiDeviceLaunch),
    WR_PROPERTY(MaxSharedMemoryPerBlockOptin, sharedMemPerBlockOptin),
    WR_PROPERTY(HostRegisterSupported, hostRegisterSupported),
    WR_PROPERTY(PageableMemoryAccessUsesHostPageTables, pageableMemoryAccessUsesHostPageTables),
    WR_PROPERTY(DirectManagedMemAccessFromHost, directManagedMemAccessFromHost),
    WR_VALUE(VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, 1),
    WR_VALUE(HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED, 1),
    WR_PROPERTY(MaxBlocksPerMultiprocessor, maxBlocksPerMultiProcessor),
    WR_PROPERTY(MaxPersistingL2CacheSize, persistingL2CacheMaxSize),
    WR_PROPERTY(MaxAccessPolicyWindowSize, accessPolicyMaxWindowSize),
    WR_PROPERTY(ReservedSharedMemoryPerBlock, reservedSharedMemPerBlock),
    WR_PROPERTY(SparseCudaArraySupported, sparseCudaArraySupported),
    WR_PROPERTY(HostRegisterReadOnlySupported, hostRegisterReadOnlySupported),
    WR_PROPERTY(TimelineSemaphoreInteropSupported, timelineSemaphoreInteropSupported),
    WR_PROPERTY(MemoryPoolsSupported, memoryPoolsSupported),
    WR_PROPERTY(GPUDirectRDMASupported, gpuDirectRDMASupported),
    WR_PROPERTY(GPUDirectRDMAFlushWritesOptions, gpuDirectRDMAFlushWritesOptions),
    WR_PROPERTY(GPUDirectRDMAWritesOrdering, gpuDirectRDMAWritesOrdering),
    WR_PROPERTY(MemoryPoolSupportedHandleTypes, memoryPoolSupportedHandleTypes),
    WR_PROPERTY(ClusterLaunch, clusterLaunch),
    WR_PROPERTY(DeferredMappingCudaArraySupported, deferredMappingCudaArraySupported),
    WR_VALUE(CAN_USE_64_BIT_STREAM_MEM_OPS, 1),
    WR_VALUE(CAN_USE_STREAM_WAIT_VALUE_NOR, 1),
    WR_PROPERTY(IpcEventSupport, ipcEventSupported),
    WR_VALUE(MEM_SYNC_DOMAIN_COUNT, 1),
    {CU_DEVICE_ATTRIBUTE_TENSOR_MAP_ACCESS_SUPPORTED,
     [](const cudaDeviceProp& p) { return p.clusterLaunch; }},
    WR_VALUE(NUMA_ID, -1),
    WR_VALUE(HOST_NUMA_ID, -1),
};
#undef WR_PROPERTY
#undef WR_VALUE

}  // namespace

bool device_attribute(const driver::Device& device, int attribute, int& value) {
  if (attribute < 1 || attribute >= CU_DEVICE_ATTRIBUTE_MAX) return false;
  const auto* const row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& candidate) {
    return candidate.attribute == attribute;
  });
  cudaDeviceProp p;
  fill_properties(device, p);
  // What is not listed is a capability that there is not.
  value = row != std::end(rows) ? row->value(p) : 0;
  return true;
}

}  // namespace wanren::cuda
