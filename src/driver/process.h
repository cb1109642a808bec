#pragma once
// The devices of this process, made on first use from the environment.

#include <span>
#include <vector>

#include "driver/device.h"

namespace wanren::driver {

class Process {
 public:
  /// Null if the devices could not be made or all are hidden; then `why` is set.
  static Process* get(Status* why = nullptr);
  /// The process's devices if they have been made already, else null.
  static Process* made();

  std::span<Device* const> devices() const { return devices_; }
  /// The device whose memory the pointer lies in; `otherwise` if in none's.
  Device& owner_of(const void* pointer, Device& otherwise) const;

 private:
  std::vector<Device*> devices_;
};

}  // namespace wanren::driver
