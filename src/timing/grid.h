#pragma once
// A live grid, as the compute units see it, and what one unit counts for it.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "timing/counters.h"
#include "timing/decoded.h"
#include "timing/profile.h"
#include "timing/time.h"
#include "trace/warp_source.h"

namespace wanren::timing {

/// What units know of a live grid. Constant while it runs.
struct Grid {
  std::uint16_t slot = 0;
  const Decoded* program = nullptr;
  trace::WarpSource* source = nullptr;
  std::uint32_t warps_per_cta = 0;
  std::uint32_t shared_bytes = 0;    ///< Per CTA, reserve and granularity included.
  std::uint32_t register_count = 0;  ///< Per CTA.
  int ctas_per_unit = 0;
  std::uint64_t serial = 0;  ///< No two grids of a device have the same.
  std::span<const simt::LanePattern> patterns;
  std::vector<std::int64_t> strides;  ///< By pattern, see stride_of().
  bool profiled = false;
  std::uint32_t ctas_per_cluster = 1;
  bool meets = false;  ///< Its clusters, even of one CTA, have barriers or mbarriers in common.
};

/// What one unit counted for one grid.
struct UnitCounters {
  std::vector<std::uint64_t> block_runs, block_lanes;
  std::vector<std::uint32_t> fetched;  ///< By code line: fetch number + 1, 0 never.
  std::array<std::uint64_t, stall_count> stalls{};
#define WR_UNIT_COUNTER(id, doc) std::uint64_t id = 0;
#include "timing/counters.def"
  std::uint64_t issue_cycles = 0;
  std::uint64_t in_flight = 0;  ///< Stores and reductions not yet acknowledged.
  Cycle last_acknowledged = 0, last_exit = 0;
  int resident = 0;
  Cycle active_since = 0;
  std::vector<InstructionProfile> profile;  ///< By instruction; empty unless the grid asks for it.
};

/// By the grid's slot.
using GridCounters = std::vector<UnitCounters>;

}  // namespace wanren::timing
