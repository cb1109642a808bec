#pragma once
// Device memory whose addresses and bytes a program manages apart: it reserves a range of addresses, makes
// physical memory, and maps one in the other, several times if it likes. Sizes and addresses are multiples
// of Arena::granule_bytes.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "engine/range_allocator.h"
#include "support/result.h"

namespace wanren::engine {

class Arena;

/// A file without a name: what is mapped twice is one memory, here and in a process that it is handed to.
class PhysicalMemory {
 public:
  PhysicalMemory(int file, std::uint64_t bytes, std::function<void()> at_end)
      : file_(file), bytes_(bytes), at_end_(std::move(at_end)) {}
  ~PhysicalMemory();
  PhysicalMemory(const PhysicalMemory&) = delete;
  PhysicalMemory& operator=(const PhysicalMemory&) = delete;

  int file() const { return file_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  int file_;
  std::uint64_t bytes_;
  std::function<void()> at_end_;
};
using Physical = std::shared_ptr<PhysicalMemory>;

class VirtualMemory {
 public:
  enum class Access : std::uint8_t { none, read, read_write };
  using Grants = std::map<int, Access>;  ///< By device; who is not in it may do nothing.
  /// The most that any of them may do; the host's own accesses go by it.
  static Access widest(const Grants& grants);
  static int host_protection(Access access);
  struct Mapped {
    Physical physical;
    Access access;  ///< The widest of `grants`.
    Grants grants;
    void* base;  ///< Of the accessible range without a gap around the pointer; its own mapping's if none.
    std::uint64_t bytes;  ///< Of that range.
  };

  explicit VirtualMemory(Arena& arena) : arena_(arena) {}

  /// Zeroed bytes. `at_end` runs when neither a handle nor a mapping holds them any more. Errors: no positive
  /// multiple of a granule; the chip's or the host's memory is full.
  Result<Physical> create(std::uint64_t bytes, std::function<void()> at_end);
  /// Memory that create() made, here or in another process, by its file, which stays the caller's.
  Result<Physical> import(int file, std::function<void()> at_end);

  /// Inaccessible addresses. `align`: 0 or a power of two. Errors: sizes; no room.
  Result<void*> reserve(std::uint64_t bytes, std::uint64_t align);
  /// Errors: not exactly what reserve() gave; something is still mapped.
  Result<void> free(void* base, std::uint64_t bytes);
  /// The first `bytes` of the memory at `at`, inaccessible as yet. Errors: outside of a reservation, over a
  /// mapping.
  Result<void> map(void* at, std::uint64_t bytes, Physical physical);
  /// Errors: the range is not one or several whole mappings.
  Result<void> unmap(void* at, std::uint64_t bytes);
  /// Errors: the range is not one or several whole mappings.
  Result<void> set_access(void* at, std::uint64_t bytes, int device, Access access);
  std::optional<Mapped> find(const void* pointer) const;

 private:
  friend class Arena;
  struct Mapping {
    std::uint64_t bytes;
    Physical physical;
    Grants grants;
    Access access() const { return widest(grants); }
  };
  using Mappings = std::map<std::uint64_t, Mapping>;  ///< By offset in the arena.

  std::optional<Mapped> find_locked(std::uint64_t offset) const;
  /// The mappings that make up exactly this range; empty: there are none.
  std::pair<Mappings::iterator, Mappings::iterator> mappings_of(std::uint64_t begin, std::uint64_t bytes);
  Result<Physical> adopt(int file, std::uint64_t bytes, std::function<void()> at_end);

  Arena& arena_;
  std::map<std::uint64_t, std::uint64_t> reservations_;  ///< Offset -> bytes.
  Mappings mappings_;
};

}  // namespace wanren::engine
