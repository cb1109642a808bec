// libcuda's entry points. Types are written out as their binary interface has them, so that this file does
// not depend on which version of cuda.h a program was compiled with.

#include <algorithm>
#include <cstring>
#include <string>

#include "cuda/device_code.h"
#include "cuda/entry_points.h"
#include "cuda/handles.h"
#include "cuda/runtime.h"
#include "support/log.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

using Result_ = int;  // CUresult
using DevicePointer = unsigned long long;
using StreamHandle = CUstream_st*;
using EventHandle = CUevent_st*;

int code(driver::Status status) {
  return driver::driver_value(status);
}
int invalid_value() {
  return code(driver::Status::cudaErrorInvalidValue);
}

driver::Device* device_or(int& error) {
  driver::Status why = driver::Status::cudaSuccess;
  driver::Device* device = driver::Device::get(&why);
  error = code(why);
  return device;
}

// One context: the primary context of device 0. Handles are the address of this object.
int primary_context;
thread_local void* current_context = &primary_context;

void* to_pointer(DevicePointer pointer) {
  return reinterpret_cast<void*>(pointer);
}

int copy(void* to, const void* from, size_t bytes, driver::CopyDirection direction, StreamHandle stream,
         bool async) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  const driver::Status status =
      device->copy(to, from, driver::CopyShape::linear(bytes), direction, stream_of(stream), async);
  if (!async) device->print_device_output();
  return code(status);
}

int fill(DevicePointer to, unsigned value, unsigned element, size_t count, StreamHandle stream, bool async) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  return code(device->fill(to_pointer(to), value, element, driver::CopyShape::linear(count * element),
                           stream_of(stream), async));
}

int give(driver::Loaded<driver::Module*> loaded, driver::Module** module) {
  if (!loaded) return code(loaded.error().status);
  *module = *loaded;
  return 0;
}

int launch(driver::Function* function, Dim3 grid, Dim3 block, unsigned shared_bytes, StreamHandle stream,
           void** arguments, void** extra, bool cooperative) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  if (function == nullptr) return code(driver::Status::cudaErrorInvalidResourceHandle);
  driver::LaunchRequest request;
  request.function = function;
  request.grid = grid;
  request.block = block;
  request.dynamic_shared_bytes = shared_bytes;
  request.stream = stream_of(stream);
  request.cooperative = cooperative;
  request.arguments = arguments;
  // CU_LAUNCH_PARAM_BUFFER_POINTER 1, _BUFFER_SIZE 2, _END 0.
  for (void** item = extra; item != nullptr && *item != nullptr; item += 2) {
    if (reinterpret_cast<std::uintptr_t>(item[0]) == 1) request.packed = item[1];
    if (reinterpret_cast<std::uintptr_t>(item[0]) == 2) request.packed_bytes = *static_cast<size_t*>(item[1]);
  }
  if (arguments == nullptr && request.packed == nullptr && !function->kernel->parameters.empty())
    return invalid_value();
  return code(device->launch(request));
}

}  // namespace

extern "C" {

int cuInit(unsigned flags) {
  int error = 0;
  if (flags != 0) return invalid_value();
  return device_or(error) != nullptr ? 0 : error;
}

int cuDriverGetVersion(int* version) {
  if (version == nullptr) return invalid_value();
  *version = driver_version;
  return 0;
}

int cuGetErrorName(int error, const char** text) {
  *text = driver::driver_name(driver::from_driver_value(error));
  return *text != nullptr ? 0 : invalid_value();
}

int cuGetErrorString(int error, const char** text) {
  *text = driver::text(driver::from_driver_value(error));
  return *text != nullptr ? 0 : invalid_value();
}

// Devices and contexts.

int cuDeviceGetCount(int* count) {
  int error = 0;
  *count = device_or(error) != nullptr ? 1 : 0;
  return 0;
}

int cuDeviceGet(int* device, int ordinal) {
  int error = 0;
  if (device_or(error) == nullptr) return error;
  if (ordinal != 0) return code(driver::Status::cudaErrorInvalidDevice);
  *device = 0;
  return 0;
}

int cuDeviceGetName(char* name, int length, int) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  if (name == nullptr || length <= 0) return invalid_value();
  std::snprintf(name, static_cast<size_t>(length), "%s", device->chip().identity.title.c_str());
  return 0;
}

