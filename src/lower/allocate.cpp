// From virtual to machine registers: a schedule that fits, else spills.

#include <algorithm>

#include "lower/registers.h"

namespace wanren::lower {
namespace {

constexpr Register first_predicate = 256;
constexpr std::uint32_t most_registers = 254;  // that code can name, less what the ABI keeps

// Beside what lives from block to block: operands and results of some instructions under way. With it the
// kernels of a public SGEMM ladder get 32, 32, 48, 96 and 96 registers, ptxas 13 gives them 32, 32, 52, 127
// and 118.
constexpr std::uint32_t registers_to_work_with = 16;

// Up to four register counts from `least` on at which one warp fewer fits a sub-core. Code keeps to the first
// that does without spills: a few more registers would hide less than the warps that they cost.
std::vector<std::uint32_t> occupancy_steps(const chip::Spec& chip, std::uint32_t least) {
  std::vector<std::uint32_t> steps;
  const auto threads = static_cast<std::uint64_t>(chip.package.subcores_per_unit) * warp_size;
  for (auto warps = static_cast<std::uint64_t>(chip.subcore.warps); warps > 1 && steps.size() < 4; --warps) {
    const std::uint32_t step = registers_that_fit(chip, threads, warps);
    if (step >= least && (steps.empty() || step > steps.back())) steps.push_back(step);
  }
  return steps;
}

/// Registers for all groups, or the groups to spill.
Colouring fit(const Code& code, const Grouping& grouping, const Ranges& ranges, std::uint32_t budget) {
  const std::vector<bool> cheap = remade(code, grouping);
  Colouring by_begin = colour(ranges, grouping, budget, false, cheap);
  if (by_begin.possible && by_begin.spilled.empty()) return by_begin;
  Colouring wide_first = colour(ranges, grouping, budget, true, cheap);
  if (wide_first.possible && wide_first.spilled.empty()) return wide_first;
  return wide_first.possible && !by_begin.possible ? wide_first : by_begin;
}

bool whole(const Colouring& c) {
  return c.possible && c.spilled.empty();
}

/// Spills until all fits; a budget that one instruction's own operands exceed grows.
Colouring spill(Code& code, Grouping& grouping, std::uint32_t& budget, std::uint32_t& spill_words) {
  for (;;) {
    const Ranges ranges = live_ranges(code, grouping);
    Colouring c = fit(code, grouping, ranges, budget);
    if (whole(c)) return c;
    if (!c.possible) {
      WR_CHECK(budget < most_registers);
      budget = std::min(budget + 2, most_registers);
    }
    insert_spills(code, grouping, ranges, c.spilled, spill_words);
  }
}

void emit(const Code& code, const Grouping& grouping, const Colouring& colours, MachineProgram& program) {
  const auto register_of = [&](const Word& w) {
    const Grouping::Seat seat = grouping.seats[w.id];
    const std::uint32_t at = colours.place[seat.group] + seat.offset + w.index;
    return static_cast<Register>(grouping.groups[seat.group].predicate ? first_predicate + at : at);
  };
  program.blocks.resize(code.blocks.size());
  for (std::size_t b = 0; b < code.blocks.size(); ++b)
    for (const VirtualInst& inst : code.blocks[b].insts) {
      MachineInst m = inst.machine;
      for (const Words& use : inst.uses) {
        const auto first =
            std::find_if(use.begin(), use.end(), [](const Word& w) { return w.in_register(); });
        if (first == use.end() || m.src_count == 4) continue;
        m.src[m.src_count] = register_of(*first);
        m.src_width[m.src_count] = static_cast<std::uint8_t>(
            std::count_if(use.begin(), use.end(), [](const Word& w) { return w.in_register(); }));
        ++m.src_count;
      }
      if (inst.guard.in_register()) m.guard = register_of(inst.guard);
      if (!inst.defines.empty() && inst.defines[0].in_register()) {
        const Register r = register_of(inst.defines[0]);
        if (r >= first_predicate) {
          m.dst_predicate = r;
        } else {
          m.dst = r;
          m.dst_count = static_cast<std::uint8_t>(inst.defines.size());
        }
      }
      if (inst.define_predicate.in_register()) m.dst_predicate = register_of(inst.define_predicate);
      program.blocks[b].insts.push_back(m);
    }
  program.registers_per_thread = colours.used;
}

}  // namespace

void allocate(Code& code, Grouping& grouping, std::uint32_t budget, MachineProgram& program) {
  const Code unscheduled = code;
  const std::uint32_t wanted =
      std::min(peak(code, grouping), live_between_blocks(code, grouping) + registers_to_work_with);
  std::vector<std::uint32_t> budgets;
  for (const std::uint32_t step : occupancy_steps(*code.chip, wanted + abi_registers))
    if (step - abi_registers < budget) budgets.push_back(step - abi_registers);
  budgets.push_back(budget);
  // Alignment and holes cost registers beyond those that are live: the schedule aims lower step by step.
  for (const std::uint32_t most : budgets)
    for (const std::uint32_t slack : {0u, 4u, 8u, 16u}) {
      if (slack > most / 2 || (most < budget && slack > 8)) break;
      code = unscheduled;
      schedule(code, grouping, most - slack);
      const Colouring c = fit(code, grouping, live_ranges(code, grouping), most);
      if (whole(c)) return emit(code, grouping, c, program);
    }
  code = unscheduled;
  schedule(code, grouping, budget);
  std::uint32_t spill_words = 0;
  const Colouring in_place = spill(code, grouping, budget, spill_words);
  program.spill_bytes = 4 * spill_words;
  // Reloads stand right before their uses: the scheduler moves them ahead where there is room.
  Code ahead = code;
  schedule(ahead, grouping, budget);
  const Colouring c = fit(ahead, grouping, live_ranges(ahead, grouping), budget);
  if (whole(c)) return emit(ahead, grouping, c, program);
  emit(code, grouping, in_place, program);
}

}  // namespace wanren::lower
