// Device memory and copies.

#include <algorithm>
#include <cstring>

#include "driver/device_impl.h"
#include "driver/pool.h"
#include "support/log.h"

namespace wanren::driver {
namespace {

/// Pageable source data of asynchronous copies up to this size is captured at the call, as CUDA's driver
/// does by staging; larger copies hold the host.
constexpr std::size_t staging_limit = 64 << 10;

void copy_rows(void* destination, const void* source, const CopyShape& shape) {
  auto* to = static_cast<std::uint8_t*>(destination);
  const auto* from = static_cast<const std::uint8_t*>(source);
  for (std::size_t z = 0; z < shape.depth; ++z)
    for (std::size_t y = 0; y < shape.height; ++y)
      std::memmove(to + z * shape.destination_slice + y * shape.destination_pitch,
                   from + z * shape.source_slice + y * shape.source_pitch, shape.width);
}

std::size_t extent(const CopyShape& shape, std::size_t pitch, std::size_t slice) {
  if (shape.bytes() == 0) return 0;
  return (shape.depth - 1) * slice + (shape.height - 1) * pitch + shape.width;
}

template <class T>
void fill_row(std::uint8_t* row, std::uint32_t value, std::size_t bytes) {
  auto* elements = reinterpret_cast<T*>(row);
  std::fill(elements, elements + bytes / sizeof(T), static_cast<T>(value));
}

}  // namespace

Result<void> Device::Impl::has_room(std::size_t bytes) const {
  const auto capacity = static_cast<std::size_t>(device.chip_.hbm.bytes_per_die * device.chip_.package.dies);
  // A single device's memory is the arena's, which counts it in granules.
  if (shared.devices.size() <= 1 || (bytes <= capacity && owned_bytes <= capacity - bytes)) return {};
  return fail("device " + std::to_string(device.index()),
              "the chip's memory is full: " + std::to_string(owned_bytes) + " of " +
                  std::to_string(capacity) + " bytes are in use and " + std::to_string(bytes) +
                  " are asked for",
              "free memory, or choose a chip with more");
}

Result<void*> Device::Impl::allocate(std::size_t bytes, int domain) {
  if (auto room = has_room(bytes); !room) return std::unexpected(room.error());
  Result<void*> allocated = device.arena().allocate(bytes, domain);
  if (!allocated) return allocated;
  shared.owned[*allocated] = {&device, bytes, shared.next_id++, nullptr};
  owned_bytes += bytes;
  return allocated;
}

Result<void> Device::Impl::release(void* pointer) {
  Result<void> released = device.arena().release(pointer);
  if (const auto it = shared.owned.find(pointer); released && it != shared.owned.end()) {
    it->second.device->impl_->owned_bytes -= it->second.bytes;
    shared.owned.erase(it);
  }
  return released;
}

Status Device::Impl::allocate(std::size_t bytes, void** pointer, int domain) {
  if (sticky != Status::cudaSuccess) return sticky;
  charge_us(device.chip_.host.api_call);
  if (bytes == 0) {
    *pointer = nullptr;
    return Status::cudaSuccess;
  }
  Result<void*> allocated = allocate(bytes, domain);
  if (!allocated && !freed.empty()) {
    wait_for_all();
    allocated = allocate(bytes, domain);
  }
  if (!allocated) {
    log::warn(allocated.error().message());
    return Status::cudaErrorMemoryAllocation;
  }
  *pointer = *allocated;
  return Status::cudaSuccess;
}

Status Device::allocate(std::size_t bytes, void** pointer) {
  std::lock_guard lock(impl_->mutex);
  return impl_->allocate(bytes, pointer, index_);
}

Status Device::allocate_managed(std::size_t bytes, void** pointer) {
  std::lock_guard lock(impl_->mutex);
  const Status status = impl_->allocate(bytes, pointer, shared_.peers->managed_domain(index_));
  if (status == Status::cudaSuccess && bytes != 0)
    shared_.owned.at(*pointer).managed = std::make_unique<AdvisedRange>(bytes);
  return status;
}

AdvisedRange* Device::Impl::managed(const void* at, std::size_t bytes, std::size_t& offset) const {
  const auto found = shared.arena->find(at);
  const auto it = found ? shared.owned.find(found->base) : shared.owned.end();
  if (it == shared.owned.end() || it->second.managed == nullptr) return nullptr;
  offset = static_cast<std::size_t>(static_cast<const std::byte*>(at) -
                                    static_cast<const std::byte*>(found->base));
  return bytes <= it->second.bytes - offset ? it->second.managed.get() : nullptr;
}

bool Device::is_managed(const void* pointer) const {
  std::lock_guard lock(impl_->mutex);
  std::size_t offset = 0;
  return impl_->managed(pointer, 0, offset) != nullptr;
}

std::uint64_t Device::allocation_id(const void* pointer) const {
  std::lock_guard lock(impl_->mutex);
  const auto found = arena().find(pointer);
  const auto it = found ? shared_.owned.find(found->base) : shared_.owned.end();
  return it != shared_.owned.end() ? it->second.id : 0;
}

Status Device::advise(const void* at, std::size_t bytes, const std::function<void(Advice&)>& how) {
  std::lock_guard lock(impl_->mutex);
  std::size_t begin = 0;
  AdvisedRange* const range = impl_->managed(at, bytes, begin);
  if (range == nullptr || bytes == 0) return Status::cudaErrorInvalidValue;
  range->change(begin, begin + bytes, how);
  return Status::cudaSuccess;
}

Status Device::advice(const void* at, std::size_t bytes, std::vector<Advice>& pieces) const {
  std::lock_guard lock(impl_->mutex);
  std::size_t begin = 0;
  const AdvisedRange* const range = impl_->managed(at, bytes, begin);
  if (range == nullptr || bytes == 0) return Status::cudaErrorInvalidValue;
  pieces = range->over(begin, begin + bytes);
  return Status::cudaSuccess;
}

Status Device::free(void* pointer) {
  std::lock_guard lock(impl_->mutex);
  if (pointer == nullptr) return Status::cudaSuccess;
  if (Device* owner = shared_.owner_of(pointer); owner != nullptr && owner != this)
    return owner->free(pointer);
  impl_->wait_for_all();
  impl_->charge_us(chip_.host.synchronize);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  if (Result<void> released = impl_->release(pointer); !released) {
    log::warn(released.error().message());
    return Status::cudaErrorInvalidValue;
  }
  return Status::cudaSuccess;
}

Status Device::create_physical(std::size_t bytes, int file, engine::Physical* memory) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  impl_->charge_us(chip_.host.api_call);
  engine::VirtualMemory& space = arena().virtual_memory();
  Result<void> room = impl_->has_room(bytes);
  if (!room) {
    log::warn(room.error().message());
    return Status::cudaErrorMemoryAllocation;
  }
  // Its end comes when the last handle or mapping goes, on whichever thread.
  auto held = std::make_shared<std::pair<const engine::PhysicalMemory*, std::size_t>>(nullptr, 0);
  const auto at_end = [this, held] {
    std::lock_guard all(impl_->mutex);
    impl_->owned_bytes -= held->second;
    shared_.physical.erase(held->first);
  };
  Result<engine::Physical> made = file < 0 ? space.create(bytes, at_end) : space.import(file, at_end);
  if (!made) {
    log::warn(made.error().message());
    return Status::cudaErrorMemoryAllocation;
  }
  *held = {made->get(), (*made)->bytes()};
  impl_->owned_bytes += held->second;
  shared_.physical[held->first] = this;
  *memory = std::move(*made);
  return Status::cudaSuccess;
}

