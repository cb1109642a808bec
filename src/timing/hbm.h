#pragma once
// The DRAM channels of one L2 partition. Requests come in time order; each takes the next free time
// of its channel's data bus and, where its row is not open, waits for its bank. The bus is work
// conserving: a request that waits for a bank does not hold up others, as a controller that
// reorders would have it. A bank keeps its row until the requests queued before a switch are served,
// so interleaved streams do not close each other's rows while a backlog exists.

#include <cstdint>
#include <vector>

#include "timing/parameters.h"

namespace wanren::timing {

struct DramTiming {
  Tick data = 0;  ///< When the data is at the controller (reads).
  bool row_hit = false;
};

class Hbm {
 public:
  explicit Hbm(const Parameters& p);
  /// One access of access_bytes. `at`: when the controller gets it.
  DramTiming read(std::uint32_t channel, std::uint32_t bank, std::uint32_t row, Tick at);
  DramTiming write(std::uint32_t channel, std::uint32_t bank, std::uint32_t row, Tick at);
  /// From `now` on a core cycle is another share of a nanosecond: 1 / `ratio` of what it was.
  void set_clock(const Parameters& p, Tick now, double ratio);

 private:
  struct Bank {
    std::uint32_t row = ~0u, previous = ~0u;
    Tick opened = -(Tick{1} << 60);  ///< Activation of `row`.
    Tick ready = 0;                  ///< `row` gives data from then; `previous` was served before.
  };
  struct Channel {
    Port bus;
    int writes = 0;  ///< Gathered since the bus last turned.
  };
  DramTiming access(Channel& channel, Bank& bank, std::uint32_t row, Tick at);

  int banks_, write_batch_;
  Tick access_, row_open_, row_cycle_, turnaround_;
  std::vector<Channel> channels_;
  std::vector<Bank> bank_;
};

}  // namespace wanren::timing
