#include "timing/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace wanren::timing {
namespace {

class Verifier {
 public:
  Verifier(const chip::Spec& chip, const lower::MachineProgram& program, const Timed& timed)
      : chip_(chip), program_(program), timed_(timed), c_(timed.counters) {
    const double units = chip.units();
    subcores_ = units * static_cast<double>(chip.package.subcores_per_unit);
    seconds_ = static_cast<double>((timed.end - timed.begin).value) * 1e-12;
    // At the highest clock: a lower one only takes longer.
    cycles_ = seconds_ * chip.clock.core * 1e6;
    // Ticks are whole, so rates are rounded. What was passed over was counted elsewhere.
    slack_ = 1.001 + (timed.ctas_passed_over > 0 ? 0.01 + timed.sampling_error : 0);
  }

  std::string run(std::span<const simt::BlockCount> executed) {
    instructions(executed);
    memory();
    residency();
    roofs();
    phases();
    profile();
    return broken_;
  }

 private:
  template <class A, class B>
  void equal(std::string_view what, A a, B b) {
    if (a != static_cast<A>(b) && broken_.empty()) broken_ = fmt::format("{}: {} and {}", what, a, b);
  }
  void at_most(std::string_view what, double a, double b) {
    if (a > b * slack_ && broken_.empty()) broken_ = fmt::format("{}: {} above {}", what, a, b);
  }

  void instructions(std::span<const simt::BlockCount> executed) {
    std::uint64_t warps = 0, threads = 0, slots = 0;
    for (std::size_t b = 0; b < executed.size(); ++b) {
      const auto& insts = program_.blocks[b].insts;
      warps += executed[b].warps * insts.size();
      threads += executed[b].threads * insts.size();
      for (const lower::MachineInst& inst : insts) slots += executed[b].warps * inst.repeat;
    }
    equal("warp instructions issued and executed", c_.warp_instructions, warps);
    equal("thread instructions issued and executed", c_.thread_instructions, threads);
    equal("issue slots used and executed", c_.issue_slots, slots);
  }

  void phases() {
    Counters sum;
    Picoseconds duration;
    for (const Phase& phase : timed_.phases) {
      sum.add(phase.counters);
      duration += phase.duration;
    }
#define WR_COUNTER(id, doc) equal("its phases and the grid: " #id, sum.id, c_.id);
#include "timing/counters.def"
    equal("picoseconds of its phases and of the grid", duration.value, (timed_.end - timed_.begin).value);
  }

  void profile() {
    if (timed_.profile.empty()) return;
    InstructionProfile sum;
    for (const InstructionProfile& row : timed_.profile) sum.add(row);
    equal("instructions of its profile and of the grid", sum.issues, c_.warp_instructions);
    equal("lanes of its profile and of the grid", sum.lanes, c_.thread_instructions);
    equal("shared wavefronts of its profile and of the grid", sum.shared_wavefronts, c_.shared_wavefronts);
    equal("sectors its profile sent to L2 and that L2 served", sum.l2_sectors,
          c_.l2_read_sectors + c_.l2_write_sectors + c_.l2_atomic_sectors + c_.peer_read_sectors +
              c_.peer_write_sectors + c_.peer_atomic_sectors);
    for (int i = 0; i < stall_count; ++i)
      equal(fmt::format("{} of its profile and of the grid", name(static_cast<Stall>(i))),
            sum.stall_cycles[static_cast<std::size_t>(i)], c_.stall_cycles[static_cast<std::size_t>(i)]);
  }

