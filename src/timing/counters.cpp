#include "timing/counters.h"

namespace wanren::timing {

std::string_view name(Stall stall) {
  switch (stall) {
#define WR_STALL(id, text, doc) \
  case Stall::id: return text;
#include "timing/stalls.def"
#undef WR_STALL
    case Stall::count_: break;
  }
  return "";
}

void Counters::add(const Counters& other) {
#define WR_COUNTER(id, doc) id += other.id;
#include "timing/counters.def"
  for (int i = 0; i < stall_count; ++i) stall_cycles[i] += other.stall_cycles[i];
  for (std::size_t i = 0; i < pipe_busy_cycles.size(); ++i) pipe_busy_cycles[i] += other.pipe_busy_cycles[i];
  if (d2d_link_bytes.size() < other.d2d_link_bytes.size()) d2d_link_bytes.resize(other.d2d_link_bytes.size());
  for (std::size_t i = 0; i < other.d2d_link_bytes.size(); ++i) d2d_link_bytes[i] += other.d2d_link_bytes[i];
}

void Counters::subtract(const Counters& earlier) {
#define WR_COUNTER(id, doc) id -= earlier.id;
#include "timing/counters.def"
  for (int i = 0; i < stall_count; ++i) stall_cycles[i] -= earlier.stall_cycles[i];
  for (std::size_t i = 0; i < pipe_busy_cycles.size(); ++i)
    pipe_busy_cycles[i] -= earlier.pipe_busy_cycles[i];
  for (std::size_t i = 0; i < earlier.d2d_link_bytes.size(); ++i)
    d2d_link_bytes[i] -= earlier.d2d_link_bytes[i];
}

}  // namespace wanren::timing
