#include "timing/hbm.h"

#include <algorithm>

namespace wanren::timing {

Hbm::Hbm(const Parameters& p)
    : banks_(p.banks),
      write_batch_(p.write_batch),
      access_(p.access),
      row_open_(p.row_open),
      row_cycle_(p.row_cycle),
      turnaround_(p.turnaround),
      channels_(p.channels_per_partition),
      bank_(static_cast<std::size_t>(p.channels_per_partition) * p.banks) {}

void Hbm::set_clock(const Parameters& p, Tick now, double ratio) {
  access_ = p.access;
  row_open_ = p.row_open;
  row_cycle_ = p.row_cycle;
  turnaround_ = p.turnaround;
  for (Channel& c : channels_) c.bus.free = rescaled(c.bus.free, now, ratio);
  for (Bank& b : bank_) {
    b.opened = rescaled(b.opened, now, ratio);
    b.ready = rescaled(b.ready, now, ratio);
  }
}

DramTiming Hbm::access(Channel& channel, Bank& bank, std::uint32_t row, Tick at) {
  const Tick slot = channel.bus.take(at, access_);
  if (row == bank.row) return {std::max(slot, bank.ready), true};
  // Still queued behind the switch: the controller serves it before it closes the row.
  if (row == bank.previous && at < bank.opened) return {slot, true};
  const Tick activate = std::max({at, slot - row_open_, bank.opened + row_cycle_});
  bank.previous = bank.row;
  bank.row = row;
  bank.opened = activate;
  bank.ready = activate + row_open_;
  return {std::max(slot, bank.ready), false};
}

DramTiming Hbm::read(std::uint32_t channel, std::uint32_t bank, std::uint32_t row, Tick at) {
  return access(channels_[channel], bank_[channel * banks_ + bank], row, at);
}

DramTiming Hbm::write(std::uint32_t channel, std::uint32_t bank, std::uint32_t row, Tick at) {
  Channel& c = channels_[channel];
  if (++c.writes == write_batch_) {
    c.writes = 0;
    c.bus.take(at, 2 * turnaround_);  // to writes and back
  }
  return access(c, bank_[channel * banks_ + bank], row, at);
}

}  // namespace wanren::timing
