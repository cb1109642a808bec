#include "timing/phases.h"

namespace wanren::timing {

using trace::PhaseOp;

PhaseTable::Object& PhaseTable::of(std::uint32_t address) {
  for (Object& o : objects_)
    if (o.address == address) return o;
  objects_.push_back({});
  objects_.back().address = address;
  return objects_.back();
}

bool PhaseTable::complete(Object& o) {
  if (o.pending != 0 || o.bytes != 0 || o.expected == 0) return false;
  o.pending = o.expected;
  ++o.completed;
  o.over = o.latest;
  if (o.early > 0) arrive(o, 0);
  return true;
}

/// What the lanes of a warp add up to may be the arrivals of several phases.
bool PhaseTable::arrive(Object& o, std::uint64_t count) {
  o.early += count;
  bool over = false;
  while (o.early > 0 && o.pending > 0) {
    const auto now = static_cast<std::uint32_t>(std::min<std::uint64_t>(o.early, o.pending));
    o.pending -= now;
    o.early -= now;
    over |= complete(o);
  }
  return over;
}

bool PhaseTable::apply(PhaseOp op, std::uint32_t mbarrier, std::uint32_t value, Cycle at) {
  constexpr std::uint32_t byte_bits = 26, byte_mask = (1u << byte_bits) - 1;
  Object& o = of(mbarrier);
  if (op != PhaseOp::wait) o.latest = std::max(o.latest, at);
  switch (op) {
    case PhaseOp::init:
      o.expected = o.pending = value;
      o.bytes = 0;
      return false;
    case PhaseOp::arrive: return arrive(o, value);
    case PhaseOp::drop: o.expected -= std::min(o.expected, value); return arrive(o, value);
    case PhaseOp::drop_expect: o.expected -= std::min(o.expected, value >> byte_bits); [[fallthrough]];
    case PhaseOp::arrive_expect: o.bytes += value & byte_mask; return arrive(o, value >> byte_bits);
    case PhaseOp::expect: o.bytes += value; return complete(o);
    case PhaseOp::complete: o.bytes -= value; return complete(o);
    case PhaseOp::copy_arrive: o.pending += value; return false;
    case PhaseOp::copy_arrive_in:
    case PhaseOp::wait: return false;
  }
  return false;
}

bool PhaseTable::arrive(std::uint32_t mbarrier, std::uint32_t count, Cycle at) {
  return apply(PhaseOp::arrive, mbarrier, count, at);
}

bool PhaseTable::take_bytes(std::uint32_t mbarrier, std::uint32_t bytes, Cycle at) {
  return apply(PhaseOp::complete, mbarrier, bytes, at);
}

Cycle PhaseTable::over(std::uint32_t mbarrier, std::uint32_t phases) const {
  if (phases == 0) return 0;
  for (const Object& o : objects_)
    if (o.address == mbarrier) return o.completed >= phases ? o.over : never;
  return never;
}

Cycle PhaseTable::over(const std::uint64_t* words) const {
  trace::Record record;
  trace::read_record(words, record);
  Cycle at = 0;
  for (std::size_t i = 0; i < record.entries(); ++i)
    at = std::max(at, over(static_cast<std::uint32_t>(record.lanes[i]),
                           static_cast<std::uint32_t>(record.lanes[i] >> 32)));
  return at;
}

}  // namespace wanren::timing
