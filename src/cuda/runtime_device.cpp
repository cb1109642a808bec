// Device management, versions and errors.

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "cuda/runtime.h"

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
  if (const driver::Context* context = driver::current_context(); error == cudaSuccess && context != nullptr)
    error = static_cast<cudaError_t>(context->device.sticky());
  return error;
}

driver::Device* device(cudaError_t& error) {
  if (const driver::Context* context = driver::current_context()) {
    if (driver::is_context(context)) return &context->device;
    error = cudaErrorContextIsDestroyed;
    return nullptr;
  }
  driver::Device* first = device_at(0, error);
  if (first != nullptr) driver::set_current_context(&driver::primary_context(*first));
  return first;
}

driver::Device* device_at(int index, cudaError_t& error) {
  driver::Status why = driver::Status::cudaSuccess;
  const driver::Process* process = driver::Process::get(&why);
  error = static_cast<cudaError_t>(why);
  if (process == nullptr) return nullptr;
  const auto devices = process->devices();
  error = cudaErrorInvalidDevice;
  return index >= 0 && static_cast<size_t>(index) < devices.size() ? devices[static_cast<size_t>(index)]
                                                                   : nullptr;
}

}  // namespace wanren::cuda

using namespace wanren;
using namespace wanren::cuda;

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  if (count == nullptr) return note(cudaErrorInvalidValue);
  *count = 0;
  driver::Status why = driver::Status::cudaSuccess;
  const driver::Process* process = driver::Process::get(&why);
  if (process == nullptr) return note(why);
  *count = static_cast<int>(process->devices().size());
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* prop, int index) {
  if (prop == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE_AT(device, index);
  fill_properties(*device, *prop);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int index) {
  if (value == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE_AT(device, index);
  return device_attribute(*device, attribute, *value) ? cudaSuccess : note(cudaErrorInvalidValue);
}

cudaError_t cudaChooseDevice(int* index, const cudaDeviceProp*) {
  if (index == nullptr) return note(cudaErrorInvalidValue);
  *index = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
  WR_DEVICE_AT(device, index);
  driver::set_current_context(&driver::primary_context(*device));
  return cudaSuccess;
}

// The context is there already; the calling thread keeps its own.
cudaError_t cudaInitDevice(int index, unsigned int, unsigned int) {
  WR_DEVICE_AT(device, index);
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* index) {
  if (index == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  *index = device->index();
  return cudaSuccess;
}

cudaError_t cudaSetDeviceFlags(unsigned int flags) {
  WR_DEVICE(device);
  driver::primary_context(*device).flags = flags;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceFlags(unsigned int* flags) {
  if (flags == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  *flags = driver::primary_context(*device).flags;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void) {
  if (const auto status = driver::unsafe_in_capture(); status != driver::Status::cudaSuccess)
    return note(status);
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
  const driver::Status status = device->reset();
  device->print_device_output();
  return note(status);
}

cudaError_t cudaThreadExit(void) {
  return cudaDeviceReset();
}

cudaError_t cudaDeviceGetLimit(size_t* value, cudaLimit limit) {
  if (value == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(get_limit(*device, limit, *value));
}

cudaError_t cudaDeviceSetLimit(cudaLimit limit, size_t value) {
  WR_DEVICE(device);
  return note(set_limit(*device, limit, value));
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
  WR_DEVICE_AT(device, index);
  std::snprintf(id, static_cast<size_t>(length), "%s", pci_bus_id(*device).c_str());
  return cudaSuccess;
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
