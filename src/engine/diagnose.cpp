#include "engine/diagnose.h"

#include "engine/cta.h"
#include "engine/interpreted.h"
#include "engine/services.h"

namespace wanren::engine {
namespace {

std::uint64_t warp_of(const Launch& launch, const Dim3& thread) {
  return (thread.x + std::uint64_t{launch.block.x} * (thread.y + std::uint64_t{launch.block.y} * thread.z)) /
         warp_size;
}

}  // namespace

void find_thread(const Launch& launch, Arena& arena, FaultReport& report) {
  if (launch.cluster.count() > 1) return;  // The others of its cluster are gone.
  if (report.thread_known || report.fault != simt::Fault::illegal_address || report.ptx_line == 0) return;
  Launch again = launch;
  again.code = interpreted(launch.kernel);
  if (again.code->entry() == launch.code->entry()) return;
  auto grid = Grid::create(again, arena);
  if (!grid) return;
  StackCache stacks;
  std::vector<simt::BlockCount> counts(launch.kernel->blocks.size());
  auto cta = Cta::create(**grid, stacks, counts.data());
  if (!cta) return;
  for (std::uint32_t w = 0; w < (*grid)->warps; ++w) (*cta)->warp(w).services = silent_services();
  const std::uint64_t linear =
      report.cta.x +
      std::uint64_t{launch.grid.x} * (report.cta.y + std::uint64_t{launch.grid.y} * report.cta.z);
  ThreadState& state = thread_state();
  const auto deadline = WatchdogScope::Clock::now() + std::chrono::seconds(1);
  const WatchdogScope watchdog(state, deadline);
  const FloatingPointScope floating_point;
  std::uint64_t clock = 0;
  (*cta)->begin(linear, static_cast<std::uint32_t>(linear % launch.units));
  (*cta)->run(state, false, clock);
  const FaultReport found = (*grid)->execution().fault;
  if (found.fault != report.fault || !found.thread_known || found.ptx_line != report.ptx_line ||
      warp_of(launch, found.thread) != warp_of(launch, report.thread))
    return;
  report = found;
}

}  // namespace wanren::engine