Status Device::unmap(void* at, std::size_t bytes) {
  std::lock_guard lock(impl_->mutex);
  impl_->wait_for_all();
  impl_->charge_us(chip_.host.synchronize);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  if (Result<void> done = arena().virtual_memory().unmap(at, bytes); !done) {
    log::warn(done.error().message());
    return Status::cudaErrorInvalidValue;
  }
  return Status::cudaSuccess;
}

Status Device::reset() {
  std::lock_guard lock(impl_->mutex);
  const Status known = impl_->sticky;
  impl_->wait_for_all();
  const Status found = impl_->sticky;
  impl_->sticky = Status::cudaSuccess;
  impl_->release_freed();
  for (Device* other : shared_.devices)
    if (other != this) {
      shared_.peers->grant(other->index_, index_, false);
      shared_.peers->grant(index_, other->index_, false);
    }
  std::vector<void*> left;
  for (const auto& [pointer, owned] : shared_.owned)
    if (owned.device == this) left.push_back(const_cast<void*>(pointer));
  for (void* pointer : left) {
    if (GraphMemory::find(pointer)) continue;  // The graph's, which the program may still destroy.
    forget_block(pointer);
    WR_CHECK(impl_->release(pointer).has_value());
  }
  // Modules that the program itself loaded are gone in CUDA; those of its own kernels begin anew.
  for (const auto& module : impl_->modules) WR_CHECK(module->initialise().has_value());
  return known == Status::cudaSuccess ? found : Status::cudaSuccess;
}

