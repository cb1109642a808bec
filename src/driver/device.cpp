#include "driver/device.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "driver/device_impl.h"
#include "engine/services.h"
#include "support/log.h"
#include "support/wall_clock.h"

namespace wanren::driver {
namespace {

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

}  // namespace

Device::Impl::Impl(Device& owner, Shared& common) : device(owner), shared(common) {
  default_stream = std::make_shared<StreamState>();
  default_stream->is_default = true;
}

Device::Device(chip::Spec chip, Shared& shared, int index)
    : chip_(std::move(chip)), shared_(shared), index_(index), impl_(std::make_unique<Impl>(*this, shared)) {
  if (!settings().timed()) return;
  impl_->governor = std::make_unique<energy::Governor>(chip_);
  impl_->timing = std::make_unique<timing::Device>(chip_, settings().host_threads(), impl_->governor.get(),
                                                   settings().quantum, settings().sampled());
  if (Progress::wanted(settings().summary != 0)) impl_->progress = std::make_unique<Progress>();
}

Result<chip::Spec> Device::chip_of(const std::string& name, const Settings& settings) {
  Result<chip::Spec> chip = chip::load(name);
  if (!chip) return chip;
  if (Result<void> adjusted = adjust(*chip, settings); !adjusted) return std::unexpected(adjusted.error());
  return chip;
}

const Settings& Device::settings() const {
  return shared_.settings;
}

engine::Arena& Device::arena() const {
  return *shared_.arena;
}

Loaded<Module*> Device::load_module(std::vector<std::string> ptx_texts, const std::string& name) {
  std::lock_guard lock(impl_->mutex);
  auto module = Module::load(std::move(ptx_texts), name, chip_, arena(), index_);
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

void Device::add_to(report::Run& run) {
  std::lock_guard lock(impl_->mutex);
  impl_->wait_for_all();
  for (report::KernelRecord record : impl_->run.kernels) run.kernels.push_back(std::move(record));
  std::sort(impl_->copies.begin(), impl_->copies.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [number, copy] : impl_->copies) run.copies.push_back(copy);
  // Of several devices the report has the names and the sums.
  const auto join = [](std::string& text, const std::string& more, const char* separator) {
    text += text.empty() ? more : separator + more;
  };
  join(run.chip_name, chip_.name, ",");
  join(run.chip_title, chip_.identity.title, " + ");
  join(run.chip_hash, chip::hash(chip_), "+");
  run.chip_assumed_share += chip::assumed_share(chip_);
  run.chip_dies = std::max(run.chip_dies, static_cast<int>(chip_.package.dies));
  run.price_usd += chip_.cost.price;
  run.board_limit_w += chip_.power.board_limit;
  run.peak_fp32_tflops += chip_.peak.fp32;
  run.peak_bf16_tflops += chip_.peak.bf16_tensor;
  run.peak_dram_gbs += chip_.hbm.bandwidth_per_die * static_cast<double>(chip_.package.dies);
  run.d2d_gbs = std::max(run.d2d_gbs, chip_.package.dies > 1 ? chip_.d2d.bandwidth : 0);
  run.time_us = std::max(run.time_us, to_us(impl_->device_end));
  if (run.failure.empty()) run.failure = impl_->failure;
}

void Device::print_device_output() {
  const std::string text = arena().runtime().take_printf();
  if (text.empty()) return;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace wanren::driver
