#pragma once
// Hand-made programs and traces for the timing model: no PTX, no engine.

#include <bit>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "chip/spec.h"
#include "lower/program.h"
#include "simt/kernel.h"
#include "timing/device.h"
#include "trace/trace.h"
#include "trace/warp_source.h"

namespace wanren::timing::test {

/// A small chip with round figures: 1000 MHz, so that a cycle is a nanosecond.
inline chip::Spec small_chip(int dies = 1) {
  chip::Spec c;
  c.name = "test";
  c.package.dies = dies;
  c.package.clusters_per_die = 2;
  c.package.units_per_die = 4;
  c.package.subcores_per_unit = 4;
  c.package.cta_schedule = "round_robin";
  c.package.data_placement = "interleave";
  c.clock.core = 1000;
  c.clock.core_min = 200;
  c.clock.step = 10;
  c.power.window = 10;
  c.subcore.warps = 16;
  c.subcore.register_bytes = 64 << 10;
  c.subcore.register_granularity = 256;
  c.subcore.register_banks = 2;
  c.subcore.scheduler = "gto";
  c.subcore.alu_latency = 4;
  c.subcore.branch_latency = 8;
  c.subcore.barrier_latency = 20;
  c.subcore.poll_interval = 20;
  c.subcore.mbarrier_latency = 20;
  c.subcore.memory_queue = 5;
  c.subcore.instruction_fetch_latency = 0;
  c.subcore.instruction_cache_bytes = 128 << 10;
  c.subcore.instruction_line_bytes = 128;
  c.unit.max_threads = 2048;
  c.unit.max_ctas = 32;
  c.unit.max_threads_per_cta = 1024;
  c.unit.l1_bytes = 192 << 10;
  c.unit.shared_bytes = 164 << 10;
  c.unit.shared_reserved = 0;
  c.unit.shared_granularity = 128;
  c.unit.l1_line_bytes = 128;
  c.unit.l1_sector_bytes = 32;
  c.unit.l1_ways = 4;
  c.unit.l1_latency = 33;
  c.unit.l1_exit_share = 0.5;
  c.unit.l1_hash = "rotated";
  c.unit.shared_latency = 23;
  c.unit.shared_banks = 32;
  c.unit.l1_bytes_per_cycle = 128;
  c.unit.l1_tags_per_cycle = 4;
  c.unit.l1_miss_sectors = 512;
  c.unit.shared_atomic_cycles = 2;
  c.unit.cluster_latency = 200;
  c.unit.bulk_latency = 60;
  c.unit.bulk_bytes_per_cycle = 64;
  c.unit.cta_launch_latency = 100;
  c.noc.unit_read_bytes_per_cycle = 64;
  c.noc.unit_write_bytes_per_cycle = 32;
  c.noc.cluster_read_bytes_per_cycle = 1024;
  c.noc.cluster_write_bytes_per_cycle = 512;
  c.noc.partition_bytes_per_cycle = 1024;
  c.l2.bytes_per_die = 4 << 20;
  c.l2.partitions_per_die = 1;
  c.l2.slices_per_die = 8;
  c.l2.ways = 16;
  c.l2.near_latency = 205;
  c.l2.far_latency = 288;
  c.l2.slice_bytes_per_cycle = 64;
  c.l2.replication = "home";
  c.l2.hash = "rotated";
  c.l2.partition_interleave = 8192;
  c.l2.die_interleave = 4096;
  c.l2.atomic_sectors_per_cycle = 1;
  c.d2d.topology = dies > 1 ? "all" : "none";
  c.d2d.bandwidth = dies > 1 ? 448 : 0;
  c.d2d.latency = dies > 1 ? 60 : 0;
  c.d2d.packet_payload_bytes = 128;
  c.d2d.packet_header_bytes = 16;
  c.d2d.cache = "home";
  c.hbm.bytes_per_die = std::int64_t{8} << 30;
  c.hbm.channels_per_die = 8;
  c.hbm.bandwidth_per_die = 256;  // 32 bytes a nanosecond and channel
  c.hbm.latency = 150;
  c.hbm.banks_per_channel = 16;
  c.hbm.row_bytes = 1024;
  c.hbm.row_cycle = 45;
  c.hbm.row_open = 28;
  c.hbm.turnaround = 8;
  c.hbm.refresh_share = 0;
  c.hbm.access_bytes = 32;
  c.hbm.write_batch = 32;
  c.host.pcie_bandwidth = 25;
  c.host.pageable_bandwidth = 5;
  c.host.pcie_latency = 4;
  c.host.launch_latency = 2;
  c.host.launch_gap = 1;
  return c;
}

/// One instruction per line of a test.
struct Code {
  std::vector<std::vector<lower::MachineInst>> blocks = {{}};
  std::map<std::size_t, simt::Suspend> suspends;