  void memory() {
    const std::uint64_t l1_misses = c_.l1_sectors - c_.l1_hit_sectors;
    equal("sectors that missed L1 or went past it and sectors read from L2 or other chips",
          l1_misses + c_.bulk_read_sectors, c_.l2_read_sectors + c_.peer_read_sectors);
    equal("sectors stored through L1 or past it and written to L2 or other chips",
          c_.l1_store_sectors - c_.l1_spill_sectors + c_.bulk_write_sectors,
          c_.l2_write_sectors + c_.peer_write_sectors);
    const std::uint64_t l2 = c_.l2_read_sectors + c_.l2_write_sectors + c_.l2_atomic_sectors;
    at_most("sectors that hit L2, against all", static_cast<double>(c_.l2_hit_sectors),
            static_cast<double>(l2));
    const auto access = static_cast<std::uint64_t>(chip_.hbm.access_bytes);
    equal("bytes of DRAM accesses and of DRAM traffic", (c_.dram_row_hits + c_.dram_row_misses) * access,
          c_.dram_read_bytes + c_.dram_write_bytes);
    // Writes fetch nothing, so at least the misses beyond them were read, and at most one access a sector.
    const std::uint64_t sector = static_cast<std::uint64_t>(chip_.unit.l1_sector_bytes);
    const std::uint64_t misses = l2 - c_.l2_hit_sectors;
    if (misses > c_.l2_write_sectors)
      at_most("bytes missing in L2, against bytes read from DRAM",
              static_cast<double>((misses - c_.l2_write_sectors) * sector),
              static_cast<double>(c_.dram_read_bytes));
    at_most("bytes read from DRAM, against what missed L2", static_cast<double>(c_.dram_read_bytes),
            static_cast<double>(misses * std::max(access, sector)));
    equal("bytes on die links and their sum by link", c_.d2d_wire_bytes,
          std::accumulate(c_.d2d_link_bytes.begin(), c_.d2d_link_bytes.end(), std::uint64_t{0}));
    at_most("payload on die links, against the wire", static_cast<double>(c_.d2d_bytes),
            static_cast<double>(c_.d2d_wire_bytes));
  }

  void residency() {
    const std::uint64_t stalled =
        std::accumulate(c_.stall_cycles.begin(), c_.stall_cycles.end(), std::uint64_t{0});
    equal("stalled and issuing warp cycles, against residency", stalled + c_.issue_slots, c_.warp_cycles);
    at_most("issue slots, against cycles", static_cast<double>(c_.issue_slots), cycles_ * subcores_);
    at_most("warp cycles, against warp slots", static_cast<double>(c_.warp_cycles),
            cycles_ * subcores_ * static_cast<double>(chip_.subcore.warps));
  }

  void roofs() {
    // The last instruction of a pipe may still be in it when its warp has gone.
    std::array<double, lower::pipe_count> longest{};
    for (const lower::MachineBlock& block : program_.blocks)
      for (const lower::MachineInst& inst : block.insts)
        longest[static_cast<std::size_t>(inst.pipe)] = std::max(
            longest[static_cast<std::size_t>(inst.pipe)], static_cast<double>(inst.interval) * inst.repeat);
    for (std::size_t pipe = 0; pipe < c_.pipe_busy_cycles.size(); ++pipe)
      if (static_cast<lower::Pipe>(pipe) != lower::Pipe::none)
        at_most(fmt::format("busy cycles of pipe {}", pipe), static_cast<double>(c_.pipe_busy_cycles[pipe]),
                subcores_ * (cycles_ + longest[pipe]));
    const double units = chip_.units(), dies = static_cast<double>(chip_.package.dies);
    at_most("shared-memory passes",
            static_cast<double>(c_.shared_wavefronts) * static_cast<double>(chip_.unit.shared_banks) * 4 /
                chip_.unit.l1_bytes_per_cycle,
            units * cycles_);
    at_most("bytes read from DRAM, against its bandwidth", static_cast<double>(c_.dram_read_bytes),
            dies * chip_.hbm.bandwidth_per_die * 1e9 * seconds_);
    const std::uint64_t sectors = c_.l2_read_sectors + c_.l2_write_sectors;
    at_most("bytes of L2, against its slices",
            static_cast<double>(sectors) * static_cast<double>(chip_.unit.l1_sector_bytes),
            dies * static_cast<double>(chip_.l2.slices_per_die) * chip_.l2.slice_bytes_per_cycle * cycles_);
    at_most("bytes on links to other chips, against their bandwidth", static_cast<double>(c_.peer_wire_bytes),
            2 * chip_.link.bandwidth * 1e9 * seconds_);
    for (const std::uint64_t bytes : c_.d2d_link_bytes)
      at_most("bytes on a die link, against its bandwidth", static_cast<double>(bytes),
              chip_.d2d.bandwidth * 1e9 * seconds_);
  }

  const chip::Spec& chip_;
  const lower::MachineProgram& program_;
  const Timed& timed_;
  const Counters& c_;
  double subcores_ = 0, seconds_ = 0, cycles_ = 0, slack_ = 1;
  std::string broken_;
};

}  // namespace

std::string verify(const chip::Spec& chip, const lower::MachineProgram& program,
                   std::span<const simt::BlockCount> executed, const Timed& timed) {
  return Verifier(chip, program, timed).run(executed);
}

}  // namespace wanren::timing
