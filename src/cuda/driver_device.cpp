// The driver API: initialisation, errors, devices and contexts.

#include <cstdio>
#include <cstring>

#include "cuda/driver_api.h"
#include "cuda/entry_points.h"
#include "support/log.h"

namespace wanren::cuda {

driver::Device* current_device(CUresult& error) {
  error = CUDA_ERROR_NOT_INITIALIZED;
  if (driver::Process::made() == nullptr) return nullptr;
  const driver::Context* context = driver::current_context();
  error = context == nullptr ? CUDA_ERROR_INVALID_CONTEXT : CUDA_ERROR_CONTEXT_IS_DESTROYED;
  if (context == nullptr || !driver::is_context(context)) return nullptr;
  error = CUDA_SUCCESS;
  return &context->device;
}

driver::Device* device_number(CUdevice number, CUresult& error) {
  error = CUDA_ERROR_NOT_INITIALIZED;
  const driver::Process* process = driver::Process::made();
  if (process == nullptr) return nullptr;
  const auto devices = process->devices();
  error = CUDA_ERROR_INVALID_DEVICE;
  if (number < 0 || static_cast<size_t>(number) >= devices.size()) return nullptr;
  error = CUDA_SUCCESS;
  return devices[static_cast<size_t>(number)];
}

}  // namespace wanren::cuda

using namespace wanren;
using namespace wanren::cuda;

namespace {

/// The context of the handle; null: the current one.
driver::Context* context_or_current(CUcontext handle, CUresult& error) {
  driver::Context* context = handle != nullptr ? context_of(handle) : driver::current_context();
  error = CUDA_ERROR_INVALID_CONTEXT;
  return context != nullptr && driver::is_context(context) ? context : nullptr;
}

}  // namespace

