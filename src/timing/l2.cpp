#include "timing/l2.h"

#include <algorithm>
#include <bit>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace wanren::timing {
namespace {

/// Bit w: tag w is `tag`.
std::uint32_t ways_with(const std::uint16_t (&tags)[16], std::uint16_t tag) {
#ifdef __SSE2__
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
  const __m128i* at = reinterpret_cast<const __m128i*>(tags);
  const __m128i low = _mm_cmpeq_epi16(_mm_load_si128(at), wanted);
  const __m128i high = _mm_cmpeq_epi16(_mm_load_si128(at + 1), wanted);
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
#else
  std::uint32_t match = 0;
  for (int w = 0; w < 16; ++w) match |= std::uint32_t(tags[w] == tag) << w;
  return match;
#endif
}

std::uint8_t nibble(std::uint64_t of, int way) {
  return of >> 4 * way & 15;
}
std::uint64_t at_nibble(std::uint64_t value, int way) {
  return value << 4 * way;
}

}  // namespace

L2Partition::L2Partition(const Parameters& p) : replacement_(p.replacement->packed), ways_(p.l2_ways) {
  if (ways_ > packed_ways) {
    wide_ = std::make_unique<WideSets>(p);
    return;
  }
  Set empty{};
  empty.order = PackedOrder::identity;
  sets_.resize(static_cast<std::size_t>(p.sets_per_slice) * p.slices_per_partition, empty);
  if (p.wide_tags) high_.resize(sets_.size() * 16);
}

int L2Partition::way_of(const Set& set, std::uint32_t index, std::uint32_t tag) const {
  for (std::uint32_t match = ways_with(set.tag, static_cast<std::uint16_t>(tag)); match; match &= match - 1) {
    const int way = std::countr_zero(match);
    if (!nibble(set.valid, way)) continue;
    if (high_.empty() || high_[index * std::size_t{16} + way] == tag >> 16) return way;
  }
  return -1;
}

void L2Partition::drop_replicas() {
  ++epoch_;
  if (wide_) wide_->drop_replicas();
}

void L2Partition::refresh(Set& set) {
  if (set.epoch == epoch_) return;
  set.epoch = epoch_;
  for (; set.replica; set.replica &= static_cast<std::uint16_t>(set.replica - 1))
    set.valid &= ~at_nibble(15, std::countr_zero(set.replica));
}

L2Lookup L2Partition::find(std::uint32_t index, std::uint32_t tag) {
  if (wide_) [[unlikely]]
    return wide_->find(index, tag);
  Set& set = sets_[index];
  refresh(set);
  L2Lookup result;
  const int way = way_of(set, index, tag);
  if (way < 0) return result;
  replacement_.found({set.order, ways_}, way);
  result.way = way;
  result.hit = nibble(set.valid, way);
  if (set.pending >> way & 1) {
    if (const Tick* until = pending_.find(index, tag))
      result.pending_until = *until;
    else
      set.pending &= static_cast<std::uint16_t>(~(1u << way));
  }
  return result;
}

int L2Partition::allocate(std::uint32_t index, std::uint32_t tag, bool replica, L2Victim& victim) {
  if (wide_) [[unlikely]]
    return wide_->allocate(index, tag, replica, victim);
  Set& set = sets_[index];
  const int way = replacement_.victim({set.order, ways_});
  victim = {set.tag[way], nibble(set.dirty, way)};
  set.tag[way] = static_cast<std::uint16_t>(tag);
  if (!high_.empty()) {
    std::uint16_t& high = high_[index * std::size_t{16} + way];
    victim.tag |= std::uint32_t{high} << 16;
    high = static_cast<std::uint16_t>(tag >> 16);
  }
  set.valid &= ~at_nibble(15, way);
  set.dirty &= ~at_nibble(15, way);
  const std::uint16_t bit = static_cast<std::uint16_t>(1u << way);
  set.pending &= static_cast<std::uint16_t>(~bit);
  set.replica = static_cast<std::uint16_t>(replica ? set.replica | bit : set.replica & ~bit);
  replacement_.brought({set.order, ways_}, way);
  return way;
}

void L2Partition::fill(std::uint32_t index, int way, std::uint8_t sectors, bool dirty) {
  if (wide_) [[unlikely]]
    return wide_->fill(index, way, sectors, dirty);
  sets_[index].valid |= at_nibble(sectors, way);
  if (dirty) sets_[index].dirty |= at_nibble(sectors, way);
}

void L2Partition::set_pending(std::uint32_t index, int way, std::uint32_t tag, Tick when) {
  if (wide_) [[unlikely]]
    return wide_->set_pending(index, way, tag, when);
  sets_[index].pending |= static_cast<std::uint16_t>(1u << way);
  pending_.add(index, tag, when);
}

void L2Partition::invalidate(std::uint32_t index, std::uint32_t tag, std::uint8_t sectors) {
  if (wide_) [[unlikely]]
    return wide_->invalidate(index, tag, sectors);
  Set& set = sets_[index];
  const int way = way_of(set, index, tag);
  if (way < 0) return;
  set.valid &= ~at_nibble(sectors, way);
  if (nibble(set.valid, way)) return;
  set.dirty &= ~at_nibble(15, way);
  set.pending &= static_cast<std::uint16_t>(~(1u << way));
}

}  // namespace wanren::timing
