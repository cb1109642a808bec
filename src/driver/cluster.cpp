// What clusters a launch may have. CUDA C++ Programming Guide, thread block clusters.

#include <string>
#include <vector>

#include "driver/device.h"
#include "driver/module.h"
#include "support/log.h"

namespace wanren::driver {
namespace {

std::string shape_text(Dim3 d) {
  return std::to_string(d.x) + "x" + std::to_string(d.y) + "x" + std::to_string(d.z);
}

}  // namespace

Status Device::cluster_of(const LaunchRequest& request, Dim3& cluster) const {
  const Function& function = *request.function;
  const auto refuse = [&](Status status, const std::string& cause, const std::string& remedy) {
    log::write_once(log::Level::warn, Error{"launch of " + function.display_name, cause, remedy}.message());
    return status;
  };
  const auto& bounds = function.kernel->bounds;
  const std::uint32_t* wanted = bounds.required_cluster;
  const Dim3 required{wanted[0], std::max(1u, wanted[1]), std::max(1u, wanted[2])};
  cluster = request.has_cluster ? request.cluster : required.x != 0 ? required : Dim3{};
  if (request.has_cluster && required.x != 0 && request.cluster != required)
    return refuse(
        Status::cudaErrorInvalidClusterSize,
        "clusters of " + shape_text(request.cluster) + " where the kernel has " + shape_text(required),
        "leave the launch's cluster dimension out");
  if (bounds.explicit_cluster && required.x == 0 && !request.has_cluster)
    return refuse(Status::cudaErrorInvalidClusterSize, "the kernel must be launched with clusters",
                  "give cudaLaunchKernelEx a cluster dimension");
  if (cluster == Dim3{}) return Status::cudaSuccess;
  if (chip_.identity.compute_major < 9)
    return refuse(Status::cudaErrorNotSupported,
                  "chip " + chip_.name + " of compute capability " +
                      std::to_string(chip_.identity.compute_major) + "." +
                      std::to_string(chip_.identity.compute_minor) + " has no clusters",
                  "they begin with 9.0");
  const std::uint64_t most = function.large_clusters ? most_cluster : portable_cluster;
  if (cluster.count() == 0 || cluster.count() > most)
    return refuse(
        Status::cudaErrorInvalidClusterSize,
        "a cluster of " + std::to_string(cluster.count()) + " blocks; the limit is " + std::to_string(most),
        function.large_clusters ? "use a smaller one"
                                : "use a smaller one, or allow up to " + std::to_string(most_cluster) +
                                      " with cudaFuncAttributeNonPortableClusterSizeAllowed");
  const Dim3 grid = request.grid;
  if (grid.x % cluster.x != 0 || grid.y % cluster.y != 0 || grid.z % cluster.z != 0)
    return refuse(Status::cudaErrorInvalidClusterSize,
                  "a grid of " + shape_text(grid) + " blocks in clusters of " + shape_text(cluster),
                  "make each extent of the grid a multiple of the cluster's");
  return Status::cudaSuccess;
}

std::uint64_t Device::active_clusters(int ctas_per_unit, std::uint64_t ctas) const {
  // Units go to the chip's clusters as timing::Parameters::cluster_of() has it.
  const std::int64_t clusters = chip_.package.clusters_per_die, units = chip_.package.units_per_die;
  std::vector<std::uint64_t> room(static_cast<std::size_t>(clusters));
  for (std::int64_t u = 0; u < units; ++u)
    room[static_cast<std::size_t>(u * clusters / units)] += static_cast<std::uint64_t>(ctas_per_unit);
  std::uint64_t fit = 0;
  for (const std::uint64_t r : room) fit += r / ctas;
  return fit * static_cast<std::uint64_t>(chip_.units() / units);
}

}  // namespace wanren::driver
