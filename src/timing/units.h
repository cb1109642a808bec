#pragma once
// All compute units, advanced together: side by side on the host's threads, and where warps of ordered
// grids ask for their next chunk, one after the other in order of time, then unit.

#include <memory>
#include <vector>

#include "timing/memory_system.h"
#include "timing/unit.h"

namespace wanren::timing {

class Units {
 public:
  Units(const Parameters& p, const CoreClock& clock, int threads);
  ~Units();

  /// One quantum: runs every event before `end`, then lets `memory` answer.
  void advance(Cycle end, bool ordered, MemorySystem& memory);
  Cycle next_event() const;
  /// Some CTA has ended and the dispatcher does not know it.
  bool freed() const;

  Unit& operator[](int unit) { return *units_[static_cast<std::size_t>(unit)]; }
  auto begin() { return units_.begin(); }
  auto end() { return units_.end(); }
  auto begin() const { return units_.begin(); }
  auto end() const { return units_.end(); }

 private:
  void take_turns(Cycle end);

  struct Host;  ///< Threads, and what each of them works with.
  std::vector<std::unique_ptr<Unit>> units_;
  std::unique_ptr<Host> host_;
  Clusters clusters_;
  std::vector<int> active_;
  std::vector<std::pair<Cycle, int>> turns_;  ///< Heap of the units that have stopped.
};

}  // namespace wanren::timing
