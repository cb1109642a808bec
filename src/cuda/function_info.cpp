#include "cuda/function_info.h"

#include <algorithm>
#include <string>

#include "support/log.h"

namespace wanren::cuda {
namespace {

// CUfunction_attribute
enum : int {
  max_threads = 0,
  shared_bytes = 1,
  const_bytes = 2,
  local_bytes = 3,
  registers = 4,
  ptx_version = 5,
  binary_version = 6,
  cache_mode = 7,
  max_dynamic_shared = 8,
  carveout = 9,
  cluster_must_be_set = 10,
  cluster_width = 11,
  cluster_height = 12,
  cluster_depth = 13,
  non_portable_cluster = 14,
  cluster_scheduling = 15
};

}  // namespace

driver::Status get_attribute(driver::Device& device, driver::Function& function, int attribute, int& value) {
  if (attribute < max_threads || attribute > cluster_scheduling) return driver::Status::cudaErrorInvalidValue;
  const lower::MachineProgram* program = nullptr;
  if (const driver::Status status = device.attributes(function, &program);
      status != driver::Status::cudaSuccess)
    return status;
  const simt::Kernel& kernel = *function.kernel;
  const auto& unit = device.chip().unit;
  value = 0;
  switch (attribute) {
    case max_threads: value = device.max_threads_per_cta(function); break;
    case shared_bytes: value = static_cast<int>(kernel.static_shared_bytes); break;
    case local_bytes: value = static_cast<int>(kernel.local_bytes + program->spill_bytes); break;
    case registers: value = static_cast<int>(program->registers_per_thread); break;
    case ptx_version: value = kernel.target_sm; break;
    case binary_version:
      value =
          static_cast<int>(device.chip().identity.compute_major * 10 + device.chip().identity.compute_minor);
      break;
    case max_dynamic_shared:
      value = static_cast<int>(function.dynamic_shared_limit != 0
                                   ? function.dynamic_shared_limit
                                   : unit.shared_static - kernel.static_shared_bytes);
      break;
    case carveout: value = -1; break;  // the default
    case cluster_must_be_set:
      value = kernel.bounds.explicit_cluster && kernel.bounds.required_cluster[0] == 0;
      break;
    case cluster_width:
    case cluster_height:
    case cluster_depth:
      value = static_cast<int>(kernel.bounds.required_cluster[attribute - cluster_width]);
      break;
    case non_portable_cluster: value = function.large_clusters; break;
    default: break;
  }
  return driver::Status::cudaSuccess;
}

driver::Status set_attribute(driver::Device& device, driver::Function& function, int attribute, int value) {
  switch (attribute) {
    case max_dynamic_shared: break;
    case non_portable_cluster: function.large_clusters = value != 0; return driver::Status::cudaSuccess;
    // Hints.
    case carveout:
    case cluster_scheduling: return driver::Status::cudaSuccess;
    case cluster_must_be_set:
    case cluster_width:
    case cluster_height:
    case cluster_depth: return driver::Status::cudaErrorNotSupported;
    default: return driver::Status::cudaErrorInvalidValue;
  }
  const auto limit = device.chip().unit.shared_optin - function.kernel->static_shared_bytes;
  if (value < 0 || value > limit) {
    log::warn(function.display_name + ": " + std::to_string(value) +
              " bytes of dynamic shared memory; chip " + device.chip().name +
              " gives a block of this kernel up to " + std::to_string(limit));
    return driver::Status::cudaErrorInvalidValue;
  }
  function.dynamic_shared_limit = static_cast<std::uint32_t>(value);
  return driver::Status::cudaSuccess;
}

std::size_t available_shared_bytes(driver::Device& device, const driver::Function& function, int blocks) {
  const auto& unit = device.chip().unit;
  const std::int64_t share = unit.shared_bytes / blocks / unit.shared_granularity * unit.shared_granularity;
  const std::int64_t left = share - unit.shared_reserved - function.kernel->static_shared_bytes;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(left, 0, unit.shared_optin));
}

driver::Status read_attributes(const cudaLaunchAttribute* list, unsigned count,
                               LaunchAttributes& attributes) {
  for (unsigned i = 0; i < count; ++i) {
    const cudaLaunchAttribute& attribute = list[i];
    if (attribute.id == cudaLaunchAttributeCooperative)
      attributes.cooperative = attribute.val.cooperative != 0;
    if (attribute.id == cudaLaunchAttributeClusterDimension) {
      const auto& d = attribute.val.clusterDim;
      attributes.has_cluster = true;
      attributes.cluster = Dim3{d.x, d.y, d.z};
    }
  }
  return driver::Status::cudaSuccess;
}

driver::Status max_active_clusters(driver::Device& device, driver::Function& function,
                                   const cudaLaunchConfig_t& config, int& clusters) {
  LaunchAttributes attributes;
  if (const auto status = read_attributes(config.attrs, config.numAttrs, attributes);
      status != driver::Status::cudaSuccess)
    return status;
  driver::LaunchRequest request;
  request.function = &function;
  attributes.give(request);
  Dim3 cluster = request.cluster;
  // The grid may be any, so that the cluster's own extents stand for it.
  const auto* required = function.kernel->bounds.required_cluster;
  request.grid = attributes.has_cluster
                     ? request.cluster
                     : Dim3{std::max(1u, required[0]), std::max(1u, required[1]), std::max(1u, required[2])};
  if (const auto status = device.cluster_of(request, cluster); status != driver::Status::cudaSuccess)
    return status;
  const dim3 block = config.blockDim;
  const auto fit = device.occupancy(function, block.x * block.y * block.z,
                                    static_cast<std::uint32_t>(config.dynamicSmemBytes));
  clusters = static_cast<int>(device.active_clusters(fit.ctas_per_unit, cluster.count()));
  return driver::Status::cudaSuccess;
}

driver::Status max_cluster_size(driver::Device& device, driver::Function& function,
                                const cudaLaunchConfig_t& config, int& size) {
  if (device.chip().identity.compute_major < 9) return driver::Status::cudaErrorNotSupported;
  const dim3 block = config.blockDim;
  const auto fit = device.occupancy(function, block.x * block.y * block.z,
                                    static_cast<std::uint32_t>(config.dynamicSmemBytes));
  const std::uint64_t most =
      function.large_clusters ? driver::Device::most_cluster : driver::Device::portable_cluster;
  size = 0;
  for (std::uint64_t n = most; n > 0 && size == 0; --n)
    if (device.active_clusters(fit.ctas_per_unit, n) > 0) size = static_cast<int>(n);
  return driver::Status::cudaSuccess;
}

}  // namespace wanren::cuda
