#include "driver/process.h"

#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "driver/device_impl.h"
#include "support/log.h"
#include "support/wall_clock.h"

namespace wanren::driver {
namespace {

constexpr std::size_t hot_lines_shown = 10;
std::atomic<Process*> made_process{nullptr};

/// oneTBB stops at one thread per core unless told: who asks for more, asks for a reason, such as a test of
/// what does not depend on the number. Fewer is every arena's own affair; a program that uses oneTBB keeps
/// its threads.
void allow_threads(int threads) {
  using Control = oneapi::tbb::global_control;
  if (threads > static_cast<int>(std::thread::hardware_concurrency()))
    static const Control allowed(Control::max_allowed_parallelism, static_cast<std::size_t>(threads));
}

void finish_at_exit() {
  if (Process* process = Process::made()) process->finish();
}

/// The chips that CUDA_VISIBLE_DEVICES shows, in its order; as in CUDA its list ends at the first entry that
/// names no device, or one named before.
std::vector<std::string> visible(const std::vector<std::string>& chips, const std::string& list) {
  if (list == "*") return chips;
  std::vector<std::string> shown;
  std::vector<std::size_t> seen;
  for (const std::string& entry : split_list(list)) {
    std::size_t number = 0;
    const char* const end = entry.data() + entry.size();
    const auto [rest, error] = std::from_chars(entry.data(), end, number);
    if (error != std::errc{} || rest != end || number >= chips.size() ||
        std::find(seen.begin(), seen.end(), number) != seen.end())
      break;
    seen.push_back(number);
    shown.push_back(chips[number]);
  }
  return shown;
}

}  // namespace

Process::Process(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
Process::~Process() = default;

Process* Process::get(Status* why) {
  struct Made {
    Process* process = nullptr;
    Status status = Status::cudaSuccess;
  };
  // Leaked on purpose: programs free device memory from static destructors.
  static const Made made = [] {
    const auto refuse = [](const Error& error, Status status) {
      log::error(error.message());
      return Made{nullptr, status};
    };
    Result<Settings> settings = settings_from_environment();
    if (!settings) return refuse(settings.error(), Status::cudaErrorInitializationError);
    const std::vector<std::string> names = visible(split_list(settings->chip), settings->visible_devices);
    if (names.empty()) return Made{nullptr, Status::cudaErrorNoDevice};
    std::vector<chip::Spec> chips;
    engine::Arena::Limits limits;
    limits.capacity_bytes = 0;
    for (const std::string& name : names) {
      Result<chip::Spec> chip = Device::chip_of(name, *settings);
      if (!chip) return refuse(chip.error(), Status::cudaErrorNoDevice);
      limits.capacity_bytes += static_cast<std::uint64_t>(chip->hbm.bytes_per_die * chip->package.dies);
      chips.push_back(std::move(*chip));
    }
    auto arena = engine::Arena::create(limits);
    if (!arena) return refuse(arena.error(), Status::cudaErrorInitializationError);
    allow_threads(settings->host_threads());
    auto shared = std::make_unique<Shared>();
    shared->settings = std::move(*settings);
    shared->arena = std::move(*arena);
    shared->begin_wall_s = wall_seconds();
    if (!shared->settings.profile.empty() && shared->settings.timed()) {
      auto profile = report::ProfileStream::open(shared->settings.profile, program_invocation_short_name);
      if (profile)
        shared->profile = std::move(*profile);
      else
        log::error(profile.error().message());
    }
    shared->peers = std::make_unique<Peers>(*shared->arena, static_cast<int>(chips.size()));
    for (chip::Spec& chip : chips)
      shared->devices.push_back(
          new Device(std::move(chip), *shared, static_cast<int>(shared->devices.size())));
    made_process = new Process(std::move(shared));
    std::atexit(finish_at_exit);
    return Made{made_process, Status::cudaSuccess};
  }();
  if (why != nullptr) *why = made.status;
  return made.process;
}

Process* Process::made() {
  return made_process;
}

std::span<Device* const> Process::devices() const {
  return shared_->devices;
}

Device& Process::owner_of(const void* pointer, Device& otherwise) const {
  std::lock_guard lock(shared_->mutex);
  Device* owner = shared_->owner_of(pointer);
  return owner != nullptr ? *owner : otherwise;
}

std::uint64_t Process::launches() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->next_launch;
}

report::Run Process::run_record(const Mark& since) {
  std::lock_guard lock(shared_->mutex);
  const Settings& settings = shared_->settings;
  report::Run run;
  run.program = program_invocation_short_name;
  run.timing_mode = settings.timing;
  if (settings.timing == "predict") run.timing_note = "every CTA was run: this version predicts as fast does";
  run.host_wall_s = wall_seconds() - shared_->begin_wall_s;
  run.host_threads = settings.host_threads();
  for (Device* device : shared_->devices) device->add_to(run);
  std::erase_if(run.kernels, [&](const auto& kernel) { return kernel.launch_id <= since.launches; });
  std::erase_if(run.copies, [&](const auto& copy) { return copy.start_us < since.host_us; });
  run.chip_assumed_share /= static_cast<double>(shared_->devices.size());
  std::sort(run.kernels.begin(), run.kernels.end(),
            [](const auto& a, const auto& b) { return a.launch_id < b.launch_id; });
  std::stable_sort(run.copies.begin(), run.copies.end(), [](const auto& a, const auto& b) {
    return a.device != b.device && a.start_us < b.start_us;
  });
  for (const report::KernelRecord& kernel : run.kernels) {
    run.busy_us += kernel.time_us;
    run.energy_j += kernel.energy_j;
  }
  if (shared_->profile) run.hot_lines = shared_->profile->hottest(hot_lines_shown);
  if (run.busy_us > 0) run.average_power_w = run.energy_j / (run.busy_us * 1e-6);
  return run;
}

void Process::finish() {
  std::lock_guard lock(shared_->mutex);
  if (shared_->finished) return;
  shared_->finished = true;
  const Settings& settings = shared_->settings;
  const report::Run run = run_record();
  shared_->devices.front()->print_device_output();
  if (!settings.report.empty())
    if (Result<void> written = report::write_json(run, settings.report); !written)
      log::error(written.error().message());
  if (!settings.trace.empty())
    if (Result<void> written = report::write_timeline(run, settings.trace); !written)
      log::error(written.error().message());
  if (shared_->profile)
    if (Result<void> written = shared_->profile->close(); !written) log::error(written.error().message());
  if (settings.summary != 0) {
    const std::string table = report::table(run);
    std::fwrite(table.data(), 1, table.size(), stderr);
  }
}

}  // namespace wanren::driver