  lower::MachineInst& add() { return blocks.back().emplace_back(); }
  Code& block() {
    blocks.emplace_back();
    return *this;
  }
  Code& fma(int dst, int a, int b, int c, int interval = 2) {
    auto& i = add();
    i.pipe = lower::Pipe::fp32;
    i.dst = static_cast<lower::Register>(dst);
    i.dst_count = 1;
    i.src_count = 3;
    const int source[] = {a, b, c};
    for (int s = 0; s < 3; ++s) i.src[s] = static_cast<lower::Register>(source[s]), i.src_width[s] = 1;
    i.latency = 4;
    i.interval = static_cast<std::uint16_t>(interval);
    i.flops_per_lane = 2;
    return *this;
  }
  Code& memory(lower::Memory kind, int slot, int dst, int address, int bytes = 4, int interval = 1) {
    auto& i = add();
    i.pipe = lower::Pipe::memory;
    i.memory = kind;
    if (dst >= 0)
      i.dst = static_cast<lower::Register>(dst), i.dst_count = static_cast<std::uint8_t>((bytes + 3) / 4);
    i.src_count = 1;
    i.src[0] = static_cast<lower::Register>(address);
    i.src_width[0] = 2;
    i.interval = static_cast<std::uint16_t>(interval);
    i.latency = 1;
    i.slot = static_cast<std::uint16_t>(slot);
    i.bytes = static_cast<std::uint16_t>(bytes);
    return *this;
  }
  Code& load(int slot, int dst, int address, int bytes = 4) {
    return memory(lower::Memory::load, slot, dst, address, bytes);
  }
  Code& store(int slot, int address, int bytes = 4) {
    return memory(lower::Memory::store, slot, -1, address, bytes);
  }
  Code& barrier(int slot) {
    auto& i = add();
    i.pipe = lower::Pipe::barrier;
    i.slot = static_cast<std::uint16_t>(slot);
    i.latency = 1;
    suspends[blocks.size() - 1] = simt::Suspend::barrier;
    return *this;
  }
  Code& group(int slot) {
    auto& i = add();
    i.memory = lower::Memory::group;
    i.slot = static_cast<std::uint16_t>(slot);
    i.latency = 1;
    return *this;
  }
  Code& bulk(int slot) { return memory(lower::Memory::bulk, slot, -1, 40); }
  Code& phase(int slot) { return memory(lower::Memory::phase, slot, -1, 40); }
  Code& branch() {
    auto& i = add();
    i.pipe = lower::Pipe::branch;
    i.latency = 1;
    return *this;
  }
};

/// The words of one warp.
struct Words {
  std::vector<std::uint64_t> words;
  Words& block(std::uint32_t id, LaneMask mask = full_mask) {
    words.push_back(trace::block_word(id, mask));
    return *this;
  }
  Words& affine(std::uint64_t base, std::uint16_t pattern, LaneMask mask = full_mask,
                trace::Space space = trace::Space::global) {
    words.push_back(base);
    words.push_back(trace::record_word(mask, pattern, trace::Kind::affine, space));
    return *this;
  }
  Words& gather(const std::array<std::uint64_t, warp_size>& lanes, LaneMask mask = full_mask,
                trace::Space space = trace::Space::global) {
    words.push_back(0);
    words.push_back(trace::record_word(mask, 0, trace::Kind::gather, space));
    words.insert(words.end(), lanes.begin(), lanes.end());
    return *this;
  }
  /// At the cluster's barrier: the warp arrives for a phase, from 1 on, or waits for its end.
  Words& cluster(std::uint32_t id, std::uint32_t phase) {
    return barrier(id, phase << 1 | (id == trace::cluster_arrive ? 1u : 0u));
  }
  Words& barrier(std::uint32_t id, std::uint32_t threads) {
    words.push_back(id | std::uint64_t{threads} << 32);
    words.push_back(trace::record_word(full_mask, 0, trace::Kind::barrier, trace::Space::none));
    return *this;
  }
  /// The open group of copies ends (0), or all but the `waits` - 1 newest are waited for.
  Words& group(std::uint64_t waits) {
    words.push_back(waits);
    words.push_back(trace::record_word(full_mask, 0, trace::Kind::group, trace::Space::none));
    return *this;
  }
  Words& bulk(trace::BulkOp op, const trace::BulkEntry& entry) {
    words.push_back(static_cast<std::uint64_t>(op) | 1 << 8);
    words.push_back(trace::record_word(1, 0, trace::Kind::bulk, trace::Space::global));
    const auto* from = reinterpret_cast<const std::uint64_t*>(&entry);
    words.insert(words.end(), from, from + trace::bulk_entry_words);
    return *this;
  }
  Words& phase(trace::PhaseOp op, std::uint32_t mbarrier, std::uint32_t value) {
    words.push_back(trace::phase_base(op, 1));
    words.push_back(trace::record_word(1, 0, trace::Kind::phase, trace::Space::shared));
    words.push_back(mbarrier | std::uint64_t{value} << 32);
    return *this;
  }
};

/// pattern k: lane * k bytes; 0 is all zero.
inline std::vector<simt::LanePattern> stride_patterns(int most = 256) {
  std::vector<simt::LanePattern> patterns(static_cast<std::size_t>(most) + 1);
  for (int k = 0; k <= most; ++k)
    for (int l = 0; l < warp_size; ++l) patterns[k][l] = std::int64_t{k} * l;
  return patterns;
}

class SyntheticSource : public trace::WarpSource {
 public:
  /// `make(cta, warp)` gives chunks; a barrier ends a chunk.
  using Make = std::function<std::vector<std::vector<std::uint64_t>>(std::uint64_t cta, std::uint32_t warp)>;

