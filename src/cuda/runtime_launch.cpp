// Registration, launches, kernel attributes and occupancy.

#include <algorithm>
#include <vector>

#include "cuda/function_info.h"
#include "cuda/handles.h"
#include "cuda/registry.h"
#include "cuda/runtime.h"
#include "support/log.h"

namespace wanren::cuda {

driver::Loaded<driver::Function*> function_of(const void* handle) {
  cudaError_t error = cudaSuccess;
  driver::Device* current = device(error);
  if (current == nullptr) {
    const auto status = static_cast<driver::Status>(error);
    return std::unexpected(driver::Failure{status, Error{"", driver::text(status), ""}});
  }
  if (auto found = function_at(handle, *current)) return *found;
  return Registry::instance().function(handle, *current);
}

cudaError_t symbol_place(const void* symbol, size_t bytes, size_t offset, void** at) {
  void* base = nullptr;
  size_t size = 0;
  WR_DEVICE(current);
  if (!Registry::instance().variable(symbol, *current, &base, &size)) return note(cudaErrorInvalidSymbol);
  if (offset > size || bytes > size - offset) return note(cudaErrorInvalidValue);
  *at = static_cast<char*>(base) + offset;
  return cudaSuccess;
}

cudaError_t request_of(const void* handle, dim3 grid, dim3 block, void** arguments, size_t shared_bytes,
                       cudaStream_t stream, driver::LaunchRequest& request) {
  auto found = function_of(handle);
  if (!found) return note(found.error().status);
  request.function = *found;
  request.handle = handle;
  request.grid = Dim3{grid.x, grid.y, grid.z};
  request.block = Dim3{block.x, block.y, block.z};
  request.dynamic_shared_bytes = static_cast<std::uint32_t>(std::min<size_t>(shared_bytes, 0xffffffffu));
  request.arguments = arguments;
  request.stream = stream_of(stream);
  return cudaSuccess;
}

void read_packed(void** extra, driver::LaunchRequest& request) {
  // CU_LAUNCH_PARAM_BUFFER_POINTER 1, _BUFFER_SIZE 2, _END 0.
  for (void** item = extra; item != nullptr && *item != nullptr; item += 2) {
    if (reinterpret_cast<std::uintptr_t>(item[0]) == 1) request.packed = item[1];
    if (reinterpret_cast<std::uintptr_t>(item[0]) == 2) request.packed_bytes = *static_cast<size_t*>(item[1]);
  }
}

namespace {

struct CallConfiguration {
  dim3 grid, block;
  size_t shared_bytes;
  cudaStream_t stream;
};
thread_local std::vector<CallConfiguration> configurations;

cudaError_t launch(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared_bytes,
                   cudaStream_t stream, const LaunchAttributes& attributes) {
  WR_DEVICE(device);
  driver::LaunchRequest request;
  if (const cudaError_t error = request_of(function, grid, block, arguments, shared_bytes, stream, request);
      error != cudaSuccess)
    return error;
  attributes.give(request);
  // A kernel is its context's: it runs on streams of the same device only.
  if (&device_of(stream, *device) != device) return note(cudaErrorInvalidResourceHandle);
  return note(device->launch(request));
}

}  // namespace
}  // namespace wanren::cuda

using namespace wanren;
using namespace wanren::cuda;

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  return reinterpret_cast<void**>(Registry::instance().add_unit(*static_cast<FatBinaryWrapper*>(wrapper)));
}

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void** handle) {
  Registry::instance().remove_unit(reinterpret_cast<Registry::Unit*>(handle));
}

void __cudaRegisterFunction(void** handle, const char* host, char*, const char* name, int, void*, void*,
                            void*, void*, int*) {
  Registry::instance().add_function(reinterpret_cast<Registry::Unit*>(handle), host, name);
}

void __cudaRegisterVar(void** handle, char* host, char*, const char* name, int, size_t bytes, int, int) {
  Registry::instance().add_variable(reinterpret_cast<Registry::Unit*>(handle), host, name, bytes);
}

void __cudaRegisterManagedVar(void**, void**, char*, const char* name, int, size_t, int, int) {
  log::error(std::string("variable '") + name + "': __managed__ is not supported; use cudaMallocManaged");
}

