// First come, first served: the bus waits for the bank of the oldest request.

#include <algorithm>

#include "timing/policies/dram_scheduler.h"

namespace wanren::timing {

const DramScheduler& dram_scheduler::fcfs() {
  static constexpr DramScheduler policy{
      [](const DramTicks& ticks, Port& bus, DramBank& bank, std::uint32_t row, Tick at) {
        const bool hit = row == bank.row;
        if (!hit) {
          bank.row = row;
          bank.opened = std::max({at, bus.free, bank.opened + ticks.row_cycle});
          bank.ready = bank.opened + ticks.row_open;
        }
        return DramTiming{bus.take(std::max(at, bank.ready), ticks.access), hit};
      }};
  return policy;
}

}  // namespace wanren::timing
