// What both APIs say of a device: properties, attributes, limits.

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "cuda/runtime.h"
#include "engine/services.h"

namespace wanren::cuda {

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
  p.canUseHostPointerForRegisteredMem = 0;
  p.cooperativeLaunch = 1;
  p.clusterLaunch = chip.identity.compute_major >= 9;
  p.hostRegisterSupported = 1;
  p.memoryPoolsSupported = 1;
}

bool device_attribute(const driver::Device& device, int attribute, int& value) {
  cudaDeviceProp p;
  fill_properties(device, p);
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: value = p.maxThreadsPerBlock; break;
    // The driver API's, of values that streams write and wait for: there are such, of 64 bits, with "nor".
    case 92:
    case 93:
    case 94:
    case 122:
    case 123: value = 1; break;
    case cudaDevAttrMaxBlockDimX: value = p.maxThreadsDim[0]; break;
    case cudaDevAttrMaxBlockDimY: value = p.maxThreadsDim[1]; break;
    case cudaDevAttrMaxBlockDimZ: value = p.maxThreadsDim[2]; break;
    case cudaDevAttrMaxGridDimX: value = p.maxGridSize[0]; break;
    case cudaDevAttrMaxGridDimY: value = p.maxGridSize[1]; break;
    case cudaDevAttrMaxGridDimZ: value = p.maxGridSize[2]; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: value = static_cast<int>(p.sharedMemPerBlock); break;
    case cudaDevAttrTotalConstantMemory: value = static_cast<int>(p.totalConstMem); break;
    case cudaDevAttrWarpSize: value = p.warpSize; break;
    case cudaDevAttrMaxPitch: value = static_cast<int>(p.memPitch); break;
    case cudaDevAttrMaxRegistersPerBlock: value = p.regsPerBlock; break;
    case cudaDevAttrClockRate: value = p.clockRate; break;
    case cudaDevAttrTextureAlignment: value = static_cast<int>(p.textureAlignment); break;
    case cudaDevAttrMultiProcessorCount: value = p.multiProcessorCount; break;
    case cudaDevAttrMemoryClockRate: value = p.memoryClockRate; break;
    case cudaDevAttrGlobalMemoryBusWidth: value = p.memoryBusWidth; break;
    case cudaDevAttrL2CacheSize: value = p.l2CacheSize; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: value = p.maxThreadsPerMultiProcessor; break;
    case cudaDevAttrAsyncEngineCount: value = p.asyncEngineCount; break;
    case cudaDevAttrComputeCapabilityMajor: value = p.major; break;
    case cudaDevAttrComputeCapabilityMinor: value = p.minor; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      value = static_cast<int>(p.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxRegistersPerMultiprocessor: value = p.regsPerMultiprocessor; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: value = static_cast<int>(p.sharedMemPerBlockOptin); break;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      value = static_cast<int>(p.reservedSharedMemPerBlock);
      break;
    case cudaDevAttrMaxBlocksPerMultiprocessor: value = p.maxBlocksPerMultiProcessor; break;
    case cudaDevAttrSingleToDoublePrecisionPerfRatio: value = p.singleToDoublePrecisionPerfRatio; break;
    case cudaDevAttrPciBusId: value = p.pciBusID; break;
    case cudaDevAttrGpuOverlap:
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrEccEnabled:
    case cudaDevAttrStreamPrioritiesSupported:
    case cudaDevAttrGlobalL1CacheSupported:
    case cudaDevAttrLocalL1CacheSupported:
    case cudaDevAttrManagedMemory:
    case cudaDevAttrConcurrentManagedAccess:
    case cudaDevAttrComputePreemptionSupported:
    case cudaDevAttrCooperativeLaunch:
    case cudaDevAttrHostRegisterSupported:
    case cudaDevAttrMemoryPoolsSupported: value = 1; break;
    default:
      if (attribute < 1 || attribute >= cudaDevAttrMax) return false;
      value = 0;
  }
  return true;
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
