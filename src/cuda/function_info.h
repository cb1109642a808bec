#pragma once
// Private to src/cuda: what both APIs say of a kernel and read from a launch's attributes.

#include "cuda_runtime_api.h"
#include "driver/device.h"

namespace wanren::cuda {

/// CUfunction_attribute's numbers. Errors: no such attribute; the kernel does not lower.
driver::Status get_attribute(driver::Device& device, driver::Function& function, int attribute, int& value);
/// Errors: no such attribute, one that cannot be set, more shared memory than the chip gives a block.
driver::Status set_attribute(driver::Device& device, driver::Function& function, int attribute, int value);
/// Dynamic shared memory left for each of so many blocks on a compute unit.
std::size_t available_shared_bytes(driver::Device& device, const driver::Function& function, int blocks);

struct LaunchAttributes {
  bool cooperative = false, has_cluster = false;
  Dim3 cluster;
  void give(driver::LaunchRequest& request) const {
    request.cooperative = cooperative;
    request.has_cluster = has_cluster;
    request.cluster = cluster;
  }
};
/// Errors: attributes that would change what the kernel does and are not supported; logged.
driver::Status read_attributes(const cudaLaunchAttribute* list, unsigned count, LaunchAttributes& attributes);

/// Clusters, as the launch's attributes have them, that are resident at once; CTAs of the largest cluster
/// that fits.
driver::Status max_active_clusters(driver::Device& device, driver::Function& function,
                                   const cudaLaunchConfig_t& config, int& clusters);
driver::Status max_cluster_size(driver::Device& device, driver::Function& function,
                                const cudaLaunchConfig_t& config, int& size);

}  // namespace wanren::cuda
