// From a launch request to an op in the queue: checks, compiling, lowering.

#include <cstring>
#include <string>

#include "driver/device_impl.h"
#include "engine/interpreted.h"
#include "engine/services.h"
#include "jit/compiler.h"
#include "support/log.h"
#include "support/wall_clock.h"

namespace wanren::driver {
namespace {

std::string shape_text(Dim3 d) {
  return std::to_string(d.x) + "x" + std::to_string(d.y) + "x" + std::to_string(d.z);
}

Result<std::shared_ptr<const engine::KernelCode>> code_of(const std::shared_ptr<const simt::Kernel>& kernel,
                                                          Dim3 block, engine::Flavour flavour,
                                                          const Settings& settings) {
  if (settings.engine == "interp") return engine::interpreted(kernel);
  return jit::Compiler::compile(kernel, simt::BlockShape{false, block}, flavour);
}

}  // namespace

Result<Prepared*> Device::Impl::prepare(const std::shared_ptr<const simt::Kernel>& kernel, Dim3 block) {
  const std::string key = std::to_string(reinterpret_cast<std::uintptr_t>(kernel.get())) + "/" +
                          shape_text(block) + (timing ? "t" : "p");
  auto [it, fresh] = prepared.try_emplace(key);
  if (!fresh) return &it->second;
  const double begin_s = wall_seconds();
  auto code =
      code_of(kernel, block, timing ? engine::Flavour::traced : engine::Flavour::plain, device.settings());
  if (!code) {
    prepared.erase(it);
    return std::unexpected(code.error());
  }
  it->second.code = std::move(*code);
  it->second.compile_wall_s = wall_seconds() - begin_s;
  return &it->second;
}

Loaded<const lower::MachineProgram*> Device::Impl::lower_within(Function& function, std::uint32_t registers) {
  auto& owned = lowered[&function];
  if (!owned) owned = std::make_unique<FunctionLowered>();
  auto it = owned->by_limit.find(registers);
  if (it == owned->by_limit.end()) {
    Result<lower::MachineProgram> program = lower::lower(*function.kernel, device.chip_, registers);
    if (!program) return std::unexpected(Failure{Status::cudaErrorInvalidPtx, program.error()});
    it = owned->by_limit.emplace(registers, std::move(*program)).first;
  }
  return &it->second;
}

Loaded<const lower::MachineProgram*> Device::Impl::lower_function(Function& function, std::uint32_t threads) {
  auto program = lower_within(function, lower::any_registers);
  const std::uint32_t fit = lower::registers_that_fit(device.chip_, threads);
  if (!program || (*program)->registers_per_thread <= fit) return program;
  const std::uint32_t wanted = (*program)->registers_per_thread;
  program = lower_within(function, fit);
  if (program && (*program)->spill_bytes > 0)
    log::write_once(log::Level::warn,
                    Error{"launch of " + function.display_name,
                          "blocks of " + std::to_string(threads) + " threads leave " + std::to_string(fit) +
                              " registers a thread, " + std::to_string(wanted) + " would be used: " +
                              std::to_string((*program)->spill_bytes) + " bytes a thread are spilled",
                          "write __launch_bounds__(" + std::to_string(threads) +
                              "), without which a GPU may refuse the launch, or use smaller blocks"}
                        .message());
  return program;
}

Status Device::attributes(Function& function, const lower::MachineProgram** program, std::uint32_t threads) {
  std::lock_guard lock(impl_->mutex);
  auto lowered = impl_->lower_function(function, threads);
  if (!lowered) {
    log::write_once(log::Level::error, lowered.error().error.message());
    return lowered.error().status;
  }
  *program = *lowered;
  return Status::cudaSuccess;
}

int Device::max_threads_per_cta(const Function& function) const {
  const std::uint32_t* bound = function.kernel->bounds.max_threads;
  std::uint64_t most = static_cast<std::uint64_t>(chip_.unit.max_threads_per_cta);
  if (bound[0] != 0)
    most = std::min(most, std::uint64_t{bound[0]} * std::max(1u, bound[1]) * std::max(1u, bound[2]));
  return static_cast<int>(most);
}

lower::Occupancy Device::occupancy(Function& function, std::uint32_t threads,
                                   std::uint32_t dynamic_shared_bytes) {
  const lower::MachineProgram* program = nullptr;
  if (attributes(function, &program, threads) != Status::cudaSuccess) return {};
  return lower::occupancy(chip_, program->registers_per_thread, threads,
                          function.kernel->static_shared_bytes + dynamic_shared_bytes);
}

Status Device::launch_as_one(const std::function<Status()>& submit) {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.launch_host);
  ++impl_->free_of_charge;
  const Status status = submit();
  --impl_->free_of_charge;
  return status;
}

