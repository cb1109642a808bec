#include "engine/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "engine/host_memory.h"
#include "engine/services.h"
#include "support/settings.h"

namespace wanren::engine {
namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30;
constexpr std::uint64_t page_bytes = 4096;
// Two windows per multiprocessor slot of the largest chip (132 units of 32 CTAs), and some to spare.
constexpr std::uint64_t most_windows = 4608;
constexpr std::uint32_t parameter_slots = 4096;
constexpr std::uint64_t pool_limit_bytes = std::uint64_t{1} << 20;

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}

std::uint64_t granule_of(std::uint64_t offset) {
  return offset / Arena::granule_bytes * Arena::granule_bytes;
}

void* page_of(std::uint64_t host) {
  return reinterpret_cast<void*>(host / page_bytes * page_bytes);
}

void* reserve_at(std::uint64_t address, std::uint64_t bytes, int extra) {
  void* got = mmap(reinterpret_cast<void*>(address), bytes, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra, -1, 0);
  return got == MAP_FAILED ? nullptr : got;
}

/// Reserves `bytes` at a multiple of `bytes`, and Arena::fence_bytes on either side; 0 if the host has no
/// such range.
std::uint64_t reserve_aligned(std::uint64_t bytes) {
  constexpr std::uint64_t end_of_user_space = std::uint64_t{1} << 47;
  constexpr std::uint64_t fence = Arena::fence_bytes;
  for (std::uint64_t base = bytes; base + bytes + fence <= end_of_user_space && base <= 16 * bytes;
       base += bytes) {
    void* got = reserve_at(base - fence, bytes + 2 * fence, MAP_FIXED_NOREPLACE);
    if (got == nullptr) continue;
    if (reinterpret_cast<std::uint64_t>(got) == base - fence) return base;
    munmap(got, bytes + 2 * fence);  // Kernels before 4.17 take the address as a hint.
  }
  void* got = reserve_at(0, 2 * bytes + 2 * fence, 0);
  if (got == nullptr) return 0;
  const auto begin = reinterpret_cast<std::uint64_t>(got);
  const std::uint64_t end = begin + 2 * bytes + 2 * fence;
  const std::uint64_t base = round_up(begin + fence, bytes);
  if (base - fence != begin) munmap(got, base - fence - begin);
  if (base + bytes + fence != end)
    munmap(reinterpret_cast<void*>(base + bytes + fence), end - (base + bytes + fence));
  return base;
}

}  // namespace

std::optional<std::uint64_t> parse_bytes(const char* text) {
  char* end = nullptr;
  errno = 0;
  const double value = std::strtod(text, &end);
  if (end == text || errno != 0 || !(value >= 0) || value > 1e18) return std::nullopt;
  while (*end == ' ') ++end;
  double unit = 1;
  switch (*end) {
    case 'K':
    case 'k':
      unit = 1024;
      ++end;
      break;
    case 'M':
    case 'm':
      unit = 1024.0 * 1024;
      ++end;
      break;
    case 'G':
    case 'g':
      unit = 1024.0 * 1024 * 1024;
      ++end;
      break;
    case 'T':
    case 't':
      unit = 1024.0 * 1024 * 1024 * 1024;
      ++end;
      break;
    default: break;
  }
  if (unit != 1 && *end == 'i') ++end;
  if (*end == 'B' || *end == 'b') ++end;
  if (*end != '\0' || value * unit > 1e18) return std::nullopt;
  return static_cast<std::uint64_t>(value * unit);
}

Result<std::unique_ptr<Arena>> Arena::create(const Limits& limits) {
  Limits actual = limits;
  if (actual.host_bytes == 0) {
    if (const std::string text = text_of(Setting::memory_limit); !text.empty()) {
      const auto bytes = parse_bytes(text.c_str());
      if (!bytes || *bytes == 0)
        return fail("WANREN_MEMORY_LIMIT", fmt::format("'{}' is not a number of bytes", text),
                    "write for example 8G or 512M");
      actual.host_bytes = *bytes;
    } else {
      actual.host_bytes = available_host_bytes() / 10 * 8;
    }
  }
  for (int log = 45; log >= 40; --log) {
    const std::uint64_t bytes = std::uint64_t{1} << log;
    const std::uint64_t base = reserve_aligned(bytes);
    if (base == 0) continue;
#ifdef MADV_DONTDUMP
    madvise(reinterpret_cast<void*>(base), bytes, MADV_DONTDUMP);
#endif
    return std::unique_ptr<Arena>(new Arena(base, bytes, actual));
  }
  return fail("", "the host has no 1 TiB range of free addresses for device memory",
              "raise the limit on virtual memory (ulimit -v)");
}

