#pragma once
// The DRAM channels of one L2 partition. Requests come in time order; the scheduler says when each has its
// channel's data bus.

#include <cstdint>
#include <vector>

#include "timing/parameters.h"
#include "timing/policies/dram_scheduler.h"

namespace wanren::timing {

class Hbm {
 public:
  explicit Hbm(const Parameters& p);
  /// One access of access_bytes. `at`: when the controller gets it.
  DramTiming read(std::uint32_t channel, std::uint32_t bank, std::uint32_t row, Tick at);
  DramTiming write(std::uint32_t channel, std::uint32_t bank, std::uint32_t row, Tick at);
  /// From `now` on a core cycle is another share of a nanosecond: 1 / `ratio` of what it was.
  void set_clock(const Parameters& p, Tick now, double ratio);

 private:
  struct Channel {
    Port bus;
    int writes = 0;      ///< Of the present batch.
    bool reads = false;  ///< Served since the last batch: the bus turns for the next one.
  };

  const DramScheduler& scheduler_;
  int banks_, write_batch_;
  DramTicks ticks_;
  std::vector<Channel> channels_;
  std::vector<DramBank> bank_;
};

}  // namespace wanren::timing