Status Device::allocate_async(std::size_t bytes, void** pointer, const Stream& stream, int domain) {
  std::lock_guard lock(impl_->mutex);
  const int id = impl_->resolve(stream)->id;
  const auto block = std::find_if(impl_->freed.begin(), impl_->freed.end(), [&](const FreedBlock& b) {
    return b.stream == id && b.bytes == bytes && b.domain == domain;
  });
  if (block == impl_->freed.end()) return impl_->allocate(bytes, pointer, domain);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  impl_->charge_us(chip_.host.api_call);
  *pointer = block->pointer;
  impl_->freed.erase(block);
  return Status::cudaSuccess;
}

Status Device::free_async(void* pointer, const Stream& stream) {
  std::lock_guard lock(impl_->mutex);
  if (pointer == nullptr) return Status::cudaSuccess;
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  impl_->charge_us(chip_.host.api_call);
  if (Device* owner = shared_.owner_of(pointer); owner != nullptr && owner != this) {
    // Another device's memory: not for this one's next allocations.
    impl_->wait_for(impl_->resolve(stream)->last);
    return owner->free(pointer);
  }
  const auto found = arena().find(pointer);
  const bool twice = std::any_of(impl_->freed.begin(), impl_->freed.end(),
                                 [&](const FreedBlock& b) { return b.pointer == pointer; });
  if (!found || found->kind != engine::Arena::Kind::device || found->physical || found->base != pointer ||
      twice) {
    log::warn("cudaFreeAsync of what is not the start of a live device allocation");
    return Status::cudaErrorInvalidValue;
  }
  Op op;
  op.kind = Op::Kind::marker;
  op.stream = stream;
  FreedBlock block{pointer, found->bytes, impl_->resolve(stream)->id, found->domain,
                   impl_->submit(std::move(op))};
  impl_->freed.push_back(std::move(block));
  return impl_->sticky;
}

Status Device::allocate_host(std::size_t bytes, void** pointer) {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.api_call);
  if (bytes == 0) {
    *pointer = nullptr;
    return Status::cudaSuccess;
  }
  Result<void*> allocated = arena().allocate_host(bytes);
  if (!allocated) {
    log::warn(allocated.error().message());
    return Status::cudaErrorMemoryAllocation;
  }
  *pointer = *allocated;
  return Status::cudaSuccess;
}

Status Device::free_host(void* pointer) {
  std::lock_guard lock(impl_->mutex);
  if (pointer == nullptr) return Status::cudaSuccess;
  for (Device* device : shared_.devices) device->impl_->wait_for_all();
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  return arena().release_host(pointer) ? Status::cudaSuccess : Status::cudaErrorInvalidValue;
}

Status Device::register_host(void* host, std::size_t bytes) {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.api_call);
  Result<void*> mapped = arena().map_host(host, bytes);
  if (!mapped) {
    log::warn(mapped.error().message());
    return arena().find(host) ? Status::cudaErrorHostMemoryAlreadyRegistered : Status::cudaErrorInvalidValue;
  }
  return Status::cudaSuccess;
}

Status Device::unregister_host(void* host) {
  std::lock_guard lock(impl_->mutex);
  impl_->wait_for_all();
  return arena().unmap_host(host) ? Status::cudaSuccess : Status::cudaErrorHostMemoryNotRegistered;
}

