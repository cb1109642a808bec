#pragma once
// Decides which CTAs of a large grid are not simulated, and says what they would have taken. Looks at the
// grid from time to time: once the rate at which it issues instructions is steady from one wave of CTAs to
// the next, the following CTAs are passed over; their time is their instructions at that rate. Then it looks
// again. Depends on what it is shown alone, so that the same grid is always cut in the same places.

#include <cstdint>
#include <vector>

#include "timing/counters.h"
#include "timing/time.h"

namespace wanren::timing {

class Sampler {
 public:
  /// The grid as far as it has come at a moment.
  struct Seen {
    Cycle at = 0;
    std::uint64_t started = 0, ended = 0;  ///< CTAs, those passed over among them.
    Counters counters;                     ///< Of what was simulated.
  };
  struct Passed {
    Cycle cycles = 0;
    Counters counters;
  };

  /// What of the chip decides when its memory has come to a steady state.
  struct Memory {
    double l2_bytes = 0, dram_bytes_per_cycle = 1;
    int sector_bytes = 32;
  };

  Sampler(std::uint64_t ctas, Cycle begin, const Memory& memory);

  /// When it wants to see the grid; `never`: no more.
  Cycle next() const { return next_; }
  /// Another grid or copy has begun or ended, or the clock has changed: what is seen now is not steady.
  void disturb() { disturbed_ = true; }
  /// Shows it the grid at next(); wanted() then says what follows. Not while wanted() says something.
  void observe(const Seen& seen);
  /// CTAs to be passed over now, by passed() or decline(); 0: none, look again at next().
  std::uint64_t wanted() const { return wanted_; }
  /// The last of them that L2 must see, so that later grids find it as it would be.
  std::uint64_t warming() const;
  /// Fewer than these are not worth it.
  std::uint64_t least() const;
  /// Cycles that so many CTAs like those seen would take.
  Cycle estimate(std::uint64_t ctas) const;
  void decline();
  /// All that is left is simulated.
  void stop();
  /// `ctas` have been passed over that ran `exact` (counters by block) and take `least` cycles at least.
  Passed passed(std::uint64_t ctas, const Counters& exact, Cycle least);

  std::uint64_t ctas_passed() const { return ctas_passed_; }
  /// Error of all that was passed over, in cycles: the half width of the rate's 95 % interval or half the
  /// change of rate across it, and how much the mix of instructions differs from what was seen.
  double error_cycles() const;

 private:
  struct Window {
    Cycle cycles = 0;
    std::uint64_t ctas = 0;
    Counters counters;
    double rate() const {
      return static_cast<double>(counters.warp_instructions) / static_cast<double>(cycles);
    }
  };
  /// What was passed over last, until the rate behind it is known.
  struct Gap {
    double instructions = 0, rate = 0, cycles = 0, error = 0, slow_start = 0;
  };

  void first_wave(const Seen& seen);
  void close_gap();
  bool steady();
  bool memory_is_steady() const;
  double filled_bytes(const Counters& c) const;
  double fill_per_cta(const Window& of) const;
  Window sum() const;

  std::uint64_t ctas_;
  Cycle begin_, next_, length_ = 0;
  Memory memory_;
  Seen mark_;
  bool disturbed_ = false, last_ = false, after_gap_ = false;
  int discard_ = 0;
  std::uint64_t resident_ = 0, wanted_ = 0, remaining_ = 0;
  std::vector<Window> windows_;  ///< The latest; those that steady() has found alike.
  std::vector<Window> before_;   ///< The last gap.
  double half_width_ = 0;        ///< Of their rate, relative.
  int confirmed_ = 0;
  Gap gap_;
  double owed_ = 0;  ///< Cycles by which earlier gaps were taken too short.
  std::uint64_t ctas_passed_ = 0;
  double error_cycles_ = 0;
};

}  // namespace wanren::timing
