#include "timing/l1.h"

#include <algorithm>

namespace wanren::timing {

L1Cache::L1Cache(const Parameters& p) : line_shift_(p.line_shift), ways_(p.l1_ways) {
  configure(p.l1_bytes);
}

void L1Cache::configure(int bytes) {
  bytes_ = bytes;
  const int sets = std::max(1, (bytes >> line_shift_) / ways_);
  sets_ = Divider(static_cast<std::uint32_t>(sets));
  const std::size_t slots = static_cast<std::size_t>(sets) * ways_;
  tag_.assign(slots, none);
  valid_.assign(slots, 0);
  pending_.assign(slots, 0);
  used_.assign(slots, 0);
  clock_ = 0;
  ++epoch_;
}

void L1Cache::invalidate() {
  std::fill(valid_.begin(), valid_.end(), std::uint8_t{0});
  ++epoch_;
}

std::uint32_t L1Cache::set_of(std::uint32_t line) const {
  // Rounds of lines start at hashed sets: contiguous ranges are balanced, power-of-two strides spread.
  const std::uint32_t round = sets_.quotient(line);
  return sets_.remainder(line - round * sets_.divisor() + (round * 0x9e3779b1u >> 12));
}

std::uint32_t L1Cache::find(std::uint32_t line) {
  const std::uint32_t first = set_of(line) * static_cast<std::uint32_t>(ways_);
  for (int w = 0; w < ways_; ++w)
    if (tag_[first + w] == line) {
      used_[first + w] = ++clock_;
      return first + w;
    }
  return none;
}

std::uint32_t L1Cache::allocate(std::uint32_t line) {
  const std::uint32_t first = set_of(line) * static_cast<std::uint32_t>(ways_);
  std::uint32_t best = none;
  for (std::uint32_t slot = first; slot < first + ways_; ++slot) {
    if (pending_[slot]) continue;
    if (best == none || used_[slot] < used_[best]) best = slot;
  }
  if (best == none) return none;
  tag_[best] = line;
  valid_[best] = 0;
  used_[best] = ++clock_;
  return best;
}

}  // namespace wanren::timing
