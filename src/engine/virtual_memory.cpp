#include "engine/virtual_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/arena.h"

namespace wanren::engine {
namespace {

bool is_whole(std::uint64_t bytes) {
  return bytes != 0 && bytes % Arena::granule_bytes == 0;
}

Error not_whole(std::uint64_t bytes) {
  return {"",
          fmt::format("{} bytes are not a multiple of the granularity of {}", bytes, Arena::granule_bytes),
          "round up to what cuMemGetAllocationGranularity answers"};
}

}  // namespace

PhysicalMemory::~PhysicalMemory() {
  close(file_);
  at_end_();
}

Result<Physical> VirtualMemory::adopt(int file, std::uint64_t bytes, std::function<void()> at_end) {
  {
    std::lock_guard lock(arena_.memory_lock_);
    if (auto charged = arena_.charge(bytes, bytes); !charged) {
      close(file);
      return std::unexpected(charged.error());
    }
    arena_.device_used_ += bytes;
    arena_.host_used_ += bytes;
  }
  return std::make_shared<PhysicalMemory>(file, bytes, [this, bytes, at_end = std::move(at_end)] {
    {
      std::lock_guard lock(arena_.memory_lock_);
      arena_.device_used_ -= bytes;
      arena_.host_used_ -= bytes;
    }
    at_end();
  });
}

Result<Physical> VirtualMemory::create(std::uint64_t bytes, std::function<void()> at_end) {
  if (!is_whole(bytes)) return std::unexpected(not_whole(bytes));
  const int file = memfd_create("device memory", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(bytes)) != 0) {
    const int why = errno;
    if (file >= 0) close(file);
    return fail("", fmt::format("the host cannot make {} bytes of memory: {}", bytes, std::strerror(why)));
  }
  return adopt(file, bytes, std::move(at_end));
}

Result<Physical> VirtualMemory::import(int file, std::function<void()> at_end) {
  struct stat about{};
  const int own = dup(file);
  if (own < 0 || fstat(own, &about) != 0 || !is_whole(static_cast<std::uint64_t>(about.st_size))) {
    if (own >= 0) close(own);
    return fail("", "the file is not device memory");
  }
  return adopt(own, static_cast<std::uint64_t>(about.st_size), std::move(at_end));
}

Result<void*> VirtualMemory::reserve(std::uint64_t bytes, std::uint64_t align) {
  if (!is_whole(bytes)) return std::unexpected(not_whole(bytes));
  if ((align & (align - 1)) != 0)
    return fail("", fmt::format("an alignment of {} is no power of two", align));
  std::lock_guard lock(arena_.memory_lock_);
  const auto offset = arena_.device_.take(bytes, std::max(align, Arena::granule_bytes));
  if (!offset) return fail("", fmt::format("no {} bytes of device addresses are free", bytes));
  reservations_[*offset] = bytes;
  return static_cast<void*>(arena_.at(*offset));
}

Result<void> VirtualMemory::free(void* base, std::uint64_t bytes) {
  std::lock_guard lock(arena_.memory_lock_);
  const auto it = arena_.inside(base) ? reservations_.find(arena_.offset(base)) : reservations_.end();
  if (it == reservations_.end() || it->second != bytes)
    return fail("", fmt::format("{} bytes at {} are not a reservation of addresses", bytes, base));
  const auto first = mappings_.lower_bound(it->first);
  if (first != mappings_.end() && first->first < it->first + bytes)
    return fail("", fmt::format("the addresses at {} are still mapped", base), "unmap them first");
  arena_.device_.give(it->first, bytes);
  reservations_.erase(it);
  return {};
}