  SyntheticSource(const Code& code, std::uint64_t ctas, std::uint32_t warps, Make make)
      : ctas_(ctas), warps_(warps), make_(std::move(make)), patterns_(stride_patterns()) {
    std::uint32_t count = 0;
    for (std::size_t b = 0; b < code.blocks.size(); ++b) {
      program_.blocks.push_back({code.blocks[b]});
      simt::Block block;
      block.id = static_cast<simt::BlockId>(b);
      for (const auto& inst : code.blocks[b])
        if (inst.slot != simt::no_slot) block.slots = std::max<std::uint16_t>(block.slots, inst.slot + 1);
      if (const auto it = code.suspends.find(b); it != code.suspends.end()) block.suspend = it->second;
      kernel_.blocks.push_back(block);
      count += static_cast<std::uint32_t>(code.blocks[b].size());
    }
    program_.registers_per_thread = 32;
    program_.code_bytes = count * 16;
  }
  SyntheticSource(const Code& code, std::uint64_t ctas, std::uint32_t warps, const Words& words)
      : SyntheticSource(code, ctas, warps, [words](std::uint64_t, std::uint32_t) {
          return std::vector<std::vector<std::uint64_t>>{words.words};
        }) {}

  const simt::Kernel& kernel() const override { return kernel_; }
  std::span<const simt::LanePattern> patterns() const override { return patterns_; }
  std::uint64_t ctas() const override { return ctas_; }
  std::uint32_t warps_per_cta() const override { return warps_; }
  bool ordered() const override { return coupled_; }
  std::uint32_t ctas_per_cluster() const override { return cluster; }
  std::uint64_t cta_of(trace::ClusterPlace place) const override {
    return place.cluster * cluster + place.rank;
  }
  trace::ClusterPlace place_of(std::uint64_t cta) const override {
    return {cta / cluster, static_cast<std::uint32_t>(cta % cluster)};
  }
  trace::CtaHandle begin_cta(std::uint64_t linear, std::uint32_t unit) override {
    const std::scoped_lock lock(mutex_);
    placed.emplace_back(linear, unit);
    auto cta = std::make_unique<Cta>();
    cta->linear = linear;
    cta->warps.resize(warps_);
    live_.push_back(std::move(cta));
    return static_cast<trace::CtaHandle>(live_.size() - 1);
  }
  trace::Chunk next(trace::CtaHandle handle, std::uint32_t warp, trace::Moment now) override {
    Cta* cta;
    {
      const std::scoped_lock lock(mutex_);
      cta = live_[handle].get();
      if (coupled_) asked.push_back(now), askers.emplace_back(cta->linear, warp);
    }
    Warp& w = cta->warps[warp];
    if (!w.made) {
      w.chunks = make_(cta->linear, warp);
      w.made = true;
    }
    trace::Chunk chunk;
    if (w.at < w.chunks.size()) chunk.words = w.chunks[w.at++];
    chunk.end = w.at >= w.chunks.size() ? trace::Chunk::End::exited
                : coupled_              ? trace::Chunk::End::coupled
                                        : trace::Chunk::End::more;
    if (chunk.end != trace::Chunk::End::exited) chunk.sleep_ns = sleep_ns;
    return chunk;
  }
  void end_cta(trace::CtaHandle handle) override {
    const std::scoped_lock lock(mutex_);
    ++ended;
    live_[handle]->warps.clear();
  }
  bool failed() const override { return false; }
  bool skippable() const override { return !coupled_ && cluster == 1; }
  bool run_untraced(std::span<const trace::CtaRange> ctas, std::span<simt::BlockCount> done) override {
    for (const trace::CtaRange range : ctas)
      for (std::uint64_t cta = range.begin; cta < range.end; ++cta, ++untraced)
        for (std::uint32_t warp = 0; warp < warps_; ++warp)
          for (const auto& chunk : make_(cta, warp)) count(chunk, done);
    return true;
  }

