#pragma once
// Private to src/driver: what the devices of a process share.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "driver/device.h"
#include "driver/managed.h"
#include "driver/peers.h"
#include "report/profile.h"

namespace wanren::driver {

struct Shared {
  Settings settings;
  std::unique_ptr<engine::Arena> arena;  ///< One address space: pinned and managed memory is everybody's.
  std::vector<Device*> devices;
  std::unique_ptr<Peers> peers;
  std::recursive_mutex mutex;
  Picoseconds host_now;
  std::uint64_t next_launch = 0;
  std::unique_ptr<report::ProfileStream> profile;  ///< Null: nobody asked.
  double begin_wall_s = 0;
  bool finished = false;

  struct Owned {
    Device* device;
    std::size_t bytes;
    std::uint64_t id;                       ///< Never given twice.
    std::unique_ptr<AdvisedRange> managed;  ///< Null: not managed memory.
  };
  std::uint64_t next_id = 1;
  std::map<const void*, Owned> owned;                         ///< By the base of what a device has allocated.
  std::map<const engine::PhysicalMemory*, Device*> physical;  ///< Made by a device, mapped or not.

  /// The device that allocated what the pointer lies in, or null.
  Device* owner_of(const void* pointer) const {
    const auto found = arena->find(pointer);
    if (!found) return nullptr;
    if (found->physical) return physical.at(found->physical.get());
    return found->domain >= 0 ? devices[static_cast<std::size_t>(peers->owner_of(found->domain))] : nullptr;
  }
};

}  // namespace wanren::driver
