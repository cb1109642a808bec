#include "driver/device.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "driver/device_impl.h"
#include "engine/services.h"
#include "support/log.h"
#include "support/wall_clock.h"

namespace wanren::driver {
namespace {

bool hidden(const Settings& settings) {
  if (settings.visible_devices == "*") return false;
  // As in CUDA: the list ends at the first entry that names no device; Wanren has device 0.
  return settings.visible_devices.empty() || settings.visible_devices[0] != '0';
}

/// Applies WANREN_CHIP_SET to the chip.
Result<void> adjust(chip::Spec& chip, const Settings& settings) {
  std::vector<chip::Change> changes;
  for (std::string rest = settings.chip_set; !rest.empty();) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string item = rest.substr(0, end);
    rest.erase(0, end + 1);
    if (item.empty()) continue;
    Result<chip::Change> change = chip::parse_change(item);
    if (!change) return std::unexpected(change.error());
    changes.push_back(std::move(*change));
  }
  return chip::set(chip, changes);
}

std::atomic<Device*> made_device{nullptr};

void finish_at_exit() {
  if (Device* device = Device::made()) device->finish();
}

}  // namespace

Device::Impl::Impl(Device& owner) : device(owner) {
  default_stream = std::make_shared<StreamState>();
  default_stream->is_default = true;
  begin_wall_s = wall_seconds();
}

Device::Device(chip::Spec chip, Settings settings) : chip_(std::move(chip)), settings_(std::move(settings)) {}

Device* Device::get(Status* why) {
  struct Made {
    Device* device = nullptr;
    Status status = Status::cudaSuccess;
  };
  // Leaked on purpose: programs free device memory from static destructors.
  static const Made made = [] {
    Made result;
    Result<Settings> settings = settings_from_environment();
    if (!settings) {
      log::error(settings.error().message());
      result.status = Status::cudaErrorInitializationError;
      return result;
    }
    if (hidden(*settings)) {
      result.status = Status::cudaErrorNoDevice;
      return result;
    }
    Result<chip::Spec> chip = chip::load(settings->chip);
    if (chip)
      if (Result<void> adjusted = adjust(*chip, *settings); !adjusted)
        chip = std::unexpected(adjusted.error());
    if (!chip) {
      log::error(chip.error().message());
      result.status = Status::cudaErrorNoDevice;
      return result;
    }
    auto* device = new Device(std::move(*chip), std::move(*settings));
    engine::Arena::Limits limits;
    limits.capacity_bytes =
        static_cast<std::uint64_t>(device->chip_.hbm.bytes_per_die * device->chip_.package.dies);
    auto arena = engine::Arena::create(limits);
    if (!arena) {
      log::error(arena.error().message());
      result.status = Status::cudaErrorInitializationError;
      return result;
    }
    device->arena_ = std::move(*arena);
    device->impl_ = std::make_unique<Impl>(*device);
    if (device->settings_.timed()) {
      device->impl_->governor = std::make_unique<energy::Governor>(device->chip_);
      device->impl_->timing = std::make_unique<timing::Device>(
          device->chip_, device->settings_.host_threads(), device->impl_->governor.get());
      if (Progress::wanted(device->settings_.summary != 0))
        device->impl_->progress = std::make_unique<Progress>();
    }
    made_device = device;
    std::atexit(finish_at_exit);
    result.device = device;
    return result;
  }();
  if (why != nullptr) *why = made.status;
  return made.device;
}

Device* Device::made() {
  return made_device;
}

Loaded<Module*> Device::load_module(std::vector<std::string> ptx_texts, const std::string& name) {
  std::lock_guard lock(impl_->mutex);
  auto module =
      Module::load(std::move(ptx_texts), name, static_cast<int>(chip_.identity.ptx_target), *arena_);
  if (!module) {
    log::error(module.error().error.message());
    return std::unexpected(module.error());
  }
  impl_->modules.push_back(std::move(*module));
  return impl_->modules.back().get();
}

void Device::unload_module(Module* module) {
  std::lock_guard lock(impl_->mutex);
  impl_->wait_for_all();
  std::erase_if(impl_->lowered, [&](const auto& entry) { return entry.first->module == module; });
  // Compiled code is keyed by the kernel's address, which the next module may get.
  impl_->prepared.clear();
  std::erase_if(impl_->modules, [&](const auto& owned) { return owned.get() == module; });
}

report::Run Device::run_record() {
  std::lock_guard lock(impl_->mutex);
  impl_->wait_for_all();
  report::Run run = impl_->run;
  std::sort(run.kernels.begin(), run.kernels.end(),
            [](const auto& a, const auto& b) { return a.launch_id < b.launch_id; });
  std::sort(impl_->copies.begin(), impl_->copies.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [number, copy] : impl_->copies) run.copies.push_back(copy);
  run.program = program_invocation_short_name;
  run.chip_name = chip_.name;
  run.chip_title = chip_.identity.title;
  run.chip_hash = chip::hash(chip_);
  run.chip_assumed_share = chip::assumed_share(chip_);
  run.chip_dies = static_cast<int>(chip_.package.dies);
  run.price_usd = chip_.cost.price;
  run.board_limit_w = chip_.power.board_limit;
  run.peak_fp32_tflops = chip_.peak.fp32;
  run.peak_bf16_tflops = chip_.peak.bf16_tensor;
  run.peak_dram_gbs = chip_.hbm.bandwidth_per_die * static_cast<double>(chip_.package.dies);
  run.d2d_gbs = chip_.package.dies > 1 ? chip_.d2d.bandwidth : 0;
  run.timing_mode = settings_.timing;
  if (settings_.timing == "fast" || settings_.timing == "predict")
    run.timing_note =
        "every CTA was simulated: this version does not sample, " + settings_.timing + " equals full";
  run.host_wall_s = wall_seconds() - impl_->begin_wall_s;
  run.host_threads = settings_.host_threads();
  run.time_us = to_us(impl_->device_end);
  for (const report::KernelRecord& kernel : run.kernels) {
    run.busy_us += kernel.time_us;
    run.energy_j += kernel.energy_j;
  }
  if (run.busy_us > 0) run.average_power_w = run.energy_j / (run.busy_us * 1e-6);
  run.failure = impl_->failure;
  return run;
}

void Device::finish() {
  std::lock_guard lock(impl_->mutex);
  if (impl_->finished) return;
  impl_->finished = true;
  const report::Run run = run_record();
  print_device_output();
  if (!settings_.report.empty())
    if (Result<void> written = report::write_json(run, settings_.report); !written)
      log::error(written.error().message());
  if (!settings_.trace.empty())
    if (Result<void> written = report::write_timeline(run, settings_.trace); !written)
      log::error(written.error().message());
  if (settings_.summary != 0) {
    const std::string table = report::table(run);
    std::fwrite(table.data(), 1, table.size(), stderr);
  }
}

void Device::print_device_output() {
  const std::string text = arena_->runtime().take_printf();
  if (text.empty()) return;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace wanren::driver
