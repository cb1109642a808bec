// First ready, first come first served. Each request takes the next free time of the bus and, where its row
// is not open, waits for its bank. The bus is work conserving: a request that waits for a bank does not hold
// up others. A bank keeps its row until the requests queued before a switch are served, so interleaved
// streams do not close each other's rows while a backlog exists.

#include <algorithm>

#include "timing/policies/dram_scheduler.h"

namespace wanren::timing {

const DramScheduler& dram_scheduler::frfcfs() {
  static constexpr DramScheduler policy{
      [](const DramTicks& ticks, Port& bus, DramBank& bank, std::uint32_t row, Tick at) {
        const Tick slot = bus.take(at, ticks.access);
        if (row == bank.row) return DramTiming{std::max(slot, bank.ready), true};
        // Still queued behind the switch: the controller serves it before it closes the row.
        if (row == bank.previous && at < bank.opened) return DramTiming{slot, true};
        const Tick activate = std::max({at, slot - ticks.row_open, bank.opened + ticks.row_cycle});
        bank.previous = bank.row;
        bank.row = row;
        bank.opened = activate;
        bank.ready = activate + ticks.row_open;
        return DramTiming{std::max(slot, bank.ready), false};
      }};
  return policy;
}

}  // namespace wanren::timing
