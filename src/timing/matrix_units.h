#pragma once
// The matrix units of one compute unit, as warpgroups use them: each sub-core's takes products in the order
// of issue, and their operands come from shared memory by a port that all of them share.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "timing/parameters.h"

namespace wanren::timing {

class MatrixUnits {
 public:
  struct Issued {
    Cycle done;     ///< The sums are there.
    Cycle accepts;  ///< The unit takes the next product.
  };

  explicit MatrixUnits(const Parameters& p)
      : p_(p), units_(static_cast<std::size_t>(p.subcores), Queue{std::vector<Cycle>(p.product_queue, 0)}) {}

  /// A product that takes `cycles` and `bytes` of operands. These may come while it waits for its turn.
  Issued issue(int subcore, Cycle now, Cycle cycles, std::uint32_t bytes) {
    Queue& q = units_[static_cast<std::size_t>(subcore)];
    const auto service = static_cast<Tick>(bytes * p_.operand_ticks_per_byte + 0.5);
    const Tick operands = port_.take(start_of(now), service);
    const Cycle begin = std::max(q.free, cycle_from(operands));
    q.free = std::max(begin + cycles, cycle_from(operands + service));
    q.begun[q.head] = begin;
    q.head = (q.head + 1) % q.begun.size();
    return {q.free + p_.product_latency, std::max(now + 1, q.begun[q.head])};
  }

 private:
  struct Queue {
    std::vector<Cycle> begun;  ///< Ring: when each of the last products left the queue.
    std::size_t head = 0;
    Cycle free = 0;
  };

  const Parameters& p_;
  Port port_;
  std::vector<Queue> units_;
};

}  // namespace wanren::timing