int cuDeviceGetUuid_v2(void* uuid, int) {
  cudaDeviceProp properties;
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  fill_properties(device->chip(), properties);
  std::memcpy(uuid, &properties.uuid, sizeof properties.uuid);
  return 0;
}
int cuDeviceGetUuid(void* uuid, int device) {
  return cuDeviceGetUuid_v2(uuid, device);
}

int cuDeviceTotalMem_v2(size_t* bytes, int) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  size_t free_bytes = 0;
  device->memory_info(free_bytes, *bytes);
  return 0;
}

// The runtime's attribute numbers are the driver's.
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  return cudaDeviceGetAttribute(value, static_cast<cudaDeviceAttr>(attribute), device);
}

int cuDeviceComputeCapability(int* major, int* minor, int device) {
  if (const int error = cuDeviceGetAttribute(major, 75, device); error != 0) return error;
  return cuDeviceGetAttribute(minor, 76, device);
}

int cuDeviceCanAccessPeer(int* can, int, int) {
  *can = 0;
  return 0;
}

int cuDevicePrimaryCtxRetain(void** context, int) {
  int error = 0;
  if (device_or(error) == nullptr) return error;
  *context = &primary_context;
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  return 0;
}
int cuDevicePrimaryCtxSetFlags_v2(int, unsigned) {
  return 0;
}
int cuDevicePrimaryCtxReset_v2(int) {
  return 0;
}
int cuDevicePrimaryCtxGetState(int, unsigned* flags, int* active) {
  *flags = 0;
  *active = driver::Device::made() != nullptr;
  return 0;
}

int cuCtxCreate_v2(void** context, unsigned, int device) {
  return cuDevicePrimaryCtxRetain(context, device);
}
int cuCtxDestroy_v2(void*) {
  return 0;
}
int cuCtxSetCurrent(void* context) {
  current_context = context;
  return 0;
}
int cuCtxGetCurrent(void** context) {
  *context = current_context;
  return 0;
}
int cuCtxPushCurrent_v2(void* context) {
  return cuCtxSetCurrent(context);
}
int cuCtxPopCurrent_v2(void** context) {
  if (context != nullptr) *context = current_context;
  return 0;
}
int cuCtxGetDevice(int* device) {
  *device = 0;
  return 0;
}
int cuCtxGetApiVersion(void*, unsigned* version) {
  *version = driver_version;
  return 0;
}
int cuCtxSetCacheConfig(int) {
  return 0;
}
int cuCtxSetLimit(int limit, size_t value) {
  return cudaDeviceSetLimit(static_cast<cudaLimit>(limit), value);
}
int cuCtxGetLimit(size_t* value, int limit) {
  return cudaDeviceGetLimit(value, static_cast<cudaLimit>(limit));
}
int cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return cudaDeviceGetStreamPriorityRange(least, greatest);
}
int cuCtxSynchronize() {
  return cudaDeviceSynchronize() == cudaSuccess ? 0 : code(driver::Device::made()->sticky());
}

// Modules.

int cuModuleLoadData(driver::Module** module, const void* image) {
  if (image == nullptr || module == nullptr) return invalid_value();
  return give(load_image(images_at(image), "module"), module);
}
int cuModuleLoadDataEx(driver::Module** module, const void* image, unsigned, int*, void**) {
  return cuModuleLoadData(module, image);
}
int cuModuleLoadFatBinary(driver::Module** module, const void* image) {
  return cuModuleLoadData(module, image);
}

int cuModuleLoad(driver::Module** module, const char* path) {
  if (module == nullptr || path == nullptr) return invalid_value();
  return give(load_file(path), module);
}