void Device::memory_info(std::size_t& free_bytes, std::size_t& total_bytes) const {
  if (shared_.devices.size() == 1) {
    total_bytes = arena().capacity_bytes();
    free_bytes = total_bytes - std::min<std::size_t>(arena().used_bytes(), total_bytes);
    return;
  }
  total_bytes = static_cast<std::size_t>(chip_.hbm.bytes_per_die * chip_.package.dies);
  free_bytes = total_bytes - std::min(impl_->owned_bytes, total_bytes);
}

bool Device::is_device_pointer(const void* pointer) const {
  const auto found = arena().find(pointer);
  return found && found->kind == engine::Arena::Kind::device;
}

Status Device::copy(void* destination, const void* source, const CopyShape& shape, CopyDirection direction,
                    const Stream& stream, bool asynchronous) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  if (!asynchronous)
    if (const Status status = unsafe_in_capture(); status != Status::cudaSuccess) return status;
  if (const Status status = implicit_in_capture(stream, impl_->streams); status != Status::cudaSuccess)
    return status;
  if (CapturePoint* point = capturing(stream)) {
    if (!asynchronous) return Status::cudaErrorStreamCaptureUnsupported;
    point->add(CopyCall{destination, source, shape, direction});
    return Status::cudaSuccess;
  }
  impl_->charge_us(chip_.host.api_call);
  if (shape.bytes() == 0) return Status::cudaSuccess;
  if (destination == nullptr || source == nullptr) return Status::cudaErrorInvalidValue;
  if (shape.source_pitch < shape.width || shape.destination_pitch < shape.width)
    return Status::cudaErrorInvalidPitchValue;

  const auto to = arena().find(destination), from = arena().find(source);
  const bool to_device = to && to->kind == engine::Arena::Kind::device;
  const bool from_device = from && from->kind == engine::Arena::Kind::device;
  const bool wants_to_device =
      direction == CopyDirection::host_to_device || direction == CopyDirection::device_to_device;
  const bool wants_from_device =
      direction == CopyDirection::device_to_host || direction == CopyDirection::device_to_device;
  if (direction != CopyDirection::automatic) {
    // A pointer inside the arena that no allocation owns is a device pointer gone wrong.
    const bool bad = (wants_to_device && !to) || (wants_from_device && !from);
    if (bad) {
      log::warn("copy of " + std::to_string(shape.bytes()) +
                " bytes: " + (wants_to_device && !to ? "destination" : "source") + " is not device memory");
      return Status::cudaErrorInvalidValue;
    }
  }
  auto fits = [&](const auto& allocation, const void* pointer, std::size_t bytes) {
    const auto* base = static_cast<const std::uint8_t*>(
        allocation->kind == engine::Arena::Kind::registered &&
                static_cast<const std::uint8_t*>(pointer) >=
                    static_cast<const std::uint8_t*>(allocation->host) &&
                static_cast<const std::uint8_t*>(pointer) <
                    static_cast<const std::uint8_t*>(allocation->host) + allocation->bytes
            ? allocation->host
            : allocation->base);
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(pointer) - base) + bytes <=
           allocation->bytes;
  };
  if ((to_device &&
       !fits(to, destination, extent(shape, shape.destination_pitch, shape.destination_slice))) ||
      (from_device && !fits(from, source, extent(shape, shape.source_pitch, shape.source_slice)))) {
    log::warn("copy of " + std::to_string(shape.bytes()) + " bytes runs past the end of a device allocation");
    return Status::cudaErrorInvalidValue;
  }

  Op op;
  op.kind = Op::Kind::copy;
  op.stream = stream;
  op.copy.bytes = shape.bytes();
  if (to_device && from_device)
    op.copy.kind = timing::CopyKind::device_to_device;
  else if (to_device)
    op.copy.kind = timing::CopyKind::host_to_device;
  else if (from_device)
    op.copy.kind = timing::CopyKind::device_to_host;
  const auto owner = [&](const void* pointer) {
    Device* device = shared_.owner_of(pointer);
    return device != nullptr ? device : this;
  };
  Device *const target = owner(destination), *const origin = owner(source);
  op.abroad = target != this || origin != this || (to && to->physical) || (from && from->physical);
  if (to_device && from_device) {
    if (target != origin) {
      // Over the links between the two chips, at the rate of the slower, or over both host links. What the
      // links of this device do stands for both where it is neither's.
      Device* peer = target == this ? origin : target;
      op.peer = peer->index();
      const bool linked = origin->linked_to(*target);
      op.copy.kind = linked           ? timing::CopyKind::peer
                     : target == this ? timing::CopyKind::host_to_device
                                      : timing::CopyKind::device_to_host;
      op.copy.far_bandwidth = linked ? std::min(origin->chip_.link.bandwidth, target->chip_.link.bandwidth)
                                     : peer->chip_.host.pcie_bandwidth;
      // As in CUDA, a copy that the host waits for comes behind all that both devices have to do.
      if (!asynchronous) peer->impl_->wait_for_all();
    }
  }
  if (to_device) op.copy.destination = arena().to_device(destination);
  if (from_device) op.copy.source = arena().to_device(source);
  op.copy.pageable = (!to_device && !to) || (!from_device && !from);
  const bool stage = asynchronous && op.copy.pageable && to_device && shape.bytes() <= staging_limit;
  if (stage) {
    CopyShape packed = shape;
    packed.destination_pitch = shape.width;
    packed.destination_slice = shape.width * shape.height;
    auto staged = std::make_shared<std::vector<std::uint8_t>>(shape.bytes());
    copy_rows(staged->data(), source, packed);
    CopyShape unpacked = shape;
    unpacked.source_pitch = packed.destination_pitch;
    unpacked.source_slice = packed.destination_slice;
    op.effect = [=] { copy_rows(destination, staged->data(), unpacked); };
  } else {
    op.effect = [=] { copy_rows(destination, source, shape); };
  }
  const bool wait = !asynchronous && op.copy.kind != timing::CopyKind::device_to_device;
  // The driver passes pageable memory through buffers of its own, chunk by chunk, in the host's time.
  const bool hold = asynchronous && op.copy.pageable && !stage;
  const OpRef submitted = impl_->submit(std::move(op));
  if (wait || hold) impl_->wait_for(submitted);
  if (wait) impl_->charge_us(chip_.host.synchronize);
  return impl_->sticky;
}

