#pragma once
// L1 tags of one unit: sectored, set-associative, LRU, no allocation on writes. A line being fetched
// keeps its way.

#include <cstdint>
#include <vector>

#include "timing/divider.h"
#include "timing/pages.h"
#include "timing/parameters.h"

namespace wanren::timing {

class L1Cache {
 public:
  static constexpr std::uint32_t none = ~0u;

  /// Four ways of a set are one cache line of the host.
  struct Line {
    std::uint32_t tag = none, used = 0;
    std::uint32_t waiters = none;  ///< The unit's: who waits for pending sectors.
    std::uint8_t valid = 0, pending = 0;
    std::uint8_t stale = 0;  ///< Of the pending, asked for before the content was dropped.
  };
  static_assert(sizeof(Line) == 16);

  explicit L1Cache(const Parameters& p);
  /// Sets the capacity left beside shared memory; drops all content. Only with nothing in flight.
  void configure(int bytes);
  void invalidate();
  int bytes() const { return bytes_; }

  /// Way slot of the line, or none.
  std::uint32_t find(std::uint32_t line);
  /// Takes the least recent way with nothing in flight; none if there is none.
  std::uint32_t allocate(std::uint32_t line);

  Line& operator[](std::uint32_t slot) { return lines_[slot]; }
  void prefetch(std::uint32_t slot) const { __builtin_prefetch(&lines_[slot], 1); }
  void fill(std::uint32_t slot, std::uint8_t sectors) {
    Line& line = lines_[slot];
    line.pending &= static_cast<std::uint8_t>(~sectors);
    line.valid |= sectors & static_cast<std::uint8_t>(~line.stale);
    line.stale &= static_cast<std::uint8_t>(~sectors);
  }

 private:
  std::uint32_t first_of(std::uint32_t line) const;

  int line_shift_, ways_, bytes_ = 0;
  std::uint32_t turn_;
  Divider sets_;
  std::vector<Line, HugePages<Line>> lines_;
  std::uint32_t clock_ = 0;
};

}  // namespace wanren::timing