int cuModuleUnload(driver::Module* module) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  withdraw(module);
  device->unload_module(module);
  return 0;
}

int cuModuleGetFunction(driver::Function** function, driver::Module* module, const char* name) {
  if (module == nullptr) return code(driver::Status::cudaErrorInvalidResourceHandle);
  auto found = module->function(name);
  if (!found) {
    log::warn(found.error().error.message());
    return code(found.error().status);
  }
  *function = publish(*found);
  return 0;
}

int cuModuleGetGlobal_v2(DevicePointer* pointer, size_t* bytes, driver::Module* module, const char* name) {
  std::uint64_t where = 0, size = 0;
  if (module == nullptr || !module->variable(name, where, size))
    return code(driver::Status::cudaErrorSymbolNotFound);
  if (pointer != nullptr) *pointer = where;
  if (bytes != nullptr) *bytes = size;
  return 0;
}

// CUfunction_attribute: 0 max threads, 1 shared, 2 const, 3 local, 4 registers, 5 PTX version, 6 binary
// version, 7 cache mode, 8 max dynamic shared.
int cuFuncGetAttribute(int* value, int attribute, driver::Function* function) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  const lower::MachineProgram* program = nullptr;
  if (const driver::Status status = device->attributes(*function, &program);
      status != driver::Status::cudaSuccess)
    return code(status);
  const simt::Kernel& kernel = *function->kernel;
  switch (attribute) {
    case 0: *value = device->max_threads_per_cta(*function); return 0;
    case 1: *value = static_cast<int>(kernel.static_shared_bytes); return 0;
    case 2: *value = 0; return 0;
    case 3: *value = static_cast<int>(kernel.local_bytes + program->spill_bytes); return 0;
    case 4: *value = static_cast<int>(program->registers_per_thread); return 0;
    case 5:
    case 6: *value = kernel.target_sm; return 0;
    case 8:
      *value = static_cast<int>(function->dynamic_shared_limit != 0
                                    ? function->dynamic_shared_limit
                                    : device->chip().unit.shared_static - kernel.static_shared_bytes);
      return 0;
    default: *value = 0; return attribute < 0 ? invalid_value() : 0;
  }
}

int cuFuncSetAttribute(driver::Function* function, int attribute, int value) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  switch (attribute) {
    case 8: break;
    case 9:   // Shared-memory carve-out and cluster preferences are hints,
    case 14:  // as is leave to use cluster sizes that other chips may lack.
    case 15: return 0;
    default: return invalid_value();
  }
  if (value < 0 || value > device->chip().unit.shared_optin - function->kernel->static_shared_bytes)
    return invalid_value();
  function->dynamic_shared_limit = static_cast<std::uint32_t>(value);
  return 0;
}
int cuFuncSetCacheConfig(driver::Function*, int) {
  return 0;
}

int cuLaunchKernel(driver::Function* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                   unsigned by, unsigned bz, unsigned shared_bytes, StreamHandle stream, void** arguments,
                   void** extra) {
  return launch(function, {gx, gy, gz}, {bx, by, bz}, shared_bytes, stream, arguments, extra, false);
}

int cuLaunchCooperativeKernel(driver::Function* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                              unsigned by, unsigned bz, unsigned shared_bytes, StreamHandle stream,
                              void** arguments) {
  return launch(function, {gx, gy, gz}, {bx, by, bz}, shared_bytes, stream, arguments, nullptr, true);
}

int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, driver::Function* function, int threads,
                                                size_t shared_bytes) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  *blocks = device->occupancy(*function, static_cast<unsigned>(threads), static_cast<unsigned>(shared_bytes))
                .ctas_per_unit;
  return 0;
}

// Memory.

int cuMemAlloc_v2(DevicePointer* pointer, size_t bytes) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  if (bytes == 0 || pointer == nullptr) return invalid_value();
  void* allocated = nullptr;
  const driver::Status status = device->allocate(bytes, &allocated);
  *pointer = reinterpret_cast<DevicePointer>(allocated);
  return code(status);
}
int cuMemAllocManaged(DevicePointer* pointer, size_t bytes, unsigned) {
  return cuMemAlloc_v2(pointer, bytes);
}
int cuMemAllocAsync(DevicePointer* pointer, size_t bytes, StreamHandle) {
  return cuMemAlloc_v2(pointer, bytes);
}

