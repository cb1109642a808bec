#include "timing/hbm.h"

namespace wanren::timing {
namespace {

DramTicks ticks_of(const Parameters& p) {
  return {p.access, p.row_open, p.row_cycle, p.turnaround};
}

}  // namespace

Hbm::Hbm(const Parameters& p)
    : scheduler_(*p.dram_scheduler),
      banks_(p.banks),
      write_batch_(p.write_batch),
      ticks_(ticks_of(p)),
      channels_(p.channels_per_partition),
      bank_(static_cast<std::size_t>(p.channels_per_partition) * p.banks) {}

void Hbm::set_clock(const Parameters& p, Tick now, double ratio) {
  ticks_ = ticks_of(p);
  for (Channel& c : channels_) c.bus.free = rescaled(c.bus.free, now, ratio);
  for (DramBank& b : bank_) {
    b.opened = rescaled(b.opened, now, ratio);
    b.ready = rescaled(b.ready, now, ratio);
  }
}

DramTiming Hbm::read(std::uint32_t channel, std::uint32_t bank, std::uint32_t row, Tick at) {
  channels_[channel].reads = true;
  return scheduler_.serve(ticks_, channels_[channel].bus, bank_[channel * banks_ + bank], row, at);
}

DramTiming Hbm::write(std::uint32_t channel, std::uint32_t bank, std::uint32_t row, Tick at) {
  Channel& c = channels_[channel];
  if (++c.writes == write_batch_) {
    c.writes = 0;
    if (c.reads) c.bus.take(at, 2 * ticks_.turnaround);  // to writes and back
    c.reads = false;
  }
  return scheduler_.serve(ticks_, c.bus, bank_[channel * banks_ + bank], row, at);
}

}  // namespace wanren::timing
