// What both APIs say of a device: properties, attributes, limits.

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "cuda/runtime.h"
#include "engine/services.h"

namespace wanren::cuda {
namespace {

template <class... T>
void set(int (&extents)[sizeof...(T)], T... values) {
  int i = 0;
  ((extents[i++] = values), ...);
}

/// CUDA's of compute capability 8.0 and later (programming guide, technical specifications).
void set_texture_limits(cudaDeviceProp& p) {
  p.maxTexture1D = 131072;
  p.maxTexture1DMipmap = 32768;
  p.maxTexture1DLinear = 1 << 28;
  set(p.maxTexture2D, 131072, 65536);
  set(p.maxTexture2DMipmap, 32768, 32768);
  set(p.maxTexture2DLinear, 131072, 65000, 2097120);
  set(p.maxTexture2DGather, 32768, 32768);
  set(p.maxTexture3D, 16384, 16384, 16384);
  set(p.maxTexture3DAlt, 8192, 8192, 32768);
  p.maxTextureCubemap = 32768;
  set(p.maxTexture1DLayered, 32768, 2048);
  set(p.maxTexture2DLayered, 32768, 32768, 2048);
  set(p.maxTextureCubemapLayered, 32768, 2046);
  p.maxSurface1D = 32768;
  set(p.maxSurface2D, 131072, 65536);
  set(p.maxSurface3D, 16384, 16384, 16384);
  set(p.maxSurface1DLayered, 32768, 2048);
  set(p.maxSurface2DLayered, 32768, 32768, 2048);
  p.maxSurfaceCubemap = 32768;
  set(p.maxSurfaceCubemapLayered, 32768, 2046);
}

}  // namespace

void fill_properties(const driver::Device& device, cudaDeviceProp& p) {
  const chip::Spec& chip = device.chip();
  std::memset(&p, 0, sizeof p);
  std::snprintf(p.name, sizeof p.name, "%s", chip.identity.title.c_str());
  for (std::size_t i = 0; i < sizeof p.uuid.bytes; ++i)
    p.uuid.bytes[i] = static_cast<char>(i < chip.name.size() ? chip.name[i] : 0);
  // Devices of one chip differ.
  p.uuid.bytes[sizeof p.uuid.bytes - 1] = static_cast<char>(device.index());
  p.totalGlobalMem = static_cast<size_t>(chip.hbm.bytes_per_die * chip.package.dies);
  p.sharedMemPerBlock = static_cast<size_t>(chip.unit.shared_static);
  p.sharedMemPerBlockOptin = static_cast<size_t>(chip.unit.shared_optin);
  p.sharedMemPerMultiprocessor = static_cast<size_t>(chip.unit.shared_bytes);
  p.reservedSharedMemPerBlock = static_cast<size_t>(chip.unit.shared_reserved);
  p.regsPerMultiprocessor =
      static_cast<int>(chip.subcore.register_bytes * chip.package.subcores_per_unit / 4);
  p.regsPerBlock = std::min(p.regsPerMultiprocessor, 65536);
  p.warpSize = warp_size;
  p.memPitch = 0x7fffffff;
  p.maxThreadsPerBlock = static_cast<int>(chip.unit.max_threads_per_cta);
  p.maxThreadsDim[0] = p.maxThreadsDim[1] = p.maxThreadsPerBlock;
  p.maxThreadsDim[2] = 64;
  set_texture_limits(p);
  p.maxGridSize[0] = 0x7fffffff;
  p.maxGridSize[1] = p.maxGridSize[2] = 65535;
  p.clockRate = static_cast<int>(chip.clock.core * 1000);
  p.totalConstMem = 65536;
  p.major = static_cast<int>(chip.identity.compute_major);
  p.minor = static_cast<int>(chip.identity.compute_minor);
  p.textureAlignment = 512;
  p.texturePitchAlignment = 32;
  p.deviceOverlap = 1;
  p.multiProcessorCount = chip.units();
  p.canMapHostMemory = 1;
  p.surfaceAlignment = 512;
  p.concurrentKernels = 1;
  p.ECCEnabled = 1;
  p.pciBusID = device.index() + 1;
  p.asyncEngineCount = 2;
  p.unifiedAddressing = 1;
  // Double data rate on the pins: bandwidth = 2 × clock × width.
  p.memoryBusWidth = static_cast<int>(chip.hbm.channels_per_die * chip.package.dies * 64);
  p.memoryClockRate = static_cast<int>(chip.hbm.bandwidth_per_die * static_cast<double>(chip.package.dies) *
                                       1e6 / (2.0 * p.memoryBusWidth / 8));
  p.l2CacheSize = static_cast<int>(chip.l2.bytes_per_die * chip.package.dies);
  p.maxThreadsPerMultiProcessor = static_cast<int>(chip.unit.max_threads);
  p.maxBlocksPerMultiProcessor = static_cast<int>(chip.unit.max_ctas);
  p.streamPrioritiesSupported = 1;
  p.globalL1CacheSupported = p.localL1CacheSupported = 1;
  p.managedMemory = p.concurrentManagedAccess = 1;
  p.singleToDoublePrecisionPerfRatio =
      chip.subcore.fp64_lanes > 0 ? static_cast<int>(chip.subcore.fp32_lanes / chip.subcore.fp64_lanes)
                                  : static_cast<int>(chip.sequence.fp64_fma);
  p.computePreemptionSupported = 1;
  p.cooperativeLaunch = 1;
  p.clusterLaunch = chip.identity.compute_major >= 9;
  p.hostRegisterSupported = 1;
  p.memoryPoolsSupported = 1;
}

driver::Status get_limit(driver::Device& device, int limit, size_t& value) {
  switch (limit) {
    case cudaLimitStackSize: value = device.arena().runtime().stack_bytes(); break;
    case cudaLimitPrintfFifoSize: value = device.arena().runtime().printf_bytes(); break;
    case cudaLimitMallocHeapSize: value = device.arena().runtime().heap_bytes(); break;
    case cudaLimitMaxL2FetchGranularity: value = 64; break;
    case cudaLimitPersistingL2CacheSize: value = 0; break;
    default: return driver::Status::cudaErrorUnsupportedLimit;
  }
  return driver::Status::cudaSuccess;
}

driver::Status set_limit(driver::Device& device, int limit, size_t value) {
  switch (limit) {
    case cudaLimitStackSize:  // Of recursive kernels; others have what they need.
      if (value > 512 << 10) return driver::Status::cudaErrorInvalidValue;
      device.arena().runtime().set_stack_bytes(static_cast<std::uint32_t>(value));
      break;
    case cudaLimitPrintfFifoSize: device.arena().runtime().set_printf_bytes(value); break;
    case cudaLimitMallocHeapSize:
      if (!device.arena().runtime().set_heap_bytes(value)) return driver::Status::cudaErrorInvalidValue;
      break;
    case cudaLimitMaxL2FetchGranularity:
    case cudaLimitPersistingL2CacheSize: break;
    default: return driver::Status::cudaErrorUnsupportedLimit;
  }
  return driver::Status::cudaSuccess;
}

std::string pci_bus_id(const driver::Device& device) {
  char text[16];
  std::snprintf(text, sizeof text, "0000:%02x:00.0", device.index() + 1);
  return text;
}

}  // namespace wanren::cuda
