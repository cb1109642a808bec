#pragma once
// What kernels read and write in other chips' memory, over the links to them. The other chip answers after
// its DRAM's latency whatever it does itself: its caches, its queues and its own traffic are not modelled.

#include <cstdint>
#include <vector>

#include "timing/device.h"
#include "timing/parameters.h"

namespace wanren::timing {

class PeerLink {
 public:
  explicit PeerLink(const Parameters& p);
  /// Where other chips' memory lies from now on.
  void set_ranges(const std::vector<MemoryRange>& ranges);
  bool leads_to(std::uint32_t line) const { return !lines_.empty() && find(line); }

  /// Bytes on the wire for a message with this payload; 0: a request without data.
  std::uint32_t wire_bytes(std::uint32_t payload) const {
    return static_cast<std::uint32_t>(packets_.wire_bytes(payload));
  }
  /// Sends to the other chip; returns arrival there. The ports of both ways are this chip's.
  Tick send(Tick at, std::uint32_t wire_bytes) { return pass(out_, at, wire_bytes); }
  /// The answer, sent there at `at`; returns arrival here.
  Tick receive(Tick at, std::uint32_t wire_bytes) { return pass(in_, at, wire_bytes); }
  Tick latency() const { return latency_; }

  /// From `now` on a core cycle is 1 / `ratio` of what it was.
  void set_clock(const Parameters& p, Tick now, double ratio);

 private:
  struct Lines {
    std::uint32_t begin, end;
  };
  bool find(std::uint32_t line) const;
  Tick pass(Port& port, Tick at, std::uint32_t bytes) {
    const Tick service = static_cast<Tick>(bytes * ticks_per_byte_ + 0.5);
    return port.take(at, service) + service + latency_;
  }

  int line_shift_;
  Packets packets_;
  double ticks_per_byte_;
  Tick latency_;
  Port out_, in_;
  std::vector<Lines> lines_;  ///< Ascending.
};

}  // namespace wanren::timing
