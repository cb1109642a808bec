#include "timing/l2.h"

#include <bit>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace wanren::timing {
namespace {

constexpr std::uint32_t no_line = ~0u;

std::uint32_t pending_slot(std::uint32_t line, std::uint32_t slots) {
  return (line * 0x9e3779b1u >> 16) & (slots - 1);
}

/// Bit w: tag w is `line`.
std::uint32_t ways_with(const std::uint32_t (&tag)[16], std::uint32_t line) {
#ifdef __SSE2__
  const __m128i wanted = _mm_set1_epi32(static_cast<int>(line));
  const __m128i* at = reinterpret_cast<const __m128i*>(tag);
  const auto equal = [&](int i) { return _mm_cmpeq_epi32(_mm_load_si128(at + i), wanted); };
  const __m128i low = _mm_packs_epi32(equal(0), equal(1)), high = _mm_packs_epi32(equal(2), equal(3));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
#else
  std::uint32_t match = 0;
  for (int w = 0; w < 16; ++w) match |= std::uint32_t(tag[w] == line) << w;
  return match;
#endif
}

}  // namespace

L2Partition::L2Partition(const Parameters& p)
    : sets_(static_cast<std::size_t>(p.sets_per_slice) * p.slices_per_partition),
      pending_(pending_slots),
      ways_(p.l2_ways) {
  for (Set& set : sets_) {
    for (int w = 0; w < 16; ++w) set.tag[w] = no_line, set.state[w] = 0;
    set.order = 0;
    for (int w = 0; w < ways_; ++w) set.order |= std::uint64_t(w) << 4 * w;
    set.epoch = 0;
  }
}

void L2Partition::rebase() {
  for (Pending& p : pending_) p = Pending{};
}

void L2Partition::touch(Set& set, int way) {
  const std::uint64_t order = set.order;
  if ((order & 15) == static_cast<std::uint64_t>(way)) return;
  // Rank of the way: the zero nibble of order ^ repeated way. Ranks past the last way are zero only
  // where ways_ < 16, and lie above the true one.
  const std::uint64_t x = order ^ 0x1111111111111111u * static_cast<std::uint64_t>(way);
  const std::uint64_t zero = (x - 0x1111111111111111u) & ~x & 0x8888888888888888u;
  const int shift = std::countr_zero(zero) & ~3;
  const std::uint64_t below = order & ((std::uint64_t{1} << shift) - 1);
  const std::uint64_t above = shift == 60 ? 0 : order >> (shift + 4) << (shift + 4);
  set.order = above | below << 4 | static_cast<std::uint64_t>(way);
}

void L2Partition::refresh(Set& set) {
  if (set.epoch == epoch_) return;
  set.epoch = epoch_;
  for (int w = 0; w < ways_; ++w)
    if (set.state[w] & replica_bit) set.state[w] = 0, set.tag[w] = no_line;
}

L2Lookup L2Partition::find(std::uint32_t index, std::uint32_t line) {
  Set& set = sets_[index];
  refresh(set);
  L2Lookup result;
  const std::uint32_t match = ways_with(set.tag, line);
  if (!match) return result;
  const int way = std::countr_zero(match);
  touch(set, way);
  result.way = way;
  result.hit = set.state[way] & 15;
  if (set.state[way] & pending_bit) {
    const Pending& p = pending_[pending_slot(line, pending_slots)];
    if (p.line == line)
      result.pending_until = p.until;
    else
      set.state[way] &= ~pending_bit;
  }
  return result;
}

int L2Partition::allocate(std::uint32_t index, std::uint32_t line, bool replica, L2Victim& victim) {
  Set& set = sets_[index];
  const int way = static_cast<int>(set.order >> 4 * (ways_ - 1) & 15);
  const std::uint8_t dirty = set.state[way] >> 4 & 15;
  victim = {dirty != 0, set.tag[way], dirty};
  set.tag[way] = line;
  set.state[way] = replica ? replica_bit : 0;
  touch(set, way);
  return way;
}

void L2Partition::fill(std::uint32_t index, int way, std::uint8_t sectors, bool dirty) {
  sets_[index].state[way] |= static_cast<std::uint16_t>(sectors | (dirty ? sectors << 4 : 0));
}

void L2Partition::set_pending(std::uint32_t index, int way, std::uint32_t line, Tick when) {
  sets_[index].state[way] |= pending_bit;
  pending_[pending_slot(line, pending_slots)] = {line, when};
}

void L2Partition::invalidate(std::uint32_t index, std::uint32_t line, std::uint8_t sectors) {
  Set& set = sets_[index];
  for (int w = 0; w < ways_; ++w)
    if (set.tag[w] == line) {
      set.state[w] &= static_cast<std::uint16_t>(~sectors);
      if (!(set.state[w] & 15)) set.tag[w] = no_line, set.state[w] = 0;
      return;
    }
}

}  // namespace wanren::timing
