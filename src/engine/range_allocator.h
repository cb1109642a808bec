#pragma once
// First fit over a range of offsets: the same requests in the same order give the same offsets.

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace wanren::engine {

class RangeAllocator {
 public:
  RangeAllocator() = default;
  RangeAllocator(std::uint64_t begin, std::uint64_t bytes) { free_.emplace(begin, bytes); }

  /// Lowest offset that is a multiple of `align` (a power of two) with `bytes` free bytes.
  std::optional<std::uint64_t> take(std::uint64_t bytes, std::uint64_t align) {
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      const auto [begin, size] = *it;
      const std::uint64_t at = (begin + align - 1) & ~(align - 1);
      if (at - begin > size || size - (at - begin) < bytes) continue;
      free_.erase(it);
      if (at != begin) free_.emplace(begin, at - begin);
      if (at + bytes != begin + size) free_.emplace(at + bytes, begin + size - at - bytes);
      return at;
    }
    return std::nullopt;
  }

  /// Returns a range; it merges with free neighbours.
  void give(std::uint64_t at, std::uint64_t bytes) {
    auto next = free_.lower_bound(at);
    if (next != free_.end() && next->first == at + bytes) {
      bytes += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == at) {
        before->second += bytes;
        return;
      }
    }
    free_.emplace(at, bytes);
  }

  /// Takes exactly [at, at + bytes); false if part of it is not free.
  bool take_exact(std::uint64_t at, std::uint64_t bytes) {
    auto it = free_.upper_bound(at);
    if (it == free_.begin()) return false;
    --it;
    const auto [begin, size] = *it;
    if (begin + size < at + bytes) return false;
    free_.erase(it);
    if (at != begin) free_.emplace(begin, at - begin);
    if (at + bytes != begin + size) free_.emplace(at + bytes, begin + size - at - bytes);
    return true;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> free_;
};

}  // namespace wanren::engine
