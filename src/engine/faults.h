#pragma once
// Signals that device code raises, and where they lead: the warp's fiber is abandoned and the engine
// goes on as if the warp had yielded with `fault`. Signals that are not a warp's go to whoever
// handled them before.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/arena.h"
#include "engine/fiber.h"
#include "engine/launch.h"
#include "support/wall_clock.h"

namespace wanren::engine {

/// What is known at the moment of a fault.
struct FaultState {
  simt::Fault fault = simt::Fault::none;
  std::uint64_t address = 0;  ///< Host address, as accessed.
  std::uintptr_t pc = 0, stack_pointer = 0;
  bool located = false;  ///< block, inst and mask are set.
  simt::BlockId block = simt::no_block;
  std::uint32_t inst = 0;
  LaneMask mask = 0;
};

/// WarpContext::engine_private: what the engine keeps about a warp.
struct WarpRun {
  const KernelCode* code = nullptr;
  Stack stack;
  bool has_stack = false;
  void* cta = nullptr;
  /// The interpreter's, one for each activation that it runs, innermost last.
  std::vector<std::unique_ptr<std::uint64_t[]>> frames;
#if WANREN_TSAN
  void* sanitizer_fiber = nullptr;  ///< From the warp's first slice to its end.
#endif
};

/// One per host thread that runs device code. Read by signal handlers of the same thread.
struct ThreadState {
  simt::WarpContext* volatile warp = nullptr;  ///< Running on this thread now.
  volatile std::sig_atomic_t in_service = 0;   ///< Inside the engine or libc on behalf of the warp.
  volatile std::sig_atomic_t expired = 0;      ///< The watchdog's verdict; stays until the next arm().
  FaultState fault;                            ///< Of the warp that just yielded with `fault`.
#if WANREN_ASAN
  const void* host_stack = nullptr;
  std::size_t host_stack_bytes = 0;
#endif
};

/// This thread's state; the first call on a thread gives it a signal stack. Never inlined: a fiber may
/// continue on another thread.
ThreadState& thread_state();

/// Installs the handlers, or puts them back in front of a foreign one installed meanwhile. Thread-safe.
void install_fault_handlers();

/// Runs the warp until it yields. `state` is thread_state(); state.warp stays set: whoever leaves the engine
/// clears it.
#if WANREN_ASAN || WANREN_TSAN
simt::Yield run_slice(ThreadState& state, simt::WarpContext* ctx);
#else
inline simt::Yield run_slice(ThreadState& state, simt::WarpContext* ctx) {
  state.warp = ctx;
  switch_to_warp(ctx);
  return ctx->yield;
}
#endif

/// Ends the running warp with `fault`: switches to the engine for good.
[[noreturn]] void raise_fault(simt::WarpContext* ctx, const FaultState& fault);

/// Puts a fault into words. `linear_cta` and `warp` say whose it is.
FaultReport describe(const Launch& launch, const Arena& arena, const simt::WarpContext& ctx,
                     const FaultState& fault);
/// A fault of a whole CTA, as a deadlock is.
FaultReport describe_cta(const Launch& launch, simt::Fault fault, Dim3 cta, const std::string& why);

/// A warp that waits for a phase that nobody completes: where, and what has not come. Sets the report's place
/// if it has none.
std::string describe_wait(const simt::WarpContext& ctx, FaultReport& report);

std::string_view name(simt::Fault fault);

/// Seconds a grid may take on the host before it ends with `timeout`; 0: no limit.
/// Default: WANREN_KERNEL_TIMEOUT, else 0.
double kernel_time_limit_s();
void set_kernel_time_limit_s(double seconds);

/// While it lives, device code on this thread is interrupted once `deadline` has passed.
class WatchdogScope {
 public:
  using Clock = WallClock;
  /// Clock::time_point::max(): no limit, no cost.
  WatchdogScope(ThreadState& state, Clock::time_point deadline);
  ~WatchdogScope();
  WatchdogScope(const WatchdogScope&) = delete;
  WatchdogScope& operator=(const WatchdogScope&) = delete;

 private:
  ThreadState* state_;
};

/// Default rounding, masked exceptions, denormals kept: what device code expects of MXCSR.
class FloatingPointScope {
 public:
  FloatingPointScope();
  ~FloatingPointScope();

 private:
  std::uint32_t saved_;
};

/// Signal that the watchdog sends.
int watchdog_signal();

}  // namespace wanren::engine
