#pragma once
// A chip's figures in the model's own terms: cycles, ticks, table sizes.

#include <array>
#include <cstdint>

#include "chip/spec.h"
#include "support/units.h"
#include "timing/packets.h"
#include "timing/policies/policies.h"
#include "timing/time.h"

namespace wanren::timing {

struct Parameters {
  int dies, clusters_per_die, units_per_die, units, subcores;
  Tick cta_start;  ///< From one CTA to the next that starts.
  const CtaSchedule* cta_schedule;
  const DataPlacement* data_placement;
  double core_mhz;                ///< Present clock: what is given in nanoseconds is in its cycles here.
  double full_mhz, core_min_mhz;  ///< The clock moves between these …
  double clock_step_mhz;          ///< … in such steps …
  Picoseconds clock_window;       ///< … once in such a time.

  // Sub-core.
  int warps_per_subcore;
  const WarpScheduler* warp_scheduler;
  bool int_shares_fp32;
  int memory_queue, register_banks;
  int alu_latency, branch_latency, barrier_latency, mbarrier_latency;
  Cycle poll_interval;
  int fetch_latency, fetch_cache_bytes, fetch_line_bytes;

  // Unit.
  int max_ctas, max_warps, register_file, register_granularity;
  int l1_bytes, shared_bytes, shared_reserved, shared_granularity, l1_ways, shared_banks, miss_sectors;
  int line_shift, sector_shift, sectors_per_line;
  Tick l1_latency, shared_latency;
  std::uint32_t l1_turn, l2_turn;  ///< How far the hashes turn a round, see Dealer.
  Cycle l1_to_noc;                 ///< Of l1_latency, the part before a miss leaves the unit.
  Tick wavefront, tag_lookup, shared_atomic;
  Cycle cluster_latency;  ///< To the shared memory of another unit of the cluster, and of what their CTAs
                          ///< tell each other.
  Cycle bulk_latency;     ///< Of a bulk copy, issue to its first request.
  Tick bulk_sector;       ///< What the engine takes for a sector.
  Cycle cta_launch_latency;
  Cycle product_latency;  ///< A product's last cycle in the matrix unit to its sums.
  int product_queue;      ///< Products that a sub-core's matrix unit holds beside the one under way.
  double operand_ticks_per_byte;

  // Network, per sector.
  Tick unit_read, unit_write, cluster_read, cluster_write, partition_cross;
  Tick request_latency, return_latency;  ///< Unit to near L2 partition and back.
  Tick cross_latency;                    ///< Near to far partition, one way.

  // L2.
  int partitions, slices_per_partition, l2_ways;
  std::uint32_t sets_per_slice;
  bool wide_tags;  ///< Some line's tag takes more than 16 bits.
  Tick slice_sector, atomic_sector;
  const Replacement* replacement;
  bool replicate_near;  ///< Partitions keep copies of lines of their die …
  std::uint32_t partition_lines, die_lines, die_capacity_lines;

  // Die-to-die.
  const Topology* topology;
  double link_ticks_per_byte;
  Tick hop_latency;
  Packets link_packets;
  bool replicate_dies;  ///< … and of other dies.

  // Links to other chips.
  double peer_ticks_per_byte;
  Tick peer_latency, peer_memory;  ///< One way; what the other chip's memory takes.
  Packets peer_packets;

  // Device memory, per partition.
  int channels_per_partition, banks, row_bytes, access_bytes, write_batch;
  const DramScheduler* dram_scheduler;
  Tick dram_latency, access, row_open, row_cycle, turnaround;

  Cycle request_cycles;  ///< Whole cycles that a request is on its way to L2 at least.
  Cycle quantum;         ///< Units may run this far without hearing from each other.

  Tick ns(double nanoseconds) const { return to_ticks(nanoseconds * core_mhz / 1000.0); }
  int die_of(int unit) const { return unit / units_per_die; }
  int cluster_of(int unit) const {
    const int in_die = unit % units_per_die;
    return die_of(unit) * clusters_per_die + in_die * clusters_per_die / units_per_die;
  }
  int partition_of(int unit) const {
    return (cluster_of(unit) % clusters_per_die) * partitions / clusters_per_die;
  }
};

/// At `core_mhz` (0: the full clock). Aborts on what chip::load would have refused.
Parameters parameters(const chip::Spec& chip, double core_mhz = 0);

}  // namespace wanren::timing