Arena::Arena(std::uint64_t base, std::uint64_t bytes, const Limits& limits)
    : base_(base), bytes_(bytes), limits_(limits) {
  layout_.device = gib;  // Constant, so that addresses do not depend on the arena's size.
  layout_.heap = layout_.device + bytes / 8;
  // Timing tells lines apart by 32 bits: host memory is kept off the images of device memory.
  layout_.host = layout_.heap + bytes / 64 + 384 * gib;
  layout_.parameters = layout_.host + bytes / 8;
  layout_.shared = layout_.parameters + gib + reserve_bytes;
  const std::uint64_t shared_stride = reserve_bytes + shared_window_bytes;
  const std::uint64_t local_stride = reserve_bytes + local_window_bytes;
  const std::uint64_t room = bytes - layout_.shared - 2 * reserve_bytes;
  layout_.windows = static_cast<std::uint32_t>(std::min(most_windows, room / (shared_stride + local_stride)));
  layout_.local = layout_.shared + layout_.windows * shared_stride + reserve_bytes;
  device_ = RangeAllocator(layout_.device, layout_.heap - layout_.device);
  host_ = RangeAllocator(layout_.host, layout_.parameters - layout_.host);
  windows_.resize(layout_.windows);
  for (std::uint32_t i = layout_.windows; i-- > 0;) free_windows_.push_back(i);
  for (std::uint32_t i = parameter_slots; i-- > 0;) free_parameters_.push_back(i);
  runtime_ = std::make_unique<DeviceRuntime>(*this);
}

Arena::~Arena() {
  runtime_.reset();
  for (const auto& [host, begin] : registered_) release_pages(page_of(host), blocks_.at(begin).taken);
  munmap(reinterpret_cast<void*>(base_ - fence_bytes), bytes_ + 2 * fence_bytes);
}

bool Arena::commit(void* begin, std::uint64_t bytes) {
  return mprotect(begin, round_up(bytes, page_bytes), PROT_READ | PROT_WRITE) == 0;
}

void Arena::decommit(void* begin, std::uint64_t bytes) {
  // A fresh mapping gives the pages back and, unlike mprotect, merges with its neighbours.
  WR_CHECK(reserve_at(reinterpret_cast<std::uint64_t>(begin), round_up(bytes, page_bytes), MAP_FIXED) !=
           nullptr);
}

Result<void> Arena::charge(std::uint64_t device_bytes, std::uint64_t host_bytes) {
  if (device_bytes > limits_.capacity_bytes - std::min(device_used_, limits_.capacity_bytes))
    return fail("", fmt::format("out of device memory: {} bytes asked, {} of {} in use", device_bytes,
                                device_used_, limits_.capacity_bytes));
  if (host_bytes > limits_.host_bytes - std::min(host_used_, limits_.host_bytes))
    return fail("",
                fmt::format("out of host memory: {} bytes asked, {} of the limit of {} in use", host_bytes,
                            host_used_, limits_.host_bytes),
                "set WANREN_MEMORY_LIMIT higher if the host has more to give");
  return {};
}

Result<void*> Arena::allocate_pooled(std::uint64_t bytes, int domain) {
  RangeAllocator& pool = pools_[domain];
  const std::uint64_t size = round_up(std::max(bytes, minimum_bytes), minimum_bytes);
  auto offset = pool.take(size, minimum_bytes);
  if (!offset) {
    if (auto charged = charge(granule_bytes, granule_bytes); !charged)
      return std::unexpected(charged.error());
    const auto granule = device_.take(granule_bytes, granule_bytes);
    if (!granule) return fail("", "out of device addresses");
    if (!commit(at(*granule), granule_bytes)) {
      device_.give(*granule, granule_bytes);
      return fail("", fmt::format("the host cannot map device memory: {}", std::strerror(errno)));
    }
    device_used_ += granule_bytes;
    host_used_ += granule_bytes;
    granules_[*granule] = {0, domain};
    pool.give(*granule, granule_bytes);
    offset = pool.take(size, minimum_bytes);
  }
  // Free ends of neighbouring granules merge, so a block may lie across two.
  for (std::uint64_t granule = granule_of(*offset); granule < *offset + size; granule += granule_bytes)
    ++granules_.at(granule).live;
  blocks_[*offset] = Block{bytes, size, Kind::device, 0, true, domain};
  return static_cast<void*>(at(*offset));
}

