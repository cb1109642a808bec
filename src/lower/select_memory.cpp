// Recipes: memory, barriers, warp collectives, control flow.

#include <algorithm>
#include <bit>
#include <set>

#include "lower/selector.h"
#include "simt/opcode_traits.h"

namespace wanren::lower {

using ptx::Opcode;
using simt::no_value;

namespace {

Access::Space space_of(ptx::Space space) {
  switch (space) {
    case ptx::Space::global: return Access::Space::global;
    case ptx::Space::shared:
    case ptx::Space::shared_cluster: return Access::Space::shared;
    case ptx::Space::local: return Access::Space::local;
    case ptx::Space::constant:
    case ptx::Space::param: return Access::Space::constant;
    default: return Access::Space::generic;
  }
}

// An access that other threads may order theirs by.
bool orders_others(const simt::Inst& inst) {
  using S = ptx::Semantics;
  switch (inst.memory().semantics) {
    case S::acquire:
    case S::release:
    case S::acq_rel:
    case S::sc:
    case S::volatile_:
    case S::mmio: return true;
    default: return false;
  }
}

constexpr std::int64_t offset_limit = 1 << 23;  // memory instructions have 24-bit signed offsets

}  // namespace

Selector::Address Selector::address(const Operand& base, std::int64_t offset, bool narrow) {
  Operand at = base;
  const auto fits = [](std::int64_t o) { return o >= -offset_limit && o < offset_limit; };
  for (;;) {
    const Inst* d = definition(at);
    if (d == nullptr || d->dsts.size() != 1) break;
    if ((d->op == Opcode::add || d->op == Opcode::sub) && !d->arithmetic().cc) {
      if (!narrow && ptx::bits(d->types[0]) != 64) break;
      const bool first = d->op == Opcode::add && d->srcs[0].kind == Operand::Kind::imm;
      const Operand& constant = d->srcs[first ? 0 : 1];
      if (constant.kind != Operand::Kind::imm) break;
      std::int64_t change =
          narrow ? static_cast<std::int32_t>(constant.bits) : static_cast<std::int64_t>(constant.bits);
      if (d->op == Opcode::sub) change = -change;
      if (!fits(change) || !fits(offset + change)) break;
      offset += change;
      at = d->srcs[first ? 1 : 0];
      continue;
    }
    if (d->op == Opcode::cvta ||
        (d->op == Opcode::mov && d->srcs.size() == 1 && d->srcs[0].kind == Operand::Kind::value)) {
      at = d->srcs[0];
      continue;
    }
    if (narrow && d->op == Opcode::cvt && !ptx::is_float(d->types[1]) && ptx::bits(d->types[1]) >= 32) {
      at = d->srcs[0];
      continue;
    }
    break;
  }
  if (at.kind == Operand::Kind::imm) {  // a fixed place in a window
    const std::int64_t fixed =
        narrow ? static_cast<std::int32_t>(at.bits) : static_cast<std::int64_t>(at.bits);
    if (fits(offset + fixed)) return {{}, offset + fixed, {6, 0}};
  }
  if (at.kind == Operand::Kind::frame_address) {  // a fixed place from the stack pointer
    const auto fixed = static_cast<std::int64_t>(at.bits);
    if (fits(offset + fixed)) return {{}, offset + fixed, {4, 0}};
  }
  Words ws = words(at, narrow ? 1 : 2);
  return {in_registers(std::move(ws)), offset, low_bits(at)};
}

LowBits Selector::low_bits(const Operand& o, int depth) {
  static constexpr int most = 6;
  const auto make = [](int known, std::uint64_t rest) {
    known = std::min(known, most);
    return LowBits{static_cast<std::uint8_t>(known), static_cast<std::uint8_t>(rest & ((1u << known) - 1))};
  };
  const auto zeros = [](LowBits b) { return b.rest == 0 ? int{b.known} : std::countr_zero(b.rest); };
  const auto common = [&](LowBits a, LowBits b) {
    return make(std::min({int{a.known}, int{b.known}, std::countr_zero(unsigned(a.rest ^ b.rest))}), a.rest);
  };
  if (o.kind == Operand::Kind::imm) return make(most, o.bits);
  if (o.kind == Operand::Kind::value && !o.negated && depth > 0 && definitions_[o.value].phi) {
    const auto& incoming = definitions_[o.value].phi->incoming;
    if (const auto at = supposed_.find(o.value); at != supposed_.end()) return at->second;
    // What a loop carries round is what it is at the start if each round keeps that.
    LowBits found;
    bool first = true;
    const auto see = [&](bool carried) {
      for (const Operand& in : incoming) {
        if (in.kind == Operand::Kind::undefined) continue;
        const Definition* d = in.kind == Operand::Kind::value ? &definitions_[in.value] : nullptr;
        const bool back = d && d->block != simt::no_block && d->block >= definitions_[o.value].block;
        if (back != carried) continue;
        const LowBits b = low_bits(in, depth - 1);
        found = first ? b : common(found, b);
        first = false;
      }
    };
    see(false);
    for (LowBits before = found;; before = found) {
      supposed_[o.value] = found;
      see(true);
      if (found == before) break;
    }
    supposed_.erase(o.value);
    return found;
  }
  const Inst* d = definition(o);
  if (d == nullptr || depth == 0 || d->srcs.empty()) return {};
  const auto of = [&](std::size_t i) { return low_bits(d->srcs[i], depth - 1); };
  const auto sum = [&](LowBits a, LowBits b) { return make(std::min(a.known, b.known), a.rest + b.rest); };
  const auto product = [&](LowBits a, LowBits b) {
    return make(std::min(a.known + zeros(b), b.known + zeros(a)), std::uint64_t{a.rest} * b.rest);
  };
  const bool low_product =
      (d->arithmetic().part == ptx::MulPart::lo || d->arithmetic().part == ptx::MulPart::wide) &&
      !ptx::is_float(d->types[0]);
  switch (d->op) {
    case Opcode::add: return sum(of(0), of(1));
    case Opcode::sub: {
      const LowBits b = of(1);
      return sum(of(0), make(b.known, std::uint64_t{64} - b.rest));
    }
    case Opcode::or_:
    case Opcode::xor_: {
      const LowBits a = of(0), b = of(1);
      return make(std::min(a.known, b.known), d->op == Opcode::or_ ? a.rest | b.rest : a.rest ^ b.rest);
    }
    case Opcode::and_: {
      const LowBits a = of(0), b = of(1);
      const int both = std::min(a.known, b.known), clear = std::max(zeros(a), zeros(b));
      return both >= clear ? make(both, a.rest & b.rest) : make(clear, 0);
    }
    case Opcode::mul: return low_product ? product(of(0), of(1)) : LowBits{};
    case Opcode::mad: return low_product ? sum(product(of(0), of(1)), of(2)) : LowBits{};
    case Opcode::shl: {
      if (d->srcs[1].kind != Operand::Kind::imm) return {};
      const int by = static_cast<int>(std::min<std::uint64_t>(d->srcs[1].bits, 63));
      return make(of(0).known + by, std::uint64_t{of(0).rest} << by);
    }
    case Opcode::selp: return common(of(0), of(1));
    case Opcode::cvta:
    case Opcode::mov: return d->srcs.size() == 1 ? of(0) : LowBits{};
    case Opcode::cvt: return ptx::is_float(d->types[1]) ? LowBits{} : of(0);
    default: return {};
  }
}

void Selector::access(const Inst& inst, Memory kind, Words dst, const Operand& base, std::vector<Words> data,
                      std::uint32_t bytes) {
  const Access::Space space = space_of(inst.space());
  const bool narrow = space == Access::Space::shared || space == Access::Space::local;
  Address a = address(base, inst.offset, narrow);
  std::vector<Words> sources;
  const Word key = a.base.empty() ? Word{} : a.base[0];
  if (!a.base.empty()) sources.push_back(a.base);
  for (Words& d : data) sources.push_back(in_registers(std::move(d)));
  int latency = static_cast<int>(chip_.unit.l1_latency);
  if (space == Access::Space::shared) latency = static_cast<int>(chip_.unit.shared_latency);
  VirtualInst& i = emit(Pipe::memory, latency, std::move(dst), std::move(sources));
  i.machine.memory = kind;
  i.machine.slot = inst.slot;
  i.machine.bytes = static_cast<std::uint16_t>(bytes);
  i.machine.bypass_l1 =
      kind == Memory::load && (inst.memory().cache == ptx::CacheOp::cg ||
                               inst.memory().cache == ptx::CacheOp::cv || simt::is_ordered(inst));
  i.access.space = space;
  i.access.reads = kind != Memory::store && kind != Memory::reduction;
  i.access.writes = kind == Memory::store || kind == Memory::atomic || kind == Memory::reduction ||
                    kind == Memory::async_copy;
  i.access.read_only = i.access.reads && !i.access.writes &&
                       (inst.memory().cache == ptx::CacheOp::nc || space == Access::Space::constant);
  i.access.fence = orders_others(inst);
  i.access.base = key;
  i.access.base_bits = a.bits;
  i.access.offset = a.offset;
  i.access.bytes = bytes;
}

// One instruction of the memory pipe, whatever it does to an mbarrier (SYNCS) or asks of the copy engine.
void Selector::asynchronous(const Inst& inst, Memory kind) {
  std::vector<Words> sources;
  const bool narrow = space_of(inst.space()) == Access::Space::shared;
  const Address at = address(inst.srcs[0], 0, narrow);
  if (!at.base.empty()) sources.push_back(at.base);
  for (std::size_t i = 1; i < inst.srcs.size() && sources.size() < 4; ++i) {
    if (inst.srcs[i].kind != Operand::Kind::value) continue;
    sources.push_back(words(inst.srcs[i], words_of(inst.srcs[i].value)));
  }
  Words dst;
  Word predicate{};
  if (!inst.dsts.empty() && inst.dsts[0] != no_value) {
    dst = place(inst.dsts[0]);
    if (kernel_.values[inst.dsts[0]].width == simt::Width::pred) {
      predicate = dst[0];
      dst.clear();
    }
  }
  VirtualInst& i =
      emit(Pipe::memory, static_cast<int>(chip_.unit.shared_latency), std::move(dst), std::move(sources));
  i.define_predicate = predicate;
  i.machine.memory = kind;
  i.machine.slot = inst.slot;
  i.access.fence = true;
  i.last = kernel_.blocks[block_].suspend == simt::Suspend::phase && inst.op == Opcode::mbarrier_try_wait;
}

Result<void> Selector::recipe_memory(const Inst& inst, bool& known) {
  known = true;
  const auto results = [&] {
    Words all;
    for (const simt::ValueId d : inst.dsts) {
      const Words part = d == no_value ? temporary() : place(d);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  };
  const auto data_from = [&](std::size_t first, int each) {
    Words all;
    for (std::size_t i = first; i < inst.srcs.size(); ++i) {
      const Words part = words(inst.srcs[i], each);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  };
  const int bits = ptx::bits(inst.types[0]);
  const int each = std::max(1, bits / 32);
  const auto bytes =
      static_cast<std::uint32_t>(std::max(1, bits / 8) * std::max<int>(1, inst.memory().vector));
  switch (inst.op) {
    case Opcode::ld:
    case Opcode::ldu:
      if (inst.space() == ptx::Space::param) {  // indexed or guarded: a constant-bank load, no trace record
        VirtualInst& i = emit(Pipe::memory, static_cast<int>(chip_.unit.l1_latency), results(),
                              {in_registers(words(inst.srcs[0], 1))});
        i.machine.bytes = static_cast<std::uint16_t>(bytes);
        return {};
      }
      access(inst, Memory::load, results(), inst.srcs[0], {}, bytes);
      return {};
    case Opcode::st: access(inst, Memory::store, {}, inst.srcs[0], {data_from(1, each)}, bytes); return {};
    case Opcode::atom:
    case Opcode::red: {
      const bool reads =
          inst.op == Opcode::atom && !inst.dsts.empty() &&
          std::any_of(inst.dsts.begin(), inst.dsts.end(), [](auto d) { return d != no_value; });
      std::vector<Words> data;
      if (inst.memory().atom == ptx::AtomOp::cas) {
        data = {words(inst.srcs[1], each), words(inst.srcs[2], each)};
      } else {
        data = {data_from(1, each)};
      }
      access(inst,
             reads || inst.memory().atom == ptx::AtomOp::cas || inst.memory().atom == ptx::AtomOp::exch
                 ? Memory::atomic
                 : Memory::reduction,
             reads ? results() : Words{}, inst.srcs[0], std::move(data), bytes);
      return {};
    }
    case Opcode::cp_async: {
      // Shared destination and global source are both addresses; the record is the global read.
      const Address to = address(inst.srcs[0], 0, true), from = address(inst.srcs[1], 0, false);
      std::vector<Words> sources;
      if (!to.base.empty()) sources.push_back(to.base);
      if (!from.base.empty()) sources.push_back(from.base);
      if (inst.srcs.size() > 2) sources.push_back(in_registers(words(inst.srcs[2], 1)));
      VirtualInst& i = emit(Pipe::memory, 1, {}, std::move(sources));
      i.machine.memory = Memory::async_copy;
      i.machine.slot = inst.slot;
      i.machine.bytes = inst.memory().copy_bytes;
      i.access.space = Access::Space::generic;
      i.access.reads = i.access.writes = true;
      i.access.bytes = inst.memory().copy_bytes;
      return {};
    }
    case Opcode::cp_async_commit_group:  // LDGDEPBAR, DEPBAR
    case Opcode::cp_async_wait_group:
    case Opcode::cp_async_wait_all:
    case Opcode::cp_async_bulk_commit_group:
    case Opcode::cp_async_bulk_wait_group: {
      VirtualInst& i = emit(Pipe::none, 1, {}, {});
      i.machine.memory = Memory::group;
      i.machine.slot = inst.slot;
      i.access.fence = true;
      return {};
    }
    case Opcode::cp_async_mbarrier_arrive:
    case Opcode::mbarrier_arrive:
    case Opcode::mbarrier_arrive_drop:
    case Opcode::mbarrier_complete_tx:
    case Opcode::mbarrier_expect_tx:
    case Opcode::mbarrier_init:
    case Opcode::mbarrier_inval:
    case Opcode::red_async:
    case Opcode::st_async:
    case Opcode::mbarrier_test_wait:
    case Opcode::mbarrier_try_wait: asynchronous(inst, Memory::phase); return {};
    case Opcode::tensormap_replace:
      access(inst, Memory::store, {}, inst.srcs[0], {data_from(1, 1)}, bytes);
      return {};
    case Opcode::tensormap_cp_fenceproxy: access(inst, Memory::store, {}, inst.srcs[0], {}, 16); return {};
    case Opcode::cp_async_bulk:  // UBLKCP, UTMALDG and their kin
    case Opcode::cp_async_bulk_prefetch:
    case Opcode::cp_async_bulk_tensor:
    case Opcode::cp_reduce_async_bulk: asynchronous(inst, Memory::bulk); return {};
    case Opcode::mbarrier_pending_count: integer(destination(inst), {words(inst.srcs[0], 2)}); return {};
    case Opcode::prefetch:
    case Opcode::prefetchu: {
      const Address a = address(inst.srcs[0], inst.offset, false);
      std::vector<Words> sources;
      if (!a.base.empty()) sources.push_back(a.base);
      emit(Pipe::memory, 1, {}, std::move(sources));
      return {};
    }
    case Opcode::discard:
    case Opcode::applypriority: emit(Pipe::memory, 1, {}, {}); return {};
    case Opcode::createpolicy: chain(destination(inst), {}, 2); return {};
    case Opcode::griddepcontrol:
    case Opcode::pmevent:
    case Opcode::setmaxnreg: emit(Pipe::none, 1, {}, {}); return {};
    case Opcode::membar:
    case Opcode::fence:
      emit(Pipe::none, static_cast<int>(chip_.subcore.barrier_latency), {}, {}).access.fence = true;
      return {};
    case Opcode::barrier_cluster_arrive:  // UCGABAR
    case Opcode::barrier_cluster_wait:
    case Opcode::bar:
    case Opcode::barrier: {
      if (inst.meeting().barrier == ptx::Barrier::warp_sync) {
        emit(Pipe::none, 1, {}, {}).access.fence = true;
        return {};
      }
      std::vector<Words> sources;
      for (const Operand& o : inst.srcs) {
        if (o.kind != Operand::Kind::value) continue;
        const bool p = kernel_.values[o.value].width == simt::Width::pred;
        sources.push_back(p ? Words{predicate(o)} : words(o, 1));
      }
      Words dst;
      Word dst_predicate{};
      if (!inst.dsts.empty() && inst.dsts[0] != no_value) {
        dst = place(inst.dsts[0]);
        if (kernel_.values[inst.dsts[0]].width == simt::Width::pred) {
          dst_predicate = dst[0];
          dst.clear();
        }
      }
      VirtualInst& i = emit(Pipe::barrier, static_cast<int>(chip_.subcore.barrier_latency), std::move(dst),
                            std::move(sources));
      i.define_predicate = dst_predicate;
      i.machine.slot = inst.slot;
      i.access.fence = true;
      i.last = kernel_.blocks[block_].suspend == simt::Suspend::barrier &&
               inst.op != Opcode::barrier_cluster_arrive;
      return {};
    }
    case Opcode::nanosleep: {
      VirtualInst& i = emit(Pipe::none, 1, {}, {});
      i.access.fence = i.last = true;
      return {};
    }
    case Opcode::shfl:
    case Opcode::vote:
    case Opcode::elect:
    case Opcode::match:
    case Opcode::redux: {
      Words dst;
      Word dst_predicate{};
      for (std::size_t d = 0; d < inst.dsts.size(); ++d) {
        if (inst.dsts[d] == no_value) continue;
        const Words w = place(inst.dsts[d]);
        if (kernel_.values[inst.dsts[d]].width == simt::Width::pred)
          dst_predicate = w[0];
        else
          dst = w;
      }
      std::vector<Words> sources;
      for (const Operand& o : inst.srcs) {
        if (o.kind != Operand::Kind::value) continue;
        const bool p = kernel_.values[o.value].width == simt::Width::pred;
        sources.push_back(p ? Words{predicate(o)} : words(o, words_of(o.value)));
      }
      if (inst.op == Opcode::shfl && !inst.srcs.empty() && sources.empty())
        sources.push_back(in_registers(words(inst.srcs[0], 1)));
      if (sources.size() > 4) sources.resize(4);
      // VOTE and ELECT are ALU instructions; the others cross lanes.
      const bool vote = inst.op == Opcode::vote || inst.op == Opcode::elect;
      VirtualInst& i =
          emit(vote ? Pipe::integer : Pipe::shuffle,
               static_cast<int>(vote ? chip_.subcore.alu_latency : chip_.subcore.shuffle_latency),
               std::move(dst), std::move(sources));
      i.define_predicate = dst_predicate;
      return {};
    }
    case Opcode::activemask: integer(destination(inst), {}); return {};
    case Opcode::mapa:  // MAPA, or shift and insert
    case Opcode::getctarank: integer(destination(inst), {words(inst.srcs[0], 1)}); return {};
    case Opcode::call:
      if (inst.syscall == simt::Syscall::none)
        function_call(inst);
      else
        system_call(inst);
      return {};
    case Opcode::trap:
    case Opcode::brkpt:
    case Opcode::ret: {
      for (const Operand& o : inst.srcs) to_convention(o);
      return {};
    }
    case Opcode::exit: {
      VirtualInst& i = emit(Pipe::branch, 1, {}, {});
      i.access.fence = true;
      return {};
    }
    default: known = false; return {};
  }
}

// A block that only ends its lanes: a branch to it is a predicated EXIT.
static bool only_exits(const simt::Block& block) {
  return block.insts.empty() && block.phis.empty() && block.term.kind == simt::Terminator::Kind::exit;
}

Result<void> Selector::terminator(const simt::Block& block) {
  block_ = block.id;
  index_ = static_cast<std::uint32_t>(std::max<std::size_t>(block.insts.size(), 1) - 1);
  out_ = &tail_[block.id];
  using K = simt::Terminator::Kind;
  const auto branch = [&](std::vector<Words> sources) {
    VirtualInst& i =
        emit(Pipe::branch, static_cast<int>(chip_.subcore.branch_latency), {}, std::move(sources));
    i.last = true;
  };
  const simt::BlockId next = block.id + 1;
  switch (block.term.kind) {
    case K::exit:
    case K::trap: branch({}); break;
    case K::jump:
      if (block.term.targets[0] != next) branch({});
      break;
    case K::branch: {
      branch({{predicate(block.term.cond)}});
      const bool falls_through =
          std::find(block.term.targets.begin(), block.term.targets.end(), next) != block.term.targets.end();
      if (!falls_through) branch({});
      break;
    }
    case K::index: {
      const Words table = temporary();
      integer(table, {place(block.term.cond)});
      branch({table});
      break;
    }
  }
  return {};
}

// Convergence barriers: BSSY where a divergent region is entered, BSYNC where it ends. A branch whose
// condition comes from launch constants, block and grid indices alone is uniform and needs none; nor does
// one that leads only to an exit, nor arms short enough to be predicated (at most seven instructions).
void Selector::reconvergence() {
  const std::size_t n = kernel_.values.size();
  std::vector<bool> varies(n);
  for (bool changed = true; changed;) {
    changed = false;
    const auto vary = [&](simt::ValueId v) {
      if (v == no_value || varies[v]) return;
      varies[v] = true;
      changed = true;
    };
    const auto any = [&](const std::vector<Operand>& list) {
      return std::any_of(list.begin(), list.end(), [&](const Operand& o) {
        if (o.kind == Operand::Kind::special) {
          using S = ptx::SpecialRegister;
          return !launch_constant(o) && o.special != S::ctaid_x && o.special != S::ctaid_y &&
                 o.special != S::ctaid_z && o.special != S::warpid && o.special != S::smid;
        }
        return o.kind == Operand::Kind::argument || (o.kind == Operand::Kind::value && varies[o.value]);
      });
    };
    for (const simt::Block& block : kernel_.blocks) {
      for (const simt::Phi& phi : block.phis)
        if (any(phi.incoming)) vary(phi.dst);
      for (const Inst& inst : block.insts) {
        const bool memory = (ptx::flags(inst.op) & ptx::accesses_memory) != 0 &&
                            !(inst.op == Opcode::ld && inst.space() == ptx::Space::param);
        if (memory || inst.op == Opcode::shfl || inst.op == Opcode::call || any(inst.srcs) ||
            (inst.guard != no_value && varies[inst.guard]))
          for (const simt::ValueId d : inst.dsts) vary(d);
      }
    }
  }
  std::set<std::pair<simt::BlockId, simt::BlockId>> entered;
  std::set<simt::BlockId> ended;
  const auto size = [&](simt::BlockId b) {
    std::size_t total = tail_[b].size();
    for (const auto& r : recipes_[b]) total += r.size();
    return total;
  };
  for (const simt::Block& block : kernel_.blocks) {
    if (block.term.kind != simt::Terminator::Kind::branch && block.term.kind != simt::Terminator::Kind::index)
      continue;
    if (!varies[block.term.cond]) continue;
    const simt::BlockId join = block.immediate_post_dominator;
    if (join == simt::no_block || only_exits(kernel_.blocks[join])) continue;
    bool needed = false;
    for (const simt::BlockId t : block.term.targets) {
      if (t == join) continue;
      const simt::Terminator& term = kernel_.blocks[t].term;
      const bool straight = term.kind == simt::Terminator::Kind::jump && term.targets[0] == join;
      needed |= !straight || size(t) > 7;
    }
    if (!needed) continue;
    // A branch out of a loop: the region begins before the loop.
    simt::BlockId place = block.id;
    while (kernel_.blocks[place].loop_header != simt::no_block &&
           kernel_.blocks[place].loop_depth > kernel_.blocks[join].loop_depth) {
      const simt::BlockId header = kernel_.blocks[place].loop_header;
      simt::BlockId before = simt::no_block;
      for (const simt::BlockId p : kernel_.blocks[header].preds)
        if (p < header) before = p;
      if (before == simt::no_block) break;
      place = before;
    }
    if (entered.insert({place, join}).second) {
      out_ = &tail_[place];
      block_ = place;
      VirtualInst& i = emit(Pipe::branch, 1, {}, {});
      i.last = true;
      std::rotate(out_->begin(), out_->end() - 1, out_->end());
    }
    if (ended.insert(join).second) {
      out_ = &head_[join];
      block_ = join;
      emit(Pipe::branch, 1, {}, {});
      std::rotate(out_->begin(), out_->end() - 1, out_->end());
    }
  }
}

}  // namespace wanren::lower
