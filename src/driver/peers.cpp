#include "driver/peers.h"

#include "driver/device_impl.h"

namespace wanren::driver {

int Peers::add_domain(int owner) {
  // With one device nobody else is to be kept out, and small blocks of all pools may share granules.
  if (devices_ == 1) return owner;
  domains_.push_back({owner, {}, false});
  return static_cast<int>(domains_.size()) - 1;
}

void Peers::grant(int domain, int device, bool access) {
  std::set<int>& devices = domains_[static_cast<std::size_t>(domain)].devices;
  if (access)
    devices.insert(device);
  else
    devices.erase(device);
}

bool Peers::granted(int domain, int device) const {
  const Domain& d = domains_[static_cast<std::size_t>(domain)];
  return d.managed || d.owner == device || d.devices.contains(device);
}

Status Peers::enable(int device, int owner) {
  if (granted(owner, device)) return Status::cudaErrorPeerAccessAlreadyEnabled;
  grant(owner, device, true);
  return Status::cudaSuccess;
}

Status Peers::disable(int device, int owner) {
  if (!granted(owner, device)) return Status::cudaErrorPeerAccessNotEnabled;
  grant(owner, device, false);
  return Status::cudaSuccess;
}

Peers::Access Peers::access(const engine::Arena::Region& region, int device) const {
  if (region.domain >= 0) return granted(region.domain, device) ? Access::read_write : Access::none;
  const auto it = region.grants.find(device);
  return it != region.grants.end() ? it->second : Access::none;
}

std::vector<engine::Arena::Region> Peers::remote(int device) const {
  std::vector<engine::Arena::Region> regions = arena_.regions();
  std::erase_if(regions, [&](const engine::Arena::Region& region) {
    return (region.domain >= 0 && (owner_of(region.domain) == device ||
                                   domains_[static_cast<std::size_t>(region.domain)].managed)) ||
           access(region, device) == Access::none;
  });
  return regions;
}

void Peers::seal(int device) {
  if (device == device_ || devices_ == 1) return;
  const auto widest = [](const engine::Arena::Region& region) {
    return region.domain >= 0 ? Access::read_write : engine::VirtualMemory::widest(region.grants);
  };
  for (const engine::Arena::Region& region : sealed_) arena_.protect(region, widest(region));
  sealed_.clear();
  device_ = device;
  if (device == everybody) return;
  for (engine::Arena::Region& region : arena_.regions()) {
    const Access allowed = access(region, device);
    if (allowed == widest(region)) continue;
    arena_.protect(region, allowed);
    sealed_.push_back(std::move(region));
  }
}

bool Device::linked_to(const Device& peer) const {
  return &peer != this && chip_.link.kind != "none" && chip_.link.kind == peer.chip_.link.kind;
}

Status Device::enable_peer(const Device& peer) {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.api_call);
  return linked_to(peer) ? shared_.peers->enable(index_, peer.index_)
                         : Status::cudaErrorPeerAccessUnsupported;
}

Status Device::disable_peer(const Device& peer) {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.api_call);
  // What was launched while it was allowed.
  impl_->wait_for_all();
  return &peer == this ? Status::cudaErrorPeerAccessNotEnabled : shared_.peers->disable(index_, peer.index_);
}

int Device::add_domain() {
  std::lock_guard lock(impl_->mutex);
  return shared_.peers->add_domain(index_);
}

Status Device::grant(int domain, const Device& peer, bool access) {
  std::lock_guard lock(impl_->mutex);
  // The owner keeps its access.
  if (&peer == this) return access ? Status::cudaSuccess : Status::cudaErrorInvalidDevice;
  if (!linked_to(peer)) return Status::cudaErrorInvalidDevice;
  if (!access) peer.impl_->wait_for_all();
  shared_.peers->grant(domain, peer.index_, access);
  return Status::cudaSuccess;
}

bool Device::granted(int domain, const Device& peer) const {
  std::lock_guard lock(impl_->mutex);
  return shared_.peers->granted(domain, peer.index_);
}

}  // namespace wanren::driver