Result<void*> Arena::allocate(std::uint64_t bytes, int domain) {
  if (bytes == 0) return fail("", "an allocation of 0 bytes");
  std::lock_guard lock(memory_lock_);
  if (bytes < pool_limit_bytes) return allocate_pooled(bytes, domain);
  if (bytes > bytes_) return fail("", fmt::format("out of device memory: {} bytes asked", bytes));
  const std::uint64_t size = round_up(bytes, granule_bytes);
  if (auto charged = charge(size, size); !charged) return std::unexpected(charged.error());
  const auto offset = device_.take(size, granule_bytes);
  if (!offset) return fail("", "out of device addresses");
  if (!commit(at(*offset), size)) {
    device_.give(*offset, size);
    return fail("", fmt::format("the host cannot map device memory: {}", std::strerror(errno)));
  }
  madvise(at(*offset), size, MADV_HUGEPAGE);  // Best effort.
  device_used_ += size;
  host_used_ += size;
  blocks_[*offset] = Block{bytes, size, Kind::device, 0, false, domain};
  return static_cast<void*>(at(*offset));
}

Result<void> Arena::release(void* base) {
  std::lock_guard lock(memory_lock_);
  const auto it = inside(base) ? blocks_.find(offset(base)) : blocks_.end();
  if (it == blocks_.end() || it->second.kind != Kind::device)
    return fail("", fmt::format("{} is not the start of a live device allocation", base));
  const auto [at_offset, block] = *it;
  blocks_.erase(it);
  if (!block.pooled) {
    decommit(at(at_offset), block.taken);
    device_.give(at_offset, block.taken);
    device_used_ -= block.taken;
    host_used_ -= block.taken;
    return {};
  }
  RangeAllocator& pool = pools_.at(block.domain);
  pool.give(at_offset, block.taken);
  const std::uint64_t end = at_offset + block.taken;
  for (std::uint64_t granule = granule_of(at_offset); granule < end; granule += granule_bytes) {
    if (--granules_.at(granule).live != 0) continue;
    granules_.erase(granule);
    WR_CHECK(pool.take_exact(granule, granule_bytes));
    decommit(at(granule), granule_bytes);
    device_.give(granule, granule_bytes);
    device_used_ -= granule_bytes;
    host_used_ -= granule_bytes;
  }
  return {};
}

Result<void*> Arena::allocate_host(std::uint64_t bytes) {
  if (bytes == 0) return fail("", "an allocation of 0 bytes");
  std::lock_guard lock(memory_lock_);
  if (bytes > bytes_) return fail("", fmt::format("out of host memory: {} bytes asked", bytes));
  const std::uint64_t size = round_up(bytes, page_bytes);
  if (auto charged = charge(0, size); !charged) return std::unexpected(charged.error());
  // A page of distance keeps overruns from reaching the next allocation.
  const auto offset = host_.take(size + page_bytes, page_bytes);
  if (!offset) return fail("", "out of host addresses in the device's range");
  if (!commit(at(*offset), size)) {
    host_.give(*offset, size + page_bytes);
    return fail("", fmt::format("the host cannot map pinned memory: {}", std::strerror(errno)));
  }
  host_used_ += size;
  blocks_[*offset] = Block{bytes, size, Kind::host, base_ + *offset, false};
  return static_cast<void*>(at(*offset));
}

Result<void> Arena::release_host(void* base) {
  std::lock_guard lock(memory_lock_);
  const auto it = inside(base) ? blocks_.find(offset(base)) : blocks_.end();
  if (it == blocks_.end() || it->second.kind != Kind::host)
    return fail("", fmt::format("{} is not the start of live pinned memory", base));
  decommit(at(it->first), it->second.taken);
  host_.give(it->first, it->second.taken + page_bytes);
  host_used_ -= it->second.taken;
  blocks_.erase(it);
  return {};
}

