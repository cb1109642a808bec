#pragma once
// The devices of this process, made on first use from the environment, and what they share: one host with one
// timeline, one address space, one order of launches.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "driver/device.h"

namespace wanren::driver {

struct Shared;

/// A moment of the run: launches before it, and the host's modelled timeline.
struct Mark {
  std::uint64_t launches = 0;
  double host_us = 0;
};

class Process {
 public:
  /// Null if the devices could not be made or all are hidden; then `why` is set.
  static Process* get(Status* why = nullptr);
  /// The process's devices if they have been made already, else null.
  static Process* made();

  std::span<Device* const> devices() const;
  /// The device whose memory the pointer lies in; `otherwise` if in none's.
  Device& owner_of(const void* pointer, Device& otherwise) const;

  std::uint64_t launches() const;
  /// What the run did since then, with everything that is queued.
  report::Run run_record(const Mark& since = {});
  /// Writes the report and the summary that the settings ask for; once.
  void finish();

 private:
  explicit Process(std::unique_ptr<Shared> shared);
  ~Process();

  std::unique_ptr<Shared> shared_;
};

}  // namespace wanren::driver