  const lower::MachineProgram& program() const { return program_; }
  Work work(int ctas_per_unit = 1, std::uint32_t shared = 0) {
    Work w;
    w.kernel.program = &program_;
    w.kernel.open = [this] { return this; };
    w.kernel.occupancy.ctas_per_unit = ctas_per_unit;
    w.kernel.dynamic_and_static_shared_bytes = shared;
    return w;
  }

  std::vector<std::pair<std::uint64_t, std::uint32_t>> placed;  ///< CTA, unit
  std::vector<trace::Moment> asked;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> askers;  ///< CTA, warp
  std::uint64_t ended = 0, untraced = 0;
  std::uint32_t cluster = 1;  ///< CTAs of one.
  bool coupled_ = false;
  std::uint64_t sleep_ns = 0;

 private:
  void count(const std::vector<std::uint64_t>& words, std::span<simt::BlockCount> done) const {
    for (const std::uint64_t* at = words.data(); at != words.data() + words.size();) {
      const auto block = static_cast<std::uint32_t>(*at);
      ++done[block].warps;
      done[block].threads += static_cast<std::uint64_t>(std::popcount(static_cast<LaneMask>(*at++ >> 32)));
      trace::Record record;
      for (int slot = 0; slot < kernel_.blocks[block].slots; ++slot) at = trace::read_record(at, record);
    }
  }
  struct Warp {
    std::vector<std::vector<std::uint64_t>> chunks;
    std::size_t at = 0;
    bool made = false;
  };
  struct Cta {
    std::uint64_t linear = 0;
    std::vector<Warp> warps;
  };
  std::uint64_t ctas_;
  std::uint32_t warps_;
  Make make_;
  std::vector<simt::LanePattern> patterns_;
  simt::Kernel kernel_;
  lower::MachineProgram program_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Cta>> live_;
};

/// Admits the items, each behind those that `after` names by their places in the list, and runs them all.
inline std::vector<Timed> run_all(Device& device, std::vector<Work> work,
                                  const std::vector<std::vector<std::size_t>>& after = {}) {
  std::vector<JobRef> jobs;
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (i < after.size())
      for (const std::size_t before : after[i]) work[i].after.push_back(jobs[before]);
    jobs.push_back(device.admit(std::move(work[i])));
  }
  device.advance_all();
  std::vector<Timed> timed;
  for (const JobRef& job : jobs) timed.push_back(job->timed);
  return timed;
}

/// Runs one kernel on a fresh device.
inline Timed run_one(const chip::Spec& chip, SyntheticSource& source, int ctas_per_unit = 1,
                     std::uint32_t shared = 0, int threads = 1, std::int64_t quantum = 0) {
  Device device(chip, threads, nullptr, quantum);
  return run_all(device, {source.work(ctas_per_unit, shared)}).front();
}

}  // namespace wanren::timing::test