Result<void*> Arena::map_host(void* host, std::uint64_t bytes) {
  if (host == nullptr || bytes == 0) return fail("", "an empty range");
  const auto address = reinterpret_cast<std::uint64_t>(host);
  if (address + bytes < address || inside(host)) return fail("", "the range is not host memory");
  const std::uint64_t first = address / page_bytes * page_bytes;
  const std::uint64_t size = round_up(address + bytes, page_bytes) - first;
  std::lock_guard lock(memory_lock_);
  for (const auto& [other, other_offset] : registered_)
    if (address < other + blocks_.at(other_offset).bytes && other < address + bytes)
      return fail("", fmt::format("{} bytes at {} overlap memory that is registered already", bytes, host));
  const auto offset = host_.take(size + page_bytes, page_bytes);
  if (!offset) return fail("", "out of host addresses in the device's range");
  if (auto aliased = alias_pages(reinterpret_cast<void*>(first), size, at(*offset)); !aliased) {
    decommit(at(*offset), size);
    host_.give(*offset, size + page_bytes);
    return std::unexpected(aliased.error());
  }
  const std::uint64_t begin = *offset + (address - first);
  blocks_[begin] = Block{bytes, size, Kind::registered, address, false};
  registered_[address] = begin;
  return static_cast<void*>(at(begin));
}

Result<void> Arena::unmap_host(void* host) {
  std::lock_guard lock(memory_lock_);
  const auto it = registered_.find(reinterpret_cast<std::uint64_t>(host));
  if (it == registered_.end()) return fail("", fmt::format("{} is not the start of registered memory", host));
  const std::uint64_t first = it->second / page_bytes * page_bytes;
  const std::uint64_t size = blocks_.at(it->second).taken;
  release_pages(page_of(it->first), size);
  decommit(at(first), size);
  host_.give(first, size + page_bytes);
  blocks_.erase(it->second);
  registered_.erase(it);
  return {};
}

std::optional<Arena::Allocation> Arena::find(const void* pointer) const {
  std::lock_guard lock(memory_lock_);
  std::uint64_t where = offset(pointer);
  if (!inside(pointer)) {
    const auto address = reinterpret_cast<std::uint64_t>(pointer);
    auto it = registered_.upper_bound(address);
    if (it == registered_.begin()) return std::nullopt;
    --it;
    if (address - it->first >= blocks_.at(it->second).bytes) return std::nullopt;
    where = it->second + (address - it->first);
  }
  if (const auto mapped = virtual_.find_locked(where);
      mapped && mapped->access != VirtualMemory::Access::none)
    return Allocation{Kind::device, mapped->base, mapped->bytes, nullptr, mapped->physical, -1};
  auto it = blocks_.upper_bound(where);
  if (it == blocks_.begin()) return std::nullopt;
  --it;
  if (where - it->first >= it->second.bytes) return std::nullopt;
  const Block& block = it->second;
  return Allocation{block.kind,  at(it->first),
                    block.bytes, block.kind == Kind::device ? nullptr : reinterpret_cast<void*>(block.host),
                    {},          block.domain};
}

std::vector<Arena::Allocation> Arena::allocations() const {
  std::lock_guard lock(memory_lock_);
  std::vector<Allocation> all;
  all.reserve(blocks_.size());
  for (const auto& [offset, block] : blocks_)
    all.push_back({block.kind,
                   at(offset),
                   block.bytes,
                   block.kind == Kind::device ? nullptr : reinterpret_cast<void*>(block.host),
                   {},
                   block.domain});
  return all;
}

std::vector<Arena::Region> Arena::regions() const {
  std::lock_guard lock(memory_lock_);
  std::map<std::uint64_t, Region> found;
  for (const auto& [granule, pooled] : granules_)
    found[granule] = {granule, granule_bytes, pooled.domain, nullptr, {}};
  for (const auto& [offset, block] : blocks_)
    if (block.kind == Kind::device && !block.pooled)
      found[offset] = {offset, block.taken, block.domain, nullptr, {}};
  for (const auto& [offset, mapping] : virtual_.mappings_)
    found[offset] = {offset, mapping.bytes, -1, mapping.physical, mapping.grants};
  std::vector<Region> all;
  for (auto& [offset, region] : found)
    if (!all.empty() && region.domain >= 0 && all.back().domain == region.domain &&
        all.back().begin + all.back().bytes == offset)
      all.back().bytes += region.bytes;
    else
      all.push_back(std::move(region));
  return all;
}

void Arena::protect(const Region& region, VirtualMemory::Access access) {
  WR_CHECK(mprotect(at(region.begin), region.bytes, VirtualMemory::host_protection(access)) == 0);
}

