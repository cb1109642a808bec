#pragma once
// Private to src/driver: which device's kernels may touch whose memory. One address space holds the memory of
// all devices, so what a kernel may not touch is taken out of reach while code of its device runs.

#include <cstdint>
#include <set>
#include <vector>

#include "driver/status.h"
#include "engine/arena.h"

namespace wanren::driver {

class Peers {
 public:
  Peers(engine::Arena& arena, int devices) : arena_(arena), devices_(devices) {
    for (int device = 0; device < devices; ++device) domains_.push_back({device, {}, false});
    if (devices > 1)
      for (int device = 0; device < devices; ++device) domains_.push_back({device, {}, true});
  }

  /// Memory of `owner` that others reach by grant(), not by enable(): a pool's.
  int add_domain(int owner);
  /// Managed memory that `owner` has allocated: everybody's.
  int managed_domain(int owner) const { return devices_ > 1 ? devices_ + owner : owner; }
  int owner_of(int domain) const { return domains_[static_cast<std::size_t>(domain)].owner; }
  void grant(int domain, int device, bool access);
  bool granted(int domain, int device) const;

  Status enable(int device, int owner);
  Status disable(int device, int owner);

  /// Regions of other devices that this one's code may touch; managed memory apart.
  std::vector<engine::Arena::Region> remote(int device) const;

 private:
  friend class Reach;
  struct Domain {
    int owner;
    std::set<int> devices;  ///< Besides the owner.
    bool managed = false;
  };
  using Access = engine::VirtualMemory::Access;
  Access access(const engine::Arena::Region& region, int device) const;
  void seal(int device);

  engine::Arena& arena_;
  int devices_;
  std::vector<Domain> domains_;  ///< First the devices' own, then their managed ones.

  int device_ = everybody;
  std::vector<engine::Arena::Region> sealed_;

  static constexpr int everybody = -1;
};

/// While it lives, memory may be touched as code of `device` may. They nest.
class Reach {
 public:
  Reach(Peers& peers, int device) : peers_(peers), before_(peers.device_) { peers_.seal(device); }
  ~Reach() { peers_.seal(before_); }
  Reach(const Reach&) = delete;
  Reach& operator=(const Reach&) = delete;

  static Reach everything(Peers& peers) { return Reach(peers, Peers::everybody); }
  static Reach as_before(Peers& peers) { return Reach(peers, peers.device_); }
  /// Narrows the innermost.
  static void become(Peers& peers, int device) { peers.seal(device); }

 private:
  Peers& peers_;
  int before_;
};

}  // namespace wanren::driver
