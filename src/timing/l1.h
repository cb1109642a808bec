#pragma once
// L1 tags of one unit: sectored, set-associative, LRU, no allocation on writes. A line being fetched
// keeps its way.

#include <cstdint>
#include <vector>

#include "timing/parameters.h"

namespace wanren::timing {

class L1Cache {
 public:
  static constexpr std::uint32_t none = ~0u;

  explicit L1Cache(const Parameters& p);
  /// Sets the capacity left beside shared memory; drops all content. Only with nothing in flight.
  void configure(int bytes);
  void invalidate();
  int bytes() const { return bytes_; }

  /// Way slot of the line, or none.
  std::uint32_t find(std::uint32_t line);
  /// Takes the least recent way with nothing in flight; none if there is none.
  std::uint32_t allocate(std::uint32_t line);

  std::uint8_t valid(std::uint32_t slot) const { return valid_[slot]; }
  std::uint8_t pending(std::uint32_t slot) const { return pending_[slot]; }
  void expect(std::uint32_t slot, std::uint8_t sectors) { pending_[slot] |= sectors; }
  void fill(std::uint32_t slot, std::uint8_t sectors, bool keep) {
    pending_[slot] &= static_cast<std::uint8_t>(~sectors);
    if (keep) valid_[slot] |= sectors;
  }
  void drop(std::uint32_t slot, std::uint8_t sectors) { valid_[slot] &= static_cast<std::uint8_t>(~sectors); }
  std::uint32_t epoch() const { return epoch_; }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(tag_.size()); }

 private:
  std::uint32_t set_of(std::uint32_t line) const;

  int line_shift_, ways_, bytes_ = 0;
  Divider sets_;
  std::vector<std::uint32_t> tag_;
  std::vector<std::uint8_t> valid_, pending_;
  std::vector<std::uint32_t> used_;
  std::uint32_t clock_ = 0, epoch_ = 0;
};

}  // namespace wanren::timing