std::uint64_t Arena::used_bytes() const {
  std::lock_guard lock(memory_lock_);
  return device_used_;
}

void Arena::add_holder(WindowHolder* holder) {
  std::lock_guard lock(holder_lock_);
  holders_.push_back(holder);
}

void Arena::remove_holder(WindowHolder* holder) {
  std::lock_guard lock(holder_lock_);
  std::erase(holders_, holder);
}

Result<Window> Arena::acquire_window(std::uint64_t shared_bytes, std::uint64_t local_bytes) {
  shared_bytes = round_up(shared_bytes, page_bytes);
  local_bytes = round_up(local_bytes, page_bytes);
  if (shared_bytes > shared_window_bytes)
    return fail("", fmt::format("a CTA asks for {} bytes of shared memory; a window has {}", shared_bytes,
                                shared_window_bytes));
  if (local_bytes > local_window_bytes)
    return fail("", fmt::format("a CTA asks for {} bytes of local memory; the limit is {}", local_bytes,
                                local_window_bytes));
  std::unique_lock lock(window_lock_);
  if (free_windows_.empty()) {
    lock.unlock();
    {
      std::lock_guard all(holder_lock_);
      for (WindowHolder* holder : holders_) holder->release_idle_windows();
    }
    lock.lock();
  }
  if (free_windows_.empty())
    return fail("", fmt::format("more than {} CTAs are resident at once", layout_.windows));
  const std::uint32_t index = free_windows_.back();
  Window window;
  window.index = index;
  window.shared = at(layout_.shared + index * (reserve_bytes + shared_window_bytes));
  window.local = at(layout_.local + index * (reserve_bytes + local_window_bytes));
  const auto fit = [&](std::uint8_t* begin, std::uint64_t& has, std::uint64_t wants) {
    if (wants > has && !commit(begin + has, wants - has)) return false;
    if (wants < has) decommit(begin + wants, has - wants);
    has = wants;
    return true;
  };
  WindowState& state = windows_[index];
  if (!fit(window.shared, state.shared_bytes, shared_bytes) ||
      !fit(window.local, state.local_bytes, local_bytes))
    return fail("", fmt::format("the host cannot map a CTA's memory: {}", std::strerror(errno)),
                "raise vm.max_map_count");
  free_windows_.pop_back();
  return window;
}

void Arena::seal_shared(const Window& window, bool sealed) {
  const std::uint64_t bytes = round_up(windows_[window.index].shared_bytes, page_bytes);
  if (bytes == 0) return;
  WR_CHECK(mprotect(window.shared, bytes, sealed ? PROT_NONE : PROT_READ | PROT_WRITE) == 0);
}

void Arena::release_window(const Window& window) {
  // Few windows stay mapped for the next launch; a large cooperative grid gives its memory back.
  constexpr std::uint32_t kept = 256;
  std::lock_guard lock(window_lock_);
  WindowState& state = windows_[window.index];
  if (window.index >= kept || state.local_bytes > granule_bytes) {
    if (state.shared_bytes != 0) decommit(window.shared, state.shared_bytes);
    if (state.local_bytes != 0) decommit(window.local, state.local_bytes);
    state = {};
  }
  free_windows_.push_back(window.index);
}

Result<std::uint8_t*> Arena::acquire_parameters(std::span<const std::byte> parameters) {
  if (parameters.size() > parameter_slot_bytes)
    return fail(
        "", fmt::format("{} bytes of parameters; the limit is {}", parameters.size(), parameter_slot_bytes));
  std::uint8_t* buffer = nullptr;
  {
    std::lock_guard lock(window_lock_);
    if (free_parameters_.empty()) return fail("", fmt::format("more than {} live launches", parameter_slots));
    buffer = at(layout_.parameters + free_parameters_.back() * parameter_slot_bytes);
    free_parameters_.pop_back();
  }
  if (!commit(buffer, std::max<std::uint64_t>(parameters.size(), 1)))
    return fail("", fmt::format("the host cannot map parameters: {}", std::strerror(errno)));
  if (!parameters.empty()) std::memcpy(buffer, parameters.data(), parameters.size());
  return buffer;
}

void Arena::release_parameters(std::uint8_t* buffer) {
  std::lock_guard lock(window_lock_);
  free_parameters_.push_back(
      static_cast<std::uint32_t>((offset(buffer) - layout_.parameters) / parameter_slot_bytes));
}

}  // namespace wanren::engine