int cuMemFree_v2(DevicePointer pointer) {
  int error = 0;
  driver::Device* device = device_or(error);
  return device != nullptr ? code(device->free(to_pointer(pointer))) : error;
}
int cuMemFreeAsync(DevicePointer pointer, StreamHandle) {
  return cuMemFree_v2(pointer);
}

int cuMemAllocHost_v2(void** pointer, size_t bytes) {
  int error = 0;
  driver::Device* device = device_or(error);
  return device != nullptr ? code(device->allocate_host(bytes, pointer)) : error;
}
int cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  return cuMemAllocHost_v2(pointer, bytes);
}
int cuMemFreeHost(void* pointer) {
  int error = 0;
  driver::Device* device = device_or(error);
  return device != nullptr ? code(device->free_host(pointer)) : error;
}

int cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  device->memory_info(*free_bytes, *total_bytes);
  return 0;
}

int cuMemGetAddressRange_v2(DevicePointer* base, size_t* bytes, DevicePointer pointer) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  const auto found = device->arena().find(to_pointer(pointer));
  if (!found) return invalid_value();
  if (base != nullptr) *base = reinterpret_cast<DevicePointer>(found->base);
  if (bytes != nullptr) *bytes = found->bytes;
  return 0;
}

int cuMemcpyHtoD_v2(DevicePointer to, const void* from, size_t bytes) {
  return copy(to_pointer(to), from, bytes, driver::CopyDirection::host_to_device, nullptr, false);
}
int cuMemcpyDtoH_v2(void* to, DevicePointer from, size_t bytes) {
  return copy(to, to_pointer(from), bytes, driver::CopyDirection::device_to_host, nullptr, false);
}
int cuMemcpyDtoD_v2(DevicePointer to, DevicePointer from, size_t bytes) {
  return copy(to_pointer(to), to_pointer(from), bytes, driver::CopyDirection::device_to_device, nullptr,
              false);
}
int cuMemcpy(DevicePointer to, DevicePointer from, size_t bytes) {
  return copy(to_pointer(to), to_pointer(from), bytes, driver::CopyDirection::automatic, nullptr, false);
}
int cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, size_t bytes, StreamHandle stream) {
  return copy(to_pointer(to), from, bytes, driver::CopyDirection::host_to_device, stream, true);
}
int cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, size_t bytes, StreamHandle stream) {
  return copy(to, to_pointer(from), bytes, driver::CopyDirection::device_to_host, stream, true);
}
int cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes, StreamHandle stream) {
  return copy(to_pointer(to), to_pointer(from), bytes, driver::CopyDirection::device_to_device, stream, true);
}
int cuMemcpyAsync(DevicePointer to, DevicePointer from, size_t bytes, StreamHandle stream) {
  return copy(to_pointer(to), to_pointer(from), bytes, driver::CopyDirection::automatic, stream, true);
}

int cuMemsetD8_v2(DevicePointer to, unsigned char value, size_t count) {
  return fill(to, value, 1, count, nullptr, false);
}
int cuMemsetD16_v2(DevicePointer to, unsigned short value, size_t count) {
  return fill(to, value, 2, count, nullptr, false);
}
int cuMemsetD32_v2(DevicePointer to, unsigned value, size_t count) {
  return fill(to, value, 4, count, nullptr, false);
}
int cuMemsetD8Async(DevicePointer to, unsigned char value, size_t count, StreamHandle stream) {
  return fill(to, value, 1, count, stream, true);
}
int cuMemsetD16Async(DevicePointer to, unsigned short value, size_t count, StreamHandle stream) {
  return fill(to, value, 2, count, stream, true);
}
int cuMemsetD32Async(DevicePointer to, unsigned value, size_t count, StreamHandle stream) {
  return fill(to, value, 4, count, stream, true);
}

