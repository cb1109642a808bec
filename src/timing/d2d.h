#pragma once
// Links between dies: who is next on the way, and how long a link is taken.

#include <cstdint>
#include <vector>

#include "timing/parameters.h"

namespace wanren::timing {

class DieLinks {
 public:
  explicit DieLinks(const Parameters& p);
  int next_hop(int from, int to) const { return next_[from * dies_ + to]; }
  /// Bytes on the wire for a message with this payload; 0 for a request without data.
  std::uint32_t wire_bytes(std::uint32_t payload) const {
    return static_cast<std::uint32_t>(packets_.wire_bytes(payload));
  }
  /// Sends over the link from -> to (neighbours); returns arrival of the message's end at `to`.
  Tick send(int from, int to, Tick at, std::uint32_t wire_bytes);
  /// From `now` on a core cycle is 1 / `ratio` of what it was.
  void set_clock(const Parameters& p, Tick now, double ratio);

 private:
  int dies_;
  Packets packets_;
  double ticks_per_byte_;
  Tick hop_;
  std::vector<int> next_;
  std::vector<Port> link_;
};

}  // namespace wanren::timing