char __cudaInitModule(void**) {
  return 1;
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream) {
  configurations.push_back({grid, block, shared_bytes, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared_bytes, void* stream) {
  if (configurations.empty()) return note(cudaErrorUnknown);
  const CallConfiguration top = configurations.back();
  configurations.pop_back();
  *grid = top.grid;
  *block = top.block;
  *shared_bytes = top.shared_bytes;
  *static_cast<cudaStream_t*>(stream) = top.stream;
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                             size_t shared_bytes, cudaStream_t stream) {
  return launch(function, grid, block, arguments, shared_bytes, stream, {});
}

cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                        size_t shared_bytes, cudaStream_t stream) {
  return launch(function, grid, block, arguments, shared_bytes, stream, {.cooperative = true});
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function, void** arguments) {
  if (config == nullptr || (config->attrs == nullptr && config->numAttrs != 0))
    return note(cudaErrorInvalidValue);
  LaunchAttributes attributes;
  if (const driver::Status status = read_attributes(config->attrs, config->numAttrs, attributes);
      status != driver::Status::cudaSuccess)
    return note(status);
  return launch(function, config->gridDim, config->blockDim, arguments, config->dynamicSmemBytes,
                config->stream, attributes);
}

// nvcc 13's host stubs launch through a kernel handle; ours is the host function itself.
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(function));
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments,
                               size_t shared_bytes, cudaStream_t stream) {
  return launch(reinterpret_cast<const void*>(kernel), grid, block, arguments, shared_bytes, stream, {});
}

cudaError_t cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  return __cudaGetKernel(kernel, function);
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  if (attributes == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  // In the order of the attributes' numbers.
  int values[15] = {};
  for (int i = 0; i < 15; ++i)
    if (const driver::Status status = get_attribute(*device, **found, i, values[i]);
        status != driver::Status::cudaSuccess)
      return note(status);
  *attributes = cudaFuncAttributes{};
  attributes->maxThreadsPerBlock = values[0];
  attributes->sharedSizeBytes = static_cast<size_t>(values[1]);
  attributes->constSizeBytes = static_cast<size_t>(values[2]);
  attributes->localSizeBytes = static_cast<size_t>(values[3]);
  attributes->numRegs = values[4];
  attributes->ptxVersion = values[5];
  attributes->binaryVersion = values[6];
  attributes->cacheModeCA = values[7];
  attributes->maxDynamicSharedSizeBytes = values[8];
  attributes->preferredShmemCarveout = values[9];
  attributes->clusterDimMustBeSet = values[10];
  attributes->requiredClusterWidth = values[11];
  attributes->requiredClusterHeight = values[12];
  attributes->requiredClusterDepth = values[13];
  attributes->nonPortableClusterSizeAllowed = values[14];
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  WR_DEVICE(device);
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  return note(set_attribute(*device, **found, attribute, value));
}

cudaError_t cudaFuncSetCacheConfig(const void*, cudaFuncCache) {
  return cudaSuccess;
}
cudaError_t cudaFuncSetSharedMemConfig(const void*, cudaSharedMemConfig) {
  return cudaSuccess;
}

cudaError_t cudaFuncGetName(const char** name, const void* function) {
  if (name == nullptr) return note(cudaErrorInvalidValue);
  *name = Registry::instance().name_of(function);
  return *name != nullptr ? cudaSuccess : note(cudaErrorInvalidDeviceFunction);
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* function,
                                                                   int threads, size_t dynamic_shared,
                                                                   unsigned int) {
  if (blocks == nullptr || threads <= 0) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  *blocks = device
                ->occupancy(**found, static_cast<std::uint32_t>(threads),
                            static_cast<std::uint32_t>(dynamic_shared))
                .ctas_per_unit;
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function, int threads,
                                                          size_t dynamic_shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads, dynamic_shared, 0);
}

cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, const void* function, int blocks, int) {
  if (bytes == nullptr || blocks <= 0) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  *bytes = available_shared_bytes(*device, **found, blocks);
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, const void* function,
                                           const cudaLaunchConfig_t* config) {
  if (clusters == nullptr || config == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  return note(max_active_clusters(*device, **found, *config, *clusters));
}

cudaError_t cudaOccupancyMaxPotentialClusterSize(int* size, const void* function,
                                                 const cudaLaunchConfig_t* config) {
  if (size == nullptr || config == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  return note(max_cluster_size(*device, **found, *config, *size));
}

}  // extern "C"