// CU_POINTER_ATTRIBUTE: 1 context, 2 memory type (1 host, 2 device), 3 device pointer, 4 host pointer, 8
// managed, 9 device ordinal.
int cuPointerGetAttribute(void* data, int attribute, DevicePointer pointer) {
  int error = 0;
  driver::Device* device = device_or(error);
  if (device == nullptr) return error;
  const auto found = device->arena().find(to_pointer(pointer));
  if (!found) return invalid_value();
  switch (attribute) {
    case 1: *static_cast<void**>(data) = &primary_context; return 0;
    case 2: *static_cast<unsigned*>(data) = found->kind == engine::Arena::Kind::device ? 2 : 1; return 0;
    case 3:
    case 4: *static_cast<DevicePointer*>(data) = pointer; return 0;
    case 8: *static_cast<unsigned*>(data) = 0; return 0;
    case 9: *static_cast<int*>(data) = 0; return 0;
    default: return code(driver::Status::cudaErrorNotSupported);
  }
}

// Streams and events: the runtime's handles are the driver's.

int cuStreamCreate(StreamHandle* stream, unsigned flags) {
  return cudaStreamCreateWithFlags(stream, flags);
}
int cuStreamCreateWithPriority(StreamHandle* stream, unsigned flags, int priority) {
  return cudaStreamCreateWithPriority(stream, flags, priority);
}
int cuStreamDestroy_v2(StreamHandle stream) {
  return cudaStreamDestroy(stream);
}
int cuStreamSynchronize(StreamHandle stream) {
  return cudaStreamSynchronize(stream);
}
int cuStreamQuery(StreamHandle stream) {
  return cudaStreamQuery(stream);
}
int cuStreamWaitEvent(StreamHandle stream, EventHandle event, unsigned flags) {
  return cudaStreamWaitEvent(stream, event, flags);
}
int cuLaunchHostFunc(StreamHandle stream, void (*function)(void*), void* data) {
  return cudaLaunchHostFunc(stream, function, data);
}
int cuEventCreate(EventHandle* event, unsigned flags) {
  return cudaEventCreateWithFlags(event, flags);
}
int cuEventRecord(EventHandle event, StreamHandle stream) {
  return cudaEventRecord(event, stream);
}
int cuEventSynchronize(EventHandle event) {
  return cudaEventSynchronize(event);
}
int cuEventQuery(EventHandle event) {
  return cudaEventQuery(event);
}
int cuEventElapsedTime(float* ms, EventHandle begin, EventHandle end) {
  return cudaEventElapsedTime(ms, begin, end);
}
int cuEventDestroy_v2(EventHandle event) {
  return cudaEventDestroy(event);
}

int cuProfilerStart() {
  return 0;
}
int cuProfilerStop() {
  return 0;
}

int cuGetProcAddress_v2(const char* symbol, void** function, int version, unsigned long long flags,
                        int* status) {
  constexpr unsigned long long legacy_stream = 1, stream_per_thread = 2;
  if (symbol == nullptr || function == nullptr || version > driver_version ||
      (flags & ~(legacy_stream | stream_per_thread)) != 0)
    return invalid_value();
  const Search found = find_entry_point(symbol, version, (flags & stream_per_thread) != 0, function);
  if (status != nullptr) *status = static_cast<int>(found);
  return 0;
}
// Before CUDA 12 there was no status, so the error says that there is no such function.
int cuGetProcAddress(const char* symbol, void** function, int version, unsigned long long flags) {
  int status = 0;
  if (const int error = cuGetProcAddress_v2(symbol, function, version, flags, &status); error != 0)
    return error;
  return status == 0 ? 0 : code(driver::Status::cudaErrorSymbolNotFound);
}

// The vendor's private tables are not part of CUDA's interface.
int cuGetExportTable(const void** table, const void*) {
  if (table != nullptr) *table = nullptr;
  return code(driver::Status::cudaErrorNotSupported);
}

}  // extern "C"
