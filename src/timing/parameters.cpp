#include "timing/parameters.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "support/result.h"
#include "timing/policies/copies.h"
#include "timing/policies/data_placement.h"
#include "timing/policies/hash.h"

namespace wanren::timing {
namespace {

int log2_exact(std::int64_t value) {
  WR_CHECK(value > 0 && std::has_single_bit(static_cast<std::uint64_t>(value)));
  return std::countr_zero(static_cast<std::uint64_t>(value));
}

int whole(double cycles) {
  return static_cast<int>(std::lround(cycles));
}

Tick per_sector(double bytes_per_cycle, int sector_bytes) {
  return bytes_per_cycle > 0 ? to_ticks(sector_bytes / bytes_per_cycle) : 0;
}

Packets packets(std::int64_t payload, std::int64_t header) {
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(1, payload)), static_cast<std::uint64_t>(header)};
}

}  // namespace

DataPlacement::Sizes placement_sizes(const Parameters& p) {
  return {Divider(static_cast<std::uint32_t>(p.dies)), Divider(p.die_lines), Divider(p.die_capacity_lines),
          Dealer(p.l2_turn)};
}

Parameters parameters(const chip::Spec& chip, double core_mhz) {
  Parameters p{};
  p.dies = static_cast<int>(chip.package.dies);
  p.clusters_per_die = static_cast<int>(chip.package.clusters_per_die);
  p.units_per_die = static_cast<int>(chip.package.units_per_die);
  p.units = p.dies * p.units_per_die;
  p.subcores = static_cast<int>(chip.package.subcores_per_unit);
  p.cta_start = chip.package.ctas_per_cycle > 0 ? to_ticks(1.0 / chip.package.ctas_per_cycle) : 0;
  p.cta_schedule = &policy<CtaSchedule>(chip);
  p.data_placement = &policy<DataPlacement>(chip);
  p.full_mhz = chip.clock.core;
  p.core_mhz = core_mhz > 0 ? core_mhz : p.full_mhz;
  p.core_min_mhz = std::min(chip.clock.core_min, p.full_mhz);
  p.clock_step_mhz = chip.clock.step;
  p.clock_window = Picoseconds(std::llround(chip.power.window * 1e6));
  WR_CHECK(p.clock_step_mhz > 0 && p.clock_window.value > 0);

  p.warps_per_subcore = static_cast<int>(chip.subcore.warps);
  WR_CHECK(p.warps_per_subcore >= 1 && p.warps_per_subcore <= 256 && p.subcores >= 1 && p.subcores <= 8);
  p.warp_scheduler = &policy<WarpScheduler>(chip);
  p.int_shares_fp32 = chip.subcore.int_shares_fp32;
  p.memory_queue = std::max<int>(1, static_cast<int>(chip.subcore.memory_queue));
  p.register_banks = std::max<int>(1, static_cast<int>(chip.subcore.register_banks));
  p.alu_latency = whole(chip.subcore.alu_latency);
  p.branch_latency = std::max(1, whole(chip.subcore.branch_latency));
  p.barrier_latency = std::max(1, whole(chip.subcore.barrier_latency));
  p.poll_interval = std::max(1, whole(chip.subcore.poll_interval));
  p.mbarrier_latency = std::max(1, whole(chip.subcore.mbarrier_latency));
  p.fetch_latency = whole(chip.subcore.instruction_fetch_latency);
  p.fetch_cache_bytes = static_cast<int>(chip.subcore.instruction_cache_bytes);
  p.fetch_line_bytes = std::max<int>(1, static_cast<int>(chip.subcore.instruction_line_bytes));

  p.max_ctas = static_cast<int>(chip.unit.max_ctas);
  p.max_warps = p.warps_per_subcore * p.subcores;
  p.register_file = static_cast<int>(chip.subcore.register_bytes) * p.subcores;
  p.register_granularity = std::max<int>(1, static_cast<int>(chip.subcore.register_granularity));
  p.l1_bytes = static_cast<int>(chip.unit.l1_bytes);
  p.shared_bytes = static_cast<int>(chip.unit.shared_bytes);
  p.shared_reserved = static_cast<int>(chip.unit.shared_reserved);
  p.shared_granularity = std::max<int>(1, static_cast<int>(chip.unit.shared_granularity));
  p.l1_ways = std::max<int>(1, static_cast<int>(chip.unit.l1_ways));
  p.shared_banks = static_cast<int>(chip.unit.shared_banks);
  WR_CHECK(p.shared_banks >= 1 && p.shared_banks <= 128);
  p.miss_sectors = std::max<int>(1, static_cast<int>(chip.unit.l1_miss_sectors));
  p.line_shift = log2_exact(chip.unit.l1_line_bytes);
  p.sector_shift = log2_exact(chip.unit.l1_sector_bytes);
  p.sectors_per_line = 1 << (p.line_shift - p.sector_shift);
  WR_CHECK(p.sectors_per_line >= 1 && p.sectors_per_line <= 4);
  const int sector = 1 << p.sector_shift;
  p.l1_latency = to_ticks(chip.unit.l1_latency);
  p.shared_latency = to_ticks(chip.unit.shared_latency);
  p.l1_to_noc = static_cast<Cycle>(whole(chip.unit.l1_latency) * chip.unit.l1_exit_share);
  p.l1_turn = policy<L1Hash>(chip).turn;
  p.l2_turn = policy<AddressHash>(chip).turn;
  p.wavefront = to_ticks(p.shared_banks * 4.0 / chip.unit.l1_bytes_per_cycle);
  p.tag_lookup = to_ticks(1.0 / chip.unit.l1_tags_per_cycle);
  p.cluster_latency = std::max(1, whole(chip.unit.cluster_latency));
  p.bulk_latency = std::max(1, whole(chip.unit.bulk_latency));
  p.bulk_sector = to_ticks(chip.unit.l1_sector_bytes / chip.unit.bulk_bytes_per_cycle);
  p.shared_atomic = to_ticks(chip.unit.shared_atomic_cycles);
  p.product_latency = std::max(1, whole(chip.tensor.latency));
  p.product_queue = static_cast<int>(chip.tensor.product_queue);
  p.operand_ticks_per_byte = one_cycle / chip.tensor.operand_bytes_per_cycle;
  p.cta_launch_latency = std::max(1, whole(chip.unit.cta_launch_latency));

  p.unit_read = per_sector(chip.noc.unit_read_bytes_per_cycle, sector);
  p.unit_write = per_sector(chip.noc.unit_write_bytes_per_cycle, sector);
  p.cluster_read = per_sector(chip.noc.cluster_read_bytes_per_cycle, sector);
  p.cluster_write = per_sector(chip.noc.cluster_write_bytes_per_cycle, sector);
  p.partition_cross = per_sector(chip.noc.partition_bytes_per_cycle, sector);
  const Tick round_trip = to_ticks(chip.l2.near_latency) - p.l1_latency;
  WR_CHECK(round_trip >= 4 * one_cycle);
  p.request_latency = round_trip / 2;
  p.return_latency = round_trip - p.request_latency;
  p.cross_latency = std::max<Tick>(0, to_ticks(chip.l2.far_latency - chip.l2.near_latency)) / 2;

  p.partitions = std::max<int>(1, static_cast<int>(chip.l2.partitions_per_die));
  p.slices_per_partition = std::max<int>(1, static_cast<int>(chip.l2.slices_per_die) / p.partitions);
  p.l2_ways = static_cast<int>(chip.l2.ways);
  WR_CHECK(p.l2_ways >= 1 && p.l2_ways <= 256);  // a way's number is a byte
  p.replacement = &policy<Replacement>(chip);
  const std::int64_t lines_per_slice =
      chip.l2.bytes_per_die / p.partitions / p.slices_per_partition >> p.line_shift;
  p.sets_per_slice = static_cast<std::uint32_t>(std::max<std::int64_t>(1, lines_per_slice / p.l2_ways));
  p.slice_sector = per_sector(chip.l2.slice_bytes_per_cycle, sector);
  p.atomic_sector = to_ticks(1.0 / chip.l2.atomic_sectors_per_cycle);
  p.replicate_near = policy<Replication>(chip).keeps_copies && p.partitions > 1;
  p.partition_lines =
      static_cast<std::uint32_t>(std::max<std::int64_t>(1, chip.l2.partition_interleave >> p.line_shift));
  p.die_lines = static_cast<std::uint32_t>(std::max<std::int64_t>(1, chip.l2.die_interleave >> p.line_shift));
  p.die_capacity_lines =
      static_cast<std::uint32_t>(std::max<std::int64_t>(1, chip.hbm.bytes_per_die >> p.line_shift));

  p.topology = &policy<Topology>(chip);
  p.link_ticks_per_byte = chip.d2d.bandwidth > 0 ? p.core_mhz / 1000.0 / chip.d2d.bandwidth * one_cycle : 0;
  p.hop_latency = p.ns(chip.d2d.latency);
  p.link_packets = packets(chip.d2d.packet_payload_bytes, chip.d2d.packet_header_bytes);
  p.peer_ticks_per_byte = chip.link.bandwidth > 0 ? p.core_mhz / 1000.0 / chip.link.bandwidth * one_cycle : 0;
  p.peer_latency = p.ns(chip.link.latency);
  p.peer_memory = p.ns(chip.hbm.latency + chip.hbm.row_open);
  p.peer_packets = packets(chip.link.packet_payload_bytes, chip.link.packet_header_bytes);
  p.replicate_dies = policy<DieCache>(chip).keeps_copies && p.dies > 1;

  const int channels = static_cast<int>(chip.hbm.channels_per_die);
  p.channels_per_partition = std::max(1, channels / p.partitions);
  p.banks = std::max<int>(1, static_cast<int>(chip.hbm.banks_per_channel));
  p.row_bytes = static_cast<int>(chip.hbm.row_bytes);
  p.access_bytes = std::clamp<int>(static_cast<int>(chip.hbm.access_bytes), sector, 1 << p.line_shift);
  p.dram_scheduler = &policy<DramScheduler>(chip);
  p.write_batch = std::max<int>(1, static_cast<int>(chip.hbm.write_batch));
  p.dram_latency = p.ns(chip.hbm.latency);
  // Refresh steals its share of every burst: the average rate is right, single refreshes are not seen.
  const double bytes_per_ns =
      chip.hbm.bandwidth_per_die / (p.channels_per_partition * p.partitions) * (1 - chip.hbm.refresh_share);
  p.access = p.ns(p.access_bytes / bytes_per_ns);
  p.row_open = p.ns(chip.hbm.row_open);
  p.row_cycle = p.ns(chip.hbm.row_cycle);
  p.turnaround = p.ns(chip.hbm.turnaround);

  // What a unit sends in one quantum comes back no sooner than the end of that quantum.
  p.request_cycles = p.request_latency >> tick_bits;
  p.quantum = std::max<Cycle>(1, p.l1_to_noc + p.request_cycles + (p.return_latency >> tick_bits));
  p.quantum = std::min(p.quantum, p.cluster_latency);

  const auto rounds = [](std::uint64_t items, std::uint64_t places) { return (items + places - 1) / places; };
  std::uint64_t lines = std::uint64_t{1} << 32;
  if (p.dies > 1) lines = p.data_placement->most(lines, placement_sizes(p));
  lines =
      rounds(rounds(lines, p.partition_lines), static_cast<std::uint64_t>(p.partitions)) * p.partition_lines;
  const std::uint64_t homes =
      p.replicate_near || p.replicate_dies ? static_cast<std::uint64_t>(p.dies) * p.partitions : 1;
  const std::uint64_t tags =
      rounds(rounds(lines, static_cast<std::uint64_t>(p.slices_per_partition)), p.sets_per_slice) * homes;
  WR_CHECK(tags <= std::uint64_t{1} << 32);
  p.wide_tags = tags > 1 << 16;
  return p;
}

}  // namespace wanren::timing
