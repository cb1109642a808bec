// The driver of instruction selection, and what all recipes use.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lower/selector.h"
#include "ptx/cost.h"

namespace wanren::lower {

using ptx::Opcode;
using simt::no_value;

Selector::Selector(const simt::Kernel& kernel, const chip::Spec& chip)
    : kernel_(kernel), chip_(chip), narrow_(narrow_values(kernel)), places_(kernel.values.size()) {
  code_.kernel = &kernel;
  code_.chip = &chip;
  code_.blocks.resize(kernel.blocks.size());
  wanted_.resize(kernel.blocks.size());
  recipes_.resize(kernel.blocks.size());
  head_.resize(kernel.blocks.size());
  tail_.resize(kernel.blocks.size());
  for (const simt::Block& b : kernel.blocks) {
    wanted_[b.id].resize(b.insts.size());
    recipes_[b.id].resize(b.insts.size());
  }
  index_definitions();
}

int Selector::interval(std::int64_t lanes) const {
  return static_cast<int>((warp_size + lanes - 1) / std::max<std::int64_t>(lanes, 1));
}

VirtualInst& Selector::emit(Pipe pipe, int latency, Words dst, std::vector<Words> sources) {
  std::int64_t lanes = warp_size;
  const auto& s = chip_.subcore;
  switch (pipe) {
    case Pipe::fp32: lanes = s.fp32_lanes; break;
    case Pipe::integer: lanes = s.int_lanes; break;
    case Pipe::imul: lanes = s.imul_lanes; break;
    case Pipe::fp16: lanes = s.fp16_lanes; break;
    case Pipe::fp64: lanes = s.fp64_lanes; break;
    case Pipe::sfu: lanes = s.sfu_lanes; break;
    case Pipe::convert: lanes = s.cvt_lanes; break;
    case Pipe::memory: lanes = s.ldst_lanes; break;
    case Pipe::shuffle: lanes = s.ldst_lanes; break;
    default: break;
  }
  VirtualInst inst;
  inst.machine.pipe = pipe;
  inst.machine.latency = static_cast<std::uint16_t>(latency);
  inst.machine.interval = static_cast<std::uint16_t>(interval(lanes));
  inst.machine.ptx_inst = static_cast<std::uint16_t>(index_);
  inst.uses = std::move(sources);
  inst.defines = std::move(dst);
  inst.guard = guard_;
  inst.keeps_old = guard_.in_register() || (inst_ != nullptr && inst_->guard != no_value);
  out_->push_back(std::move(inst));
  return out_->back();
}

VirtualInst& Selector::integer(Words dst, std::vector<Words> sources) {
  legalise(sources);
  return emit(Pipe::integer, static_cast<int>(chip_.subcore.alu_latency), std::move(dst), std::move(sources));
}

VirtualInst& Selector::multiply(Words dst, std::vector<Words> sources) {
  legalise(sources);
  return emit(Pipe::imul, static_cast<int>(chip_.subcore.imul_latency), std::move(dst), std::move(sources));
}

VirtualInst& Selector::fp32(Words dst, std::vector<Words> sources, int flops) {
  legalise(sources);
  VirtualInst& i =
      emit(Pipe::fp32, static_cast<int>(chip_.subcore.alu_latency), std::move(dst), std::move(sources));
  i.machine.flops_per_lane = static_cast<std::uint32_t>(flops);
  return i;
}

VirtualInst& Selector::fp16(Words dst, std::vector<Words> sources, int flops) {
  legalise(sources);
  VirtualInst& i =
      emit(Pipe::fp16, static_cast<int>(chip_.subcore.fp16_latency), std::move(dst), std::move(sources));
  i.machine.flops_per_lane = static_cast<std::uint32_t>(flops);
  return i;
}

VirtualInst& Selector::mufu(Words dst, std::vector<Words> sources) {
  legalise(sources);
  return emit(Pipe::sfu, static_cast<int>(chip_.subcore.sfu_latency), std::move(dst), std::move(sources));
}

VirtualInst& Selector::convert(Words dst, std::vector<Words> sources) {
  legalise(sources);
  return emit(Pipe::convert, static_cast<int>(chip_.subcore.cvt_latency), std::move(dst), std::move(sources));
}

// One FP64 instruction where there are lanes for it; else a sequence of `emulation` integer instructions.
void Selector::fp64(Words dst, std::vector<Words> sources, int flops, std::int64_t emulation) {
  if (chip_.subcore.fp64_lanes > 0) {
    legalise(sources);
    VirtualInst& i =
        emit(Pipe::fp64, static_cast<int>(chip_.subcore.fp64_latency), std::move(dst), std::move(sources));
    i.machine.flops_per_lane = static_cast<std::uint32_t>(flops);
    return;
  }
  emulated("fp64_emulated");
  VirtualInst& i = integer(std::move(dst), std::move(sources));
  i.machine.flops_per_lane = static_cast<std::uint32_t>(flops);  // FP64 results on the integer pipe
  i.machine.repeat = static_cast<std::uint16_t>(emulation);
}

void Selector::compare(Word dst, std::vector<Words> sources, const Word& extra) {
  if (extra.in_register()) sources.push_back({extra});
  integer({}, std::move(sources)).define_predicate = dst;
}

void Selector::chain(const Words& dst, std::vector<Words> sources, int count, Pipe pipe) {
  for (int i = 0; i < count; ++i) {
    const bool last = i + 1 == count;
    Words result = last ? dst : temporary(static_cast<int>(std::max<std::size_t>(dst.size(), 1)));
    if (pipe == Pipe::imul)
      multiply(result, sources);
    else
      integer(result, sources);
    if (i == 0 && sources.size() > 1) sources.resize(2);
    if (sources.empty()) sources.push_back({});
    sources[0] = {result.empty() ? Word{} : result[0]};
  }
}

void Selector::move(Words dst, const Words& source) {
  const auto count = static_cast<std::uint16_t>(dst.size());
  VirtualInst& i = emit(Pipe::integer, static_cast<int>(chip_.subcore.alu_latency), std::move(dst), {});
  for (const Word& w : source) i.uses.push_back({w});
  i.machine.repeat = count;
}

void Selector::emulated(const std::string& feature) {
  if (std::find(code_.emulated.begin(), code_.emulated.end(), feature) == code_.emulated.end())
    code_.emulated.push_back(feature);
}

Result<void> Selector::require(std::string_view feature, const Inst& inst) {
  const auto it = chip_.features.find(std::string(feature));
  if (it == chip_.features.end() || it->second == chip::Support::native) return {};
  if (it->second == chip::Support::emulated) {
    emulated(fmt::format("{}_emulated", feature));
    return {};
  }
  return fail(fmt::format("{}:{}", kernel_.name, inst.location.ptx_line),
              fmt::format("chip {} has no {}, which `{}` needs", chip_.name, feature, ptx::name(inst.op)),
              "run it on a chip that has it, or compile for an older target");
}

Result<void> Selector::recipe(const Inst& inst) {
  if (const ptx::Cost cost = ptx::cost(inst.op); cost.kind != ptx::Cost::Kind::own) {
    std::vector<Words> sources;
    sources.reserve(inst.srcs.size());
    for (const Operand& source : inst.srcs) sources.push_back(words(source, 1));
    chain(inst.dsts[0] == no_value ? Words{} : place(inst.dsts[0]), std::move(sources), cost.count,
          cost.kind == ptx::Cost::Kind::alu ? Pipe::integer : Pipe::imul);
    return {};
  }
  bool known = true;
  Result<void> r = recipe_integer(inst, known);
  if (!r || known) return r;
  r = recipe_float(inst, known);
  if (!r || known) return r;
  r = recipe_memory(inst, known);
  if (!r || known) return r;
  r = recipe_matrix(inst, known);
  if (!r || known) return r;
  return fail(fmt::format("{}:{}", kernel_.name, inst.location.ptx_line),
              fmt::format("`{}` has no machine code", ptx::name(inst.op)));
}

Result<Code> Selector::run() {
  // Effects are needed for themselves; all else because one of them needs it.
  for (const simt::Block& block : kernel_.blocks) {
    for (std::uint32_t i = 0; i < block.insts.size(); ++i) {
      const Inst& inst = block.insts[i];
      const std::uint8_t f = ptx::flags(inst.op);
      const bool parameter = inst.op == Opcode::ld && inst.space() == ptx::Space::param && pure(inst);
      const bool suspends = block.suspend != simt::Suspend::none && i + 1 == block.insts.size();
      if (((f & (ptx::accesses_memory | ptx::may_suspend | ptx::control_flow | ptx::collective)) != 0 &&
           !parameter) ||
          (f & ptx::has_destination) == 0 || suspends)
        demand(block.id, i);
    }
    if (block.term.cond != no_value) predicate(block.term.cond);
  }
  const auto drain = [&]() -> Result<void> {
    while (!work_.empty()) {
      std::tie(block_, index_) = work_.front();
      work_.pop_front();
      const Inst& inst = kernel_.blocks[block_].insts[index_];
      std::vector<VirtualInst> made;
      out_ = &made;
      inst_ = &inst;
      guard_ = inst.guard == no_value ? Word{} : predicate(inst.guard);
      // Where the guard is false the destination keeps the prior value: it starts as a copy of it.
      if (inst.guard != no_value) {
        for (std::size_t d = 0; d < inst.dsts.size() && d < inst.prior.size(); ++d) {
          if (inst.dsts[d] == no_value || inst.prior[d].kind == Operand::Kind::none ||
              inst.prior[d].kind == Operand::Kind::undefined)
            continue;
          const Words dst = place(inst.dsts[d]);
          code_.copies.push_back(
              {block_, simt::no_block, dst[0].id, words(inst.prior[d], static_cast<int>(dst.size()))});
        }
      }
      if (const Result<void> r = recipe(inst); !r) return r;
      recipes_[block_][index_] = std::move(made);
    }
    return {};
  };
  // Phis are needed once somebody needs their result.
  std::vector<bool> phi_done(kernel_.values.size());
  for (bool changed = true; changed;) {
    if (const Result<void> r = drain(); !r) return std::unexpected(r.error());
    changed = false;
    for (const simt::Block& block : kernel_.blocks)
      for (const simt::Phi& phi : block.phis) {
        if (phi_done[phi.dst] || places_[phi.dst].empty()) continue;
        phi_done[phi.dst] = true;
        changed = true;
        for (std::size_t p = 0; p < phi.incoming.size(); ++p) {
          block_ = block.preds[p];
          index_ = 0;
          inst_ = nullptr;
          guard_ = {};
          if (phi.incoming[p].kind == Operand::Kind::undefined) continue;
          code_.copies.push_back({block.preds[p], block.id, places_[phi.dst][0].id,
                                  words(phi.incoming[p], static_cast<int>(places_[phi.dst].size()))});
        }
      }
  }
  guard_ = {};
  inst_ = nullptr;
  for (const simt::Block& block : kernel_.blocks)
    if (const Result<void> r = terminator(block); !r) return std::unexpected(r.error());
  if (const Result<void> r = drain(); !r) return std::unexpected(r.error());
  reconvergence();
  for (const simt::Block& block : kernel_.blocks) {
    std::vector<VirtualInst>& all = code_.blocks[block.id].insts;
    const auto append = [&](std::vector<VirtualInst>& part) {
      std::move(part.begin(), part.end(), std::back_inserter(all));
    };
    append(head_[block.id]);
    for (std::vector<VirtualInst>& r : recipes_[block.id]) append(r);
    append(tail_[block.id]);
  }
  return std::move(code_);
}

Result<Code> select(const simt::Kernel& kernel, const chip::Spec& chip) {
  return Selector(kernel, chip).run();
}

}  // namespace wanren::lower