Status Device::fill(void* destination, std::uint32_t value, unsigned element, const CopyShape& shape,
                    const Stream& stream, bool asynchronous) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  if (const Status status = implicit_in_capture(stream, impl_->streams); status != Status::cudaSuccess)
    return status;
  if (CapturePoint* point = capturing(stream)) {
    point->add(FillCall{destination, value, element, shape});
    return Status::cudaSuccess;
  }
  impl_->charge_us(chip_.host.api_call);
  if (shape.bytes() == 0) return Status::cudaSuccess;
  const auto to = arena().find(destination);
  if (!to) {
    log::warn("memset destination is not device memory");
    return Status::cudaErrorInvalidValue;
  }
  const auto* base = static_cast<const std::uint8_t*>(to->base);
  if (static_cast<std::size_t>(static_cast<std::uint8_t*>(destination) - base) +
          extent(shape, shape.destination_pitch, shape.destination_slice) >
      to->bytes) {
    log::warn("memset of " + std::to_string(shape.bytes()) + " bytes runs past the end of the allocation");
    return Status::cudaErrorInvalidValue;
  }
  Op op;
  op.kind = Op::Kind::copy;
  op.stream = stream;
  op.abroad = shared_.owner_of(destination) != this || to->physical;
  op.copy.kind = timing::CopyKind::fill;
  op.copy.bytes = shape.bytes();
  op.copy.destination = arena().to_device(destination);
  op.effect = [=] {
    auto* to = static_cast<std::uint8_t*>(destination);
    for (std::size_t z = 0; z < shape.depth; ++z)
      for (std::size_t y = 0; y < shape.height; ++y) {
        std::uint8_t* row = to + z * shape.destination_slice + y * shape.destination_pitch;
        if (element == 4)
          fill_row<std::uint32_t>(row, value, shape.width);
        else if (element == 2)
          fill_row<std::uint16_t>(row, value, shape.width);
        else
          std::memset(row, static_cast<int>(value & 0xff), shape.width);
      }
  };
  impl_->submit(std::move(op));
  return impl_->sticky;
}

}  // namespace wanren::driver