extern "C" {

CUresult cuInit(unsigned int flags) {
  if (flags != 0) return invalid_value;
  driver::Status why = driver::Status::cudaSuccess;
  return driver::Process::get(&why) != nullptr ? CUDA_SUCCESS : code(why);
}

CUresult cuDriverGetVersion(int* version) {
  if (version == nullptr) return invalid_value;
  *version = driver_version;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char** text) {
  if (text == nullptr) return invalid_value;
  *text = driver::driver_name(driver::from_driver_value(error));
  return *text != nullptr ? CUDA_SUCCESS : invalid_value;
}

CUresult cuGetErrorString(CUresult error, const char** text) {
  if (text == nullptr) return invalid_value;
  *text = driver::text(driver::from_driver_value(error));
  return *text != nullptr ? CUDA_SUCCESS : invalid_value;
}

CUresult cuGetProcAddress_v2(const char* symbol, void** function, int version, cuuint64_t flags,
                             CUdriverProcAddressQueryResult* status) {
  constexpr cuuint64_t legacy_stream = 1, stream_per_thread = 2;
  if (symbol == nullptr || function == nullptr || version > driver_version ||
      (flags & ~(legacy_stream | stream_per_thread)) != 0)
    return invalid_value;
  const Search found = find_entry_point(symbol, version, (flags & stream_per_thread) != 0, function);
  // The two enumerations have the same order.
  if (status != nullptr) *status = static_cast<CUdriverProcAddressQueryResult>(found);
  return CUDA_SUCCESS;
}

#undef cuGetProcAddress
// Before CUDA 12 there was no status, so the error says that there is no such function.
CUresult cuGetProcAddress(const char* symbol, void** function, int version, cuuint64_t flags) {
  CUdriverProcAddressQueryResult status = CU_GET_PROC_ADDRESS_SUCCESS;
  const CUresult error = cuGetProcAddress_v2(symbol, function, version, flags, &status);
  if (error != CUDA_SUCCESS) return error;
  return status == CU_GET_PROC_ADDRESS_SUCCESS ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

// Tables of the vendor's own, without a public description.
CUresult cuGetExportTable(const void** table, const CUuuid*) {
  if (table != nullptr) *table = nullptr;
  log::write_once(
      log::Level::error,
      "a library that is linked into the program asks for private tables of the vendor's driver, as "
      "CUDA's static runtime does; link the program with nvcc -cudart shared, or build it with wanren cc");
  return CUDA_ERROR_NOT_SUPPORTED;
}

// Devices.

CUresult cuDeviceGetCount(int* count) {
  if (count == nullptr) return invalid_value;
  const driver::Process* process = driver::Process::made();
  if (process == nullptr) return CUDA_ERROR_NOT_INITIALIZED;
  *count = static_cast<int>(process->devices().size());
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice* number, int ordinal) {
  if (number == nullptr) return invalid_value;
  WR_NUMBER(device, ordinal);
  *number = device->index();
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char* name, int length, CUdevice number) {
  if (name == nullptr || length <= 0) return invalid_value;
  WR_NUMBER(device, number);
  std::snprintf(name, static_cast<size_t>(length), "%s", device->chip().identity.title.c_str());
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice number) {
  if (uuid == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  cudaDeviceProp properties;
  fill_properties(*device, properties);
  std::memcpy(uuid, &properties.uuid, sizeof *uuid);
  return CUDA_SUCCESS;
}
#undef cuDeviceGetUuid
CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice number) {
  return cuDeviceGetUuid_v2(uuid, number);
}

CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice number) {
  if (bytes == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  size_t free_bytes = 0;
  device->memory_info(free_bytes, *bytes);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice number) {
  if (value == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  return device_attribute(*device, attribute, *value) ? CUDA_SUCCESS : invalid_value;
}

CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice number) {
  if (major == nullptr || minor == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  *major = static_cast<int>(device->chip().identity.compute_major);
  *minor = static_cast<int>(device->chip().identity.compute_minor);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetProperties(CUdevprop* out, CUdevice number) {
  if (out == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  cudaDeviceProp p;
  fill_properties(*device, p);
  *out = {p.maxThreadsPerBlock,
          {p.maxThreadsDim[0], p.maxThreadsDim[1], p.maxThreadsDim[2]},
          {p.maxGridSize[0], p.maxGridSize[1], p.maxGridSize[2]},
          static_cast<int>(p.sharedMemPerBlock),
          static_cast<int>(p.totalConstMem),
          p.warpSize,
          static_cast<int>(p.memPitch),
          p.regsPerBlock,
          p.clockRate,
          static_cast<int>(p.textureAlignment)};
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice number) {
  if (id == nullptr || length < 13) return invalid_value;
  WR_NUMBER(device, number);
  std::snprintf(id, static_cast<size_t>(length), "%s", pci_bus_id(*device).c_str());
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetByPCIBusId(CUdevice* number, const char* id) {
  if (number == nullptr || id == nullptr) return invalid_value;
  for (CUdevice i = 0;; ++i) {
    WR_NUMBER(device, i);
    const std::string mine = pci_bus_id(*device);
    if (id != mine && id != mine.substr(5)) continue;
    *number = i;
    return CUDA_SUCCESS;
  }
}

CUresult cuDeviceCanAccessPeer(int* can, CUdevice number, CUdevice peer) {
  if (can == nullptr) return invalid_value;
  CUresult error = CUDA_SUCCESS;
  const driver::Device *from = device_number(number, error), *to = device_number(peer, error);
  if (from == nullptr || to == nullptr) return error;
  *can = from->linked_to(*to);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetP2PAttribute(int* value, CUdevice_P2PAttribute attribute, CUdevice from, CUdevice to) {
  if (value == nullptr || attribute < CU_DEVICE_P2P_ATTRIBUTE_PERFORMANCE_RANK ||
      attribute > CU_DEVICE_P2P_ATTRIBUTE_CUDA_ARRAY_ACCESS_SUPPORTED)
    return invalid_value;
  CUresult error = CUDA_SUCCESS;
  const driver::Device *one = device_number(from, error), *other = device_number(to, error);
  if (one == nullptr || other == nullptr) return error;
  if (from == to) return CUDA_ERROR_INVALID_DEVICE;
  *value = attribute != CU_DEVICE_P2P_ATTRIBUTE_PERFORMANCE_RANK && one->linked_to(*other);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGraphMemTrim(CUdevice number) {
  WR_NUMBER(device, number);
  return CUDA_SUCCESS;
}

// Primary contexts.

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice number) {
  if (context == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  driver::Context& primary = driver::primary_context(*device);
  ++primary.retained;
  *context = handle_of(&primary);
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice number) {
  WR_NUMBER(device, number);
  driver::Context& primary = driver::primary_context(*device);
  if (primary.retained == 0) return CUDA_ERROR_INVALID_CONTEXT;
  --primary.retained;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice number, unsigned int flags) {
  WR_NUMBER(device, number);
  driver::primary_context(*device).flags = flags;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxReset_v2(CUdevice number) {
  WR_NUMBER(device, number);
  return code(device->reset());
}

CUresult cuDevicePrimaryCtxGetState(CUdevice number, unsigned int* flags, int* active) {
  if (flags == nullptr || active == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  const driver::Context& primary = driver::primary_context(*device);
  *flags = primary.flags;
  *active = primary.retained > 0 || driver::current_context() == &primary;
  return CUDA_SUCCESS;
}

// Contexts.

CUresult cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice number) {
  if (context == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  *context = handle_of(driver::create_context(*device, flags));
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v3(CUcontext* context, CUexecAffinityParam* affinity, int count, unsigned int flags,
                        CUdevice number) {
  if (count != 0 || affinity != nullptr) return CUDA_ERROR_NOT_SUPPORTED;
  return cuCtxCreate_v2(context, flags, number);
}

CUresult cuCtxCreate_v4(CUcontext* context, CUctxCreateParams* parameters, unsigned int flags,
                        CUdevice number) {
  if (parameters != nullptr && (parameters->numExecAffinityParams != 0 || parameters->cigParams != nullptr))
    return CUDA_ERROR_NOT_SUPPORTED;
  return cuCtxCreate_v2(context, flags, number);
}

CUresult cuCtxDestroy_v2(CUcontext context) {
  if (!driver::is_context(context_of(context))) return CUDA_ERROR_INVALID_CONTEXT;
  const driver::Status status = context_of(context)->device.synchronize_device();
  return driver::destroy_context(context_of(context)) ? code(status) : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  if (context != nullptr && !driver::is_context(context_of(context))) return CUDA_ERROR_INVALID_CONTEXT;
  driver::set_current_context(context_of(context));
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext* context) {
  if (context == nullptr) return invalid_value;
  if (driver::Process::made() == nullptr) return CUDA_ERROR_NOT_INITIALIZED;
  *context = handle_of(driver::current_context());
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
  if (!driver::is_context(context_of(context))) return CUDA_ERROR_INVALID_CONTEXT;
  driver::push_context(context_of(context));
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  driver::Context* top = driver::pop_context();
  if (top == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  if (context != nullptr) *context = handle_of(top);
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice_v2(CUdevice* number, CUcontext handle) {
  CUresult error = CUDA_SUCCESS;
  if (number == nullptr) return invalid_value;
  const driver::Context* context = context_or_current(handle, error);
  if (context == nullptr) return error;
  *number = context->device.index();
  return CUDA_SUCCESS;
}
CUresult cuCtxGetDevice(CUdevice* number) {
  return cuCtxGetDevice_v2(number, nullptr);
}

CUresult cuCtxGetApiVersion(CUcontext handle, unsigned int* version) {
  CUresult error = CUDA_SUCCESS;
  if (version == nullptr) return invalid_value;
  if (context_or_current(handle, error) == nullptr) return error;
  *version = 3020;  // Of the binary interface: every context is made by cuCtxCreate_v2 or later.
  return CUDA_SUCCESS;
}

CUresult cuCtxGetId(CUcontext handle, unsigned long long* id) {
  CUresult error = CUDA_SUCCESS;
  if (id == nullptr) return invalid_value;
  const driver::Context* context = context_or_current(handle, error);
  if (context == nullptr) return error;
  *id = context->id;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetFlags(unsigned int* flags) {
  if (flags == nullptr) return invalid_value;
  WR_CURRENT(device);
  *flags = driver::current_context()->flags;
  return CUDA_SUCCESS;
}

CUresult cuCtxSetFlags(unsigned int flags) {
  WR_CURRENT(device);
  driver::current_context()->flags = flags;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize_v2(CUcontext handle) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return code(status);
  CUresult error = CUDA_SUCCESS;
  const driver::Context* context = context_or_current(handle, error);
  if (context == nullptr) return error;
  const driver::Status status = context->device.synchronize_device();
  context->device.print_device_output();
  return code(status);
}
CUresult cuCtxSynchronize(void) {
  return cuCtxSynchronize_v2(nullptr);
}

// Caches and banks are as the chip has them; preferences change nothing.
CUresult cuCtxSetCacheConfig(CUfunc_cache) {
  WR_CURRENT(device);
  return CUDA_SUCCESS;
}
CUresult cuCtxGetCacheConfig(CUfunc_cache* config) {
  if (config == nullptr) return invalid_value;
  WR_CURRENT(device);
  *config = CU_FUNC_CACHE_PREFER_NONE;
  return CUDA_SUCCESS;
}
CUresult cuCtxSetSharedMemConfig(CUsharedconfig) {
  WR_CURRENT(device);
  return CUDA_SUCCESS;
}
CUresult cuCtxGetSharedMemConfig(CUsharedconfig* config) {
  if (config == nullptr) return invalid_value;
  WR_CURRENT(device);
  *config = CU_SHARED_MEM_CONFIG_FOUR_BYTE_BANK_SIZE;
  return CUDA_SUCCESS;
}
CUresult cuCtxResetPersistingL2Cache(void) {
  WR_CURRENT(device);
  return CUDA_SUCCESS;
}

CUresult cuCtxSetLimit(CUlimit limit, size_t value) {
  WR_CURRENT(device);
  return code(set_limit(*device, limit, value));
}
CUresult cuCtxGetLimit(size_t* value, CUlimit limit) {
  if (value == nullptr) return invalid_value;
  WR_CURRENT(device);
  return code(get_limit(*device, limit, *value));
}

CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  WR_CURRENT(device);
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = -5;
  return CUDA_SUCCESS;
}

CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned int flags) {
  WR_CURRENT(device);
  if (!driver::is_context(context_of(peer))) return CUDA_ERROR_INVALID_CONTEXT;
  if (flags != 0) return invalid_value;
  return &context_of(peer)->device == device ? CUDA_ERROR_INVALID_CONTEXT
                                             : code(device->enable_peer(context_of(peer)->device));
}
CUresult cuCtxDisablePeerAccess(CUcontext peer) {
  WR_CURRENT(device);
  return driver::is_context(context_of(peer)) ? code(device->disable_peer(context_of(peer)->device))
                                              : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult cuProfilerStart(void) {
  return CUDA_SUCCESS;
}
CUresult cuProfilerStop(void) {
  return CUDA_SUCCESS;
}

}  // extern "C"