Status Device::launch(const LaunchRequest& request) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  if (const Status status = implicit_in_capture(request.stream, impl_->streams);
      status != Status::cudaSuccess)
    return status;
  if (CapturePoint* point = capturing(request.stream)) {
    std::shared_ptr<const KernelCall> call;
    if (const Status status = make_call(request, *this, call); status != Status::cudaSuccess) return status;
    point->add(std::move(call));
    return Status::cudaSuccess;
  }
  impl_->charge_us(chip_.host.launch_host);
  Function& function = *request.function;
  fit_stack(function, arena().runtime().stack_bytes());
  const simt::Kernel& kernel = *function.kernel;
  auto refuse = [&](Status status, const std::string& cause, const std::string& remedy) {
    log::write_once(log::Level::warn, Error{"launch of " + function.display_name, cause, remedy}.message());
    return status;
  };

  const Dim3 grid = request.grid, block = request.block;
  const std::uint64_t threads = block.count();
  if (grid.count() == 0 || threads == 0)
    return refuse(Status::cudaErrorInvalidConfiguration, "grid or block has no threads",
                  "make every extent at least 1");
  if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    return refuse(Status::cudaErrorInvalidConfiguration, "grid " + shape_text(grid) + " is too large",
                  "the limits are 2147483647x65535x65535");
  if (threads > static_cast<std::uint64_t>(chip_.unit.max_threads_per_cta) || block.x > 1024 ||
      block.y > 1024 || block.z > 64)
    return refuse(
        Status::cudaErrorInvalidConfiguration,
        "block " + shape_text(block) + " has " + std::to_string(threads) + " threads",
        "the limit is " + std::to_string(chip_.unit.max_threads_per_cta) + " threads, 1024x1024x64");
  const auto& bounds = kernel.bounds;
  if (bounds.required_threads[0] != 0 &&
      (block.x != bounds.required_threads[0] || block.y != std::max(1u, bounds.required_threads[1]) ||
       block.z != std::max(1u, bounds.required_threads[2])))
    return refuse(Status::cudaErrorInvalidConfiguration, "the kernel requires another block shape",
                  "launch it with its .reqntid");
  if (bounds.max_threads[0] != 0) {
    const std::uint64_t most = std::uint64_t{bounds.max_threads[0]} * std::max(1u, bounds.max_threads[1]) *
                               std::max(1u, bounds.max_threads[2]);
    if (threads > most)
      return refuse(
          Status::cudaErrorInvalidConfiguration,
          std::to_string(threads) + " threads exceed the kernel's launch bounds of " + std::to_string(most),
          "use smaller blocks or raise __launch_bounds__");
  }
  Dim3 cluster;
  if (const Status status = cluster_of(request, cluster); status != Status::cudaSuccess) return status;
  const std::uint64_t dynamic_limit =
      function.dynamic_shared_limit != 0
          ? function.dynamic_shared_limit
          : static_cast<std::uint64_t>(chip_.unit.shared_static) -
                std::min<std::uint64_t>(kernel.static_shared_bytes,
                                        static_cast<std::uint64_t>(chip_.unit.shared_static));
  if (request.dynamic_shared_bytes > dynamic_limit ||
      kernel.static_shared_bytes > static_cast<std::uint64_t>(chip_.unit.shared_optin))
    return refuse(Status::cudaErrorInvalidValue,
                  std::to_string(request.dynamic_shared_bytes) + " bytes of dynamic and " +
                      std::to_string(kernel.static_shared_bytes) +
                      " of static shared memory are more than a block gets",
                  "up to " + std::to_string(chip_.unit.shared_optin) +
                      " bytes after cudaFuncSetAttribute(cudaFuncAttributeMaxDynamicSharedMemorySize)");

  // Registers decide how many CTAs are resident, and fill the report; code for the modelled chip is made for
  // nothing else with timing off, and takes longer than the kernel where that is large.
  const bool registers_matter = impl_->timing || request.cooperative || kernel.waits_for_ctas ||
                                cluster.count() > 1 || impl_->reported();
  const lower::MachineProgram* program = nullptr;
  if (registers_matter)
    if (const Status status = attributes(function, &program, static_cast<std::uint32_t>(threads));
        status != Status::cudaSuccess)
      return status;
  const std::uint32_t registers = program != nullptr ? program->registers_per_thread : 1;
  const lower::Occupancy occupancy =
      lower::occupancy(chip_, registers, static_cast<std::uint32_t>(threads),
                       kernel.static_shared_bytes + request.dynamic_shared_bytes);
  if (occupancy.ctas_per_unit == 0)
    return refuse(Status::cudaErrorLaunchOutOfResources,
                  "a block of " + std::to_string(threads) + " threads with " + std::to_string(registers) +
                      " registers each does not fit a compute unit (" + occupancy.limited_by + ")",
                  "use smaller blocks or __launch_bounds__");
  if (cluster.count() > 1 && active_clusters(occupancy.ctas_per_unit, cluster.count()) == 0)
    return refuse(Status::cudaErrorInvalidClusterSize,
                  "a cluster of " + std::to_string(cluster.count()) +
                      " blocks, of which a compute unit takes " + std::to_string(occupancy.ctas_per_unit) +
                      ", does not fit one of the chip's clusters",
                  "use smaller clusters or blocks; cudaOccupancyMaxActiveClusters says what fits");
  if (request.cooperative && grid.count() > static_cast<std::uint64_t>(occupancy.ctas_per_unit) *
                                                static_cast<std::uint64_t>(chip_.units()))
    return refuse(Status::cudaErrorCooperativeLaunchTooLarge,
                  "cooperative grid of " + std::to_string(grid.count()) + " blocks; " +
                      std::to_string(occupancy.ctas_per_unit * chip_.units()) + " fit at once",
                  "ask cudaOccupancyMaxActiveBlocksPerMultiprocessor");

  auto prepared = impl_->prepare(function.kernel, block);
  if (!prepared) {
    log::error(prepared.error().message());
    return Status::cudaErrorInvalidPtx;
  }

  Op op;
  op.kind = Op::Kind::kernel;
  op.stream = request.stream;
  op.program = program;
  op.occupancy = occupancy;
  op.static_shared_bytes = kernel.static_shared_bytes;
  op.compile_wall_s = (*prepared)->compile_wall_s;
  (*prepared)->compile_wall_s = 0;  // Charged to the launch that paid for it.
  engine::Launch& launch = op.launch;
  launch.kernel = function.kernel;
  launch.code = (*prepared)->code;
  launch.name = function.display_name;
  launch.grid = grid;
  launch.block = block;
  launch.cluster = cluster;
  launch.explicit_cluster = request.has_cluster || kernel.bounds.required_cluster[0] != 0;
  launch.dynamic_shared_bytes = request.dynamic_shared_bytes;
  launch.global_addresses = function.global_addresses;
  launch.grid_id = ++shared_.next_launch;
  launch.units = static_cast<std::uint32_t>(chip_.units());
  launch.resident_ctas = static_cast<std::uint32_t>(occupancy.ctas_per_unit * chip_.units());
  launch.cooperative = request.cooperative;
  if (impl_->timing && settings().sampled()) {
    launch.plain = [kernel = function.kernel, block, &settings = settings()] {
      auto code = code_of(kernel, block, engine::Flavour::plain, settings);
      return code ? *code : nullptr;
    };
    launch.plain_threads = settings().host_threads();
  }
  launch.parameters.resize(kernel.parameter_bytes);
  if (request.packed != nullptr) {
    std::memcpy(launch.parameters.data(), request.packed,
                std::min<std::size_t>(request.packed_bytes, kernel.parameter_bytes));
  } else {
    for (std::size_t i = 0; i < kernel.parameters.size(); ++i)
      std::memcpy(launch.parameters.data() + kernel.parameters[i].offset, request.arguments[i],
                  kernel.parameters[i].bytes);
  }
  impl_->submit(std::move(op));
  if (settings().launch_blocking == 0) return impl_->sticky;
  return synchronize(request.stream);
}

}  // namespace wanren::driver
