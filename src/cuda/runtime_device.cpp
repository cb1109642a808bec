// Device management, versions and errors.

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "cuda/runtime.h"
#include "engine/services.h"

namespace wanren::cuda {
namespace {

thread_local cudaError_t thread_last_error = cudaSuccess;

}  // namespace

cudaError_t note(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) thread_last_error = error;
  return error;
}

void remember_error(int error) {
  (void)note(static_cast<cudaError_t>(error));
}

cudaError_t last_error(bool clear) {
  cudaError_t error = thread_last_error;
  if (clear) thread_last_error = cudaSuccess;
  // A fault in device code sticks to the context: it is reported again and again.
  if (error == cudaSuccess && driver::Device::made() != nullptr)
    error = static_cast<cudaError_t>(driver::Device::made()->sticky());
  return error;
}

driver::Device* device(cudaError_t& error) {
  driver::Status why = driver::Status::cudaSuccess;
  driver::Device* found = driver::Device::get(&why);
  error = static_cast<cudaError_t>(why);
  return found;
}

void fill_properties(const chip::Spec& chip, cudaDeviceProp& p) {
  std::memset(&p, 0, sizeof p);
  std::snprintf(p.name, sizeof p.name, "%s", chip.identity.title.c_str());
  for (std::size_t i = 0; i < sizeof p.uuid.bytes; ++i)
    p.uuid.bytes[i] = static_cast<char>(i < chip.name.size() ? chip.name[i] : 0);
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
  p.pciBusID = 1;
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
                                  : static_cast<int>(chip.subcore.fp64_emulation_instructions);
  p.computePreemptionSupported = 1;
  p.canUseHostPointerForRegisteredMem = 0;
  p.cooperativeLaunch = 1;
  p.hostRegisterSupported = 1;
  p.memoryPoolsSupported = 1;
}

}  // namespace wanren::cuda

