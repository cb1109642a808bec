#pragma once
// Private to src/timing: the state behind Device.

#include <array>
#include <memory>
#include <vector>

#include "timing/clock.h"
#include "timing/device.h"
#include "timing/dispatch.h"
#include "timing/memory_system.h"
#include "timing/sampler.h"
#include "timing/units.h"

namespace wanren::timing {

enum class Engine : std::uint8_t { host_to_device, device_to_host, on_device, to_peers, none };

/// A piece of work on its way: waiting for others, ready, running, ended.
struct Item final : Job {
  Work work;
  const void* device = nullptr;                  ///< Whose it is.
  std::uint64_t number = 0;                      ///< Order of admission.
  std::size_t open = 0;                          ///< Predecessors that have not ended.
  std::vector<std::shared_ptr<Item>> followers;  ///< Who waits for this.
  bool follows = false;
  Picoseconds after;  ///< End of the last predecessor.
  Picoseconds begin, end;
  Cycle first = 0, last = 0;  ///< The same in cycles; `last` of a copy, and both of what is to come, under
                              ///< the present clock.
  // A kernel that runs.
  trace::WarpSource* source = nullptr;
  std::unique_ptr<Decoded> decoded;
  std::unique_ptr<Launch> launch;
  // Of a kernel that is sampled.
  std::unique_ptr<Sampler> sampler;  ///< Null: all of it is simulated.
  Cycle passed_cycles = 0;
  Counters passed;
  // What had been done when the present window, and the present phase, began.
  Counters window_mark, phase_mark;
  Picoseconds phase_begin;

  bool is_kernel() const { return work.kernel.program != nullptr; }
};
using ItemRef = std::shared_ptr<Item>;

struct Device::Impl {
  Impl(const chip::Spec& spec, int host_threads, const ClockGovernor* governor, Cycle most_quantum,
       bool sampled);
  Parameters parameters_at(double mhz) const;

  // device.cpp: the loop.
  void run(const Job* until, const Picoseconds* limit);
  Cycle next_event() const;
  Cycle step_end(Cycle from) const;
  bool busy() const;
  void step(Cycle end);
  void charge_wall();

  // items.cpp: from admission to end.
  void ready(const ItemRef& item);
  Cycle launch_gap() const;
  void begin_items(Cycle at);
  void begin_copy(const ItemRef& item);
  void begin_kernel(const ItemRef& item, Cycle at);
  void end_copies(Cycle at);
  void end_kernels();
  void end(const ItemRef& item);
  Picoseconds copy_duration(const Copy& copy) const;
  /// What a copy to or from another chip puts on the link.

  // sampling.cpp: grids of which a part is simulated.
  Sampler::Memory sampled_memory() const;
  Cycle next_sample() const;
  bool take_samples(const Picoseconds* limit);
  void pass_over(Item& item);
  void run_for_l2(const Item& item, std::span<const trace::CtaRange> ctas, std::span<simt::BlockCount> done);
  void disturb();

  // progress.cpp: what has been counted, and the clock that follows from it.
  Counters progress(const Item& item, Picoseconds at) const;
  Counters kernel_progress(const Item& item) const;
  Counters simulated(const Item& item) const;
  std::vector<InstructionProfile> profile(const Item& item) const;
  void close_window();
  void add_to_window(Item& item, const Counters& now);
  void end_phase(Item& item, const Counters& now, Picoseconds at);
  void set_clock(double mhz);

  chip::Spec chip;
  Cycle most_quantum;
  bool sampled;
  Parameters p;
  const ClockGovernor* governor;
  CoreClock clock;
  MemorySystem memory;
  Units units;
  Dispatcher dispatcher;

  std::uint64_t admitted = 0, unfinished = 0;
  std::vector<ItemRef> waiting_to_begin;   ///< Predecessors have ended.
  std::vector<ItemRef> copies, kernels;    ///< Running.
  std::array<Picoseconds, 4> engine_free;  ///< By Engine.
  std::vector<bool> slots;                 ///< Grid slots taken.
  std::uint64_t grids = 0;                 ///< Begun so far.
  Cycle present = 0;
  Picoseconds heard;     ///< The host knows what happened until then: what it admits begins no earlier.
  Picoseconds last_end;  ///< Of what has ended.
  bool running = false;
  double wall_mark_s = 0;

  // The window of the clock governor; without one it never ends.
  Picoseconds window_end;
  Cycle window_end_cycle = never;
  Counters window;  ///< By what has ended in it so far.
};

}  // namespace wanren::timing
