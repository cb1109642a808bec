// Registration, launches, kernel attributes and occupancy.

#include <algorithm>
#include <vector>

#include "cuda/handles.h"
#include "cuda/registry.h"
#include "cuda/runtime.h"
#include "support/log.h"

namespace wanren::cuda {

driver::Loaded<driver::Function*> function_of(const void* host_function) {
  if (driver::Function* function = published(host_function)) return function;
  return Registry::instance().function(host_function);
}

bool symbol_of(const void* host_variable, void** address, size_t* bytes) {
  return Registry::instance().variable(host_variable, address, bytes);
}

namespace {

struct CallConfiguration {
  dim3 grid, block;
  size_t shared_bytes;
  cudaStream_t stream;
};
thread_local std::vector<CallConfiguration> configurations;

cudaError_t launch(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared_bytes,
                   cudaStream_t stream, bool cooperative, dim3 cluster = dim3(1, 1, 1)) {
  WR_DEVICE(device);
  if (CapturePoint* point = capturing(stream)) {
    std::shared_ptr<KernelCall> call;
    if (const cudaError_t error =
            make_call(function, grid, block, arguments, shared_bytes, cooperative, call);
        error != cudaSuccess)
      return error;
    capture_node(*point, kernel_node(std::move(call)));
    return cudaSuccess;
  }
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  driver::LaunchRequest request;
  request.function = *found;
  request.grid = Dim3{grid.x, grid.y, grid.z};
  request.block = Dim3{block.x, block.y, block.z};
  request.cluster = Dim3{cluster.x, cluster.y, cluster.z};
  request.dynamic_shared_bytes = static_cast<std::uint32_t>(std::min<size_t>(shared_bytes, 0xffffffffu));
  request.arguments = arguments;
  request.stream = stream_of(stream);
  request.cooperative = cooperative;
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
  return launch(function, grid, block, arguments, shared_bytes, stream, false);
}

cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                        size_t shared_bytes, cudaStream_t stream) {
  return launch(function, grid, block, arguments, shared_bytes, stream, true);
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function, void** arguments) {
  if (config == nullptr) return note(cudaErrorInvalidValue);
  bool cooperative = false;
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config->attrs[i];
    if (attribute.id == cudaLaunchAttributeCooperative) cooperative = attribute.val.cooperative != 0;
    if (attribute.id == cudaLaunchAttributeClusterDimension &&
        attribute.val.clusterDim.x * attribute.val.clusterDim.y * attribute.val.clusterDim.z > 1) {
      log::error(
          "cudaLaunchKernelExC: thread block clusters are not supported; launch without a cluster dimension");
      return note(cudaErrorNotSupported);
    }
  }
  return launch(function, config->gridDim, config->blockDim, arguments, config->dynamicSmemBytes,
                config->stream, cooperative);
}

// nvcc 13's host stubs launch through a kernel handle; ours is the host function itself.
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(function));
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments,
                               size_t shared_bytes, cudaStream_t stream) {
  return launch(reinterpret_cast<const void*>(kernel), grid, block, arguments, shared_bytes, stream, false);
}

cudaError_t cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  return __cudaGetKernel(kernel, function);
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  if (attributes == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  const lower::MachineProgram* program = nullptr;
  if (const driver::Status status = device->attributes(**found, &program);
      status != driver::Status::cudaSuccess)
    return note(status);
  const simt::Kernel& kernel = *(*found)->kernel;
  *attributes = cudaFuncAttributes{};
  attributes->sharedSizeBytes = kernel.static_shared_bytes;
  attributes->localSizeBytes = kernel.local_bytes + program->spill_bytes;
  attributes->numRegs = static_cast<int>(program->registers_per_thread);
  attributes->ptxVersion = kernel.target_sm;
  attributes->binaryVersion =
      static_cast<int>(device->chip().identity.compute_major * 10 + device->chip().identity.compute_minor);
  const auto& unit = device->chip().unit;
  attributes->maxThreadsPerBlock = device->max_threads_per_cta(**found);
  attributes->maxDynamicSharedSizeBytes =
      static_cast<int>((*found)->dynamic_shared_limit != 0 ? (*found)->dynamic_shared_limit
                                                           : unit.shared_static - kernel.static_shared_bytes);
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  WR_DEVICE(device);
  auto found = function_of(function);
  if (!found) return note(found.error().status);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  const auto limit = device->chip().unit.shared_optin - (*found)->kernel->static_shared_bytes;
  if (value < 0 || value > limit) {
    log::warn("cudaFuncSetAttribute: " + std::to_string(value) + " bytes of dynamic shared memory; chip " +
              device->chip().name + " gives a block of this kernel up to " + std::to_string(limit));
    return note(cudaErrorInvalidValue);
  }
  (*found)->dynamic_shared_limit = static_cast<std::uint32_t>(value);
  return cudaSuccess;
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
  const auto& unit = device->chip().unit;
  const std::int64_t share = unit.shared_bytes / blocks / unit.shared_granularity * unit.shared_granularity;
  const std::int64_t left = share - unit.shared_reserved - (*found)->kernel->static_shared_bytes;
  *bytes = static_cast<size_t>(std::clamp<std::int64_t>(left, 0, unit.shared_optin));
  return cudaSuccess;
}

}  // extern "C"