Result<void> VirtualMemory::map(void* at, std::uint64_t bytes, Physical physical) {
  if (!is_whole(bytes)) return std::unexpected(not_whole(bytes));
  std::lock_guard lock(arena_.memory_lock_);
  const std::uint64_t begin = arena_.offset(at);
  auto reservation = arena_.inside(at) ? reservations_.upper_bound(begin) : reservations_.begin();
  if (reservation == reservations_.begin() || begin % Arena::granule_bytes != 0 ||
      (--reservation)->first + reservation->second < begin + bytes)
    return fail("", fmt::format("{} bytes at {} are not reserved", bytes, at),
                "call cuMemAddressReserve first");
  const auto next = mappings_.lower_bound(begin);
  const bool over = next != mappings_.end() && next->first < begin + bytes;
  const bool under =
      next != mappings_.begin() && std::prev(next)->first + std::prev(next)->second.bytes > begin;
  if (over || under) return fail("", fmt::format("part of {} bytes at {} is mapped already", bytes, at));
  if (bytes > physical->bytes())
    return fail("", fmt::format("{} bytes of a memory of {} bytes", bytes, physical->bytes()));
  if (mmap(at, bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, physical->file(), 0) == MAP_FAILED) {
    const int why = errno;
    arena_.decommit(at, bytes);
    return fail("", fmt::format("the host cannot map device memory: {}", std::strerror(why)));
  }
  mappings_[begin] = {bytes, std::move(physical), {}};
  return {};
}

std::pair<VirtualMemory::Mappings::iterator, VirtualMemory::Mappings::iterator> VirtualMemory::mappings_of(
    std::uint64_t begin, std::uint64_t bytes) {
  const auto none = std::pair{mappings_.end(), mappings_.end()};
  const auto first = mappings_.find(begin);
  if (bytes == 0) return none;
  std::uint64_t end = begin;
  auto it = first;
  for (; it != mappings_.end() && it->first == end && end < begin + bytes; ++it) end += it->second.bytes;
  return end == begin + bytes ? std::pair{first, it} : none;
}

Result<void> VirtualMemory::unmap(void* at, std::uint64_t bytes) {
  Mappings gone;  // What they held ends without the lock.
  std::lock_guard lock(arena_.memory_lock_);
  const auto [first, last] = mappings_of(arena_.offset(at), bytes);
  if (!arena_.inside(at) || first == last)
    return fail("", fmt::format("{} bytes at {} are not whole mappings", bytes, at));
  arena_.decommit(at, bytes);
  for (auto it = first; it != last;) gone.insert(mappings_.extract(it++));
  return {};
}

VirtualMemory::Access VirtualMemory::widest(const Grants& grants) {
  Access most = Access::none;
  for (const auto& [device, access] : grants) most = std::max(most, access);
  return most;
}

int VirtualMemory::host_protection(Access access) {
  return access == Access::none ? PROT_NONE : access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
}

Result<void> VirtualMemory::set_access(void* at, std::uint64_t bytes, int device, Access access) {
  std::lock_guard lock(arena_.memory_lock_);
  const auto [first, last] = mappings_of(arena_.offset(at), bytes);
  if (!arena_.inside(at) || first == last)
    return fail("", fmt::format("{} bytes at {} are not whole mappings", bytes, at));
  for (auto it = first; it != last; ++it) {
    Grants grants = it->second.grants;
    grants[device] = access;
    if (mprotect(arena_.at(it->first), it->second.bytes, host_protection(widest(grants))) != 0)
      return fail("", fmt::format("the host cannot map device memory: {}", std::strerror(errno)));
    it->second.grants = std::move(grants);
  }
  return {};
}

std::optional<VirtualMemory::Mapped> VirtualMemory::find_locked(std::uint64_t offset) const {
  const auto next = mappings_.upper_bound(offset);
  if (next == mappings_.begin()) return std::nullopt;
  auto first = std::prev(next), last = first;
  const auto end_of = [](const auto& mapping) { return mapping->first + mapping->second.bytes; };
  if (offset >= end_of(first)) return std::nullopt;
  const Mapping& mapping = first->second;
  if (mapping.access() != Access::none) {
    while (first != mappings_.begin() && end_of(std::prev(first)) == first->first &&
           std::prev(first)->second.access() != Access::none)
      --first;
    while (std::next(last) != mappings_.end() && std::next(last)->first == end_of(last) &&
           std::next(last)->second.access() != Access::none)
      ++last;
  }
  return Mapped{mapping.physical, mapping.access(), mapping.grants, arena_.at(first->first),
                end_of(last) - first->first};
}

std::optional<VirtualMemory::Mapped> VirtualMemory::find(const void* pointer) const {
  std::lock_guard lock(arena_.memory_lock_);
  return arena_.inside(pointer) ? find_locked(arena_.offset(pointer)) : std::nullopt;
}

}  // namespace wanren::engine