using namespace wanren;
using namespace wanren::cuda;

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  if (count == nullptr) return note(cudaErrorInvalidValue);
  *count = 0;
  WR_DEVICE(device);
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* prop, int index) {
  if (prop == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  if (index != 0) return note(cudaErrorInvalidDevice);
  fill_properties(device->chip(), *prop);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int index) {
  if (value == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  if (index != 0) return note(cudaErrorInvalidDevice);
  cudaDeviceProp p;
  fill_properties(device->chip(), p);
  switch (static_cast<int>(attribute)) {
    case cudaDevAttrMaxThreadsPerBlock: *value = p.maxThreadsPerBlock; break;
    case cudaDevAttrMaxBlockDimX: *value = p.maxThreadsDim[0]; break;
    case cudaDevAttrMaxBlockDimY: *value = p.maxThreadsDim[1]; break;
    case cudaDevAttrMaxBlockDimZ: *value = p.maxThreadsDim[2]; break;
    case cudaDevAttrMaxGridDimX: *value = p.maxGridSize[0]; break;
    case cudaDevAttrMaxGridDimY: *value = p.maxGridSize[1]; break;
    case cudaDevAttrMaxGridDimZ: *value = p.maxGridSize[2]; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = static_cast<int>(p.sharedMemPerBlock); break;
    case cudaDevAttrTotalConstantMemory: *value = static_cast<int>(p.totalConstMem); break;
    case cudaDevAttrWarpSize: *value = p.warpSize; break;
    case cudaDevAttrMaxPitch: *value = static_cast<int>(p.memPitch); break;
    case cudaDevAttrMaxRegistersPerBlock: *value = p.regsPerBlock; break;
    case cudaDevAttrClockRate: *value = p.clockRate; break;
    case cudaDevAttrTextureAlignment: *value = static_cast<int>(p.textureAlignment); break;
    case cudaDevAttrMultiProcessorCount: *value = p.multiProcessorCount; break;
    case cudaDevAttrMemoryClockRate: *value = p.memoryClockRate; break;
    case cudaDevAttrGlobalMemoryBusWidth: *value = p.memoryBusWidth; break;
    case cudaDevAttrL2CacheSize: *value = p.l2CacheSize; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = p.maxThreadsPerMultiProcessor; break;
    case cudaDevAttrAsyncEngineCount: *value = p.asyncEngineCount; break;
    case cudaDevAttrComputeCapabilityMajor: *value = p.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = p.minor; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(p.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxRegistersPerMultiprocessor: *value = p.regsPerMultiprocessor; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = static_cast<int>(p.sharedMemPerBlockOptin); break;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      *value = static_cast<int>(p.reservedSharedMemPerBlock);
      break;
    case cudaDevAttrMaxBlocksPerMultiprocessor: *value = p.maxBlocksPerMultiProcessor; break;
    case cudaDevAttrSingleToDoublePrecisionPerfRatio: *value = p.singleToDoublePrecisionPerfRatio; break;
    case cudaDevAttrPciBusId: *value = p.pciBusID; break;
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
    case cudaDevAttrMemoryPoolsSupported: *value = 1; break;
    default:
      if (static_cast<int>(attribute) < 1 || static_cast<int>(attribute) >= cudaDevAttrMax)
        return note(cudaErrorInvalidValue);
      *value = 0;
  }
  return cudaSuccess;
}

cudaError_t cudaChooseDevice(int* index, const cudaDeviceProp*) {
  if (index == nullptr) return note(cudaErrorInvalidValue);
  *index = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
  WR_DEVICE(device);
  return index == 0 ? cudaSuccess : note(cudaErrorInvalidDevice);
}

cudaError_t cudaInitDevice(int index, unsigned int, unsigned int) {
  return cudaSetDevice(index);
}

cudaError_t cudaGetDevice(int* index) {
  if (index == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  *index = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDeviceFlags(unsigned int) {
  return cudaSuccess;
}

cudaError_t cudaGetDeviceFlags(unsigned int* flags) {
  if (flags == nullptr) return note(cudaErrorInvalidValue);
  *flags = 0;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void) {
  WR_DEVICE(device);
  const driver::Status status = device->synchronize_device();
  device->print_device_output();
  return note(status);
}

cudaError_t cudaThreadSynchronize(void) {
  return cudaDeviceSynchronize();
}

cudaError_t cudaDeviceReset(void) {
  WR_DEVICE(device);
  const driver::Status status = device->synchronize_device();
  device->print_device_output();
  // The context's allocations go with the process; a program that resets only to flush profiles goes on.
  return note(status);
}

cudaError_t cudaThreadExit(void) {
  return cudaDeviceReset();
}

cudaError_t cudaDeviceGetLimit(size_t* value, cudaLimit limit) {
  if (value == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  switch (limit) {
    case cudaLimitStackSize: *value = 1024; return cudaSuccess;
    case cudaLimitPrintfFifoSize: *value = device->arena().runtime().printf_bytes(); return cudaSuccess;
    case cudaLimitMallocHeapSize: *value = device->arena().runtime().heap_bytes(); return cudaSuccess;
    case cudaLimitMaxL2FetchGranularity: *value = 64; return cudaSuccess;
    case cudaLimitPersistingL2CacheSize: *value = 0; return cudaSuccess;
    default: return note(cudaErrorUnsupportedLimit);
  }
}

cudaError_t cudaDeviceSetLimit(cudaLimit limit, size_t value) {
  WR_DEVICE(device);
  switch (limit) {
    case cudaLimitStackSize: return cudaSuccess;  // Frames are sized per kernel.
    case cudaLimitPrintfFifoSize: device->arena().runtime().set_printf_bytes(value); return cudaSuccess;
    case cudaLimitMallocHeapSize:
      return device->arena().runtime().set_heap_bytes(value) ? cudaSuccess : note(cudaErrorInvalidValue);
    case cudaLimitMaxL2FetchGranularity:
    case cudaLimitPersistingL2CacheSize: return cudaSuccess;
    default: return note(cudaErrorUnsupportedLimit);
  }
}

cudaError_t cudaDeviceSetCacheConfig(cudaFuncCache) {
  return cudaSuccess;
}

cudaError_t cudaDeviceGetCacheConfig(cudaFuncCache* config) {
  if (config == nullptr) return note(cudaErrorInvalidValue);
  *config = cudaFuncCachePreferNone;
  return cudaSuccess;
}

cudaError_t cudaDeviceSetSharedMemConfig(cudaSharedMemConfig) {
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int index) {
  if (id == nullptr || length < 13) return note(cudaErrorInvalidValue);
  if (index != 0) return note(cudaErrorInvalidDevice);
  std::snprintf(id, static_cast<size_t>(length), "0000:01:00.0");
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int index, int peer) {
  if (can == nullptr) return note(cudaErrorInvalidValue);
  *can = 0;
  return index == 0 && peer == 0 ? cudaSuccess : note(cudaErrorInvalidDevice);
}

cudaError_t cudaGetLastError(void) {
  return last_error(true);
}
cudaError_t cudaPeekAtLastError(void) {
  return last_error(false);
}

const char* cudaGetErrorName(cudaError_t error) {
  const char* name = driver::runtime_name(static_cast<driver::Status>(error));
  return name != nullptr ? name : "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  const char* text = driver::text(static_cast<driver::Status>(error));
  return text != nullptr ? text : "unrecognized error code";
}

cudaError_t cudaDriverGetVersion(int* version) {
  if (version == nullptr) return note(cudaErrorInvalidValue);
  *version = driver_version;
  return cudaSuccess;
}

cudaError_t cudaProfilerStart(void) {
  return cudaSuccess;
}
cudaError_t cudaProfilerStop(void) {
  return cudaSuccess;
}

}  // extern "C"
