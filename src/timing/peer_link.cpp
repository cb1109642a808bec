#include "timing/peer_link.h"

#include <algorithm>

namespace wanren::timing {

PeerLink::PeerLink(const Parameters& p)
    : line_shift_(p.line_shift),
      packets_(p.peer_packets),
      ticks_per_byte_(p.peer_ticks_per_byte),
      latency_(p.peer_latency) {}

void PeerLink::set_ranges(const std::vector<MemoryRange>& ranges) {
  lines_.clear();
  for (const MemoryRange& range : ranges)
    lines_.push_back({static_cast<std::uint32_t>(range.begin.value >> line_shift_),
                      static_cast<std::uint32_t>((range.begin.value + range.bytes - 1) >> line_shift_) + 1});
  std::sort(lines_.begin(), lines_.end(), [](const Lines& a, const Lines& b) { return a.begin < b.begin; });
}

bool PeerLink::find(std::uint32_t line) const {
  const auto next = std::upper_bound(lines_.begin(), lines_.end(), line,
                                     [](std::uint32_t l, const Lines& range) { return l < range.begin; });
  return next != lines_.begin() && line < std::prev(next)->end;
}

void PeerLink::set_clock(const Parameters& p, Tick now, double ratio) {
  ticks_per_byte_ = p.peer_ticks_per_byte;
  latency_ = p.peer_latency;
  for (Port* port : {&out_, &in_}) port->free = rescaled(port->free, now, ratio);
}

}  // namespace wanren::timing
