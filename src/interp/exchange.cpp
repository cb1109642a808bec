// Exchange between the lanes of a warp, PTX ISA ch. 9.7.9.6, 9.7.13: shfl, vote, match, redux, activemask.
// Lanes that take part are those that execute the instruction and are named in its member mask. A shfl
// that reads a lane which does not take part reads the lane itself.

#include <bit>

#include "interp/lane.h"
#include "interp/warp_ops.h"

namespace wanren::interp {
namespace {

using ptx::AtomOp;
using ptx::Opcode;
using ptx::ShflMode;
using ptx::VoteMode;

// The .sync forms have the member mask as last source.
LaneMask members(const WarpOp& op, int lane) {
  if (!op.inst.meeting().sync) return op.mask;
  return op.mask & static_cast<LaneMask>(op.srcs[op.inst.srcs.size() - 1][lane]);
}

void shuffle(const WarpOp& op) {
  Row result = {};
  LaneMask inside = 0;
  for_each_lane(op.mask, [&](int lane) {
    const int b = static_cast<int>(op.srcs[1][lane] & 31);
    const int c = static_cast<int>(op.srcs[2][lane] & 31);
    const int segment = static_cast<int>(op.srcs[2][lane] >> 8 & 31);
    const int max_lane = (lane & segment) | (c & ~segment), min_lane = lane & segment;
    int j = lane;
    bool valid = false;
    switch (op.inst.meeting().shfl) {
      case ShflMode::up:
        j = lane - b;
        valid = j >= max_lane;
        break;
      case ShflMode::down:
        j = lane + b;
        valid = j <= max_lane;
        break;
      case ShflMode::bfly:
        j = lane ^ b;
        valid = j <= max_lane;
        break;
      default:
        j = min_lane | (b & ~segment);
        valid = j <= max_lane;
        break;
    }
    if (valid) inside |= LaneMask{1} << lane;
    if (!valid || !(members(op, lane) >> j & 1)) j = lane;
    result[lane] = op.srcs[0][j];
  });
  for_each_lane(op.mask, [&](int lane) {
    op.dsts[0][lane] = result[lane];
    if (op.inst.dsts.size() > 1) op.dsts[1][lane] = inside >> lane & 1;
  });
}

void vote(const WarpOp& op) {
  LaneMask holds = 0;
  for_each_lane(op.mask, [&](int lane) { holds |= static_cast<LaneMask>(op.srcs[0][lane] & 1) << lane; });
  Row result = {};
  for_each_lane(op.mask, [&](int lane) {
    const LaneMask who = members(op, lane), yes = holds & who;
    switch (op.inst.meeting().vote) {
      case VoteMode::all: result[lane] = yes == who; break;
      case VoteMode::any: result[lane] = yes != 0; break;
      case VoteMode::uni: result[lane] = yes == 0 || yes == who; break;
      default: result[lane] = yes; break;
    }
  });
  for_each_lane(op.mask, [&](int lane) { op.dsts[0][lane] = result[lane]; });
}

void match(const WarpOp& op) {
  const int n = ptx::bits(op.inst.types[0]);
  Row result = {};
  for_each_lane(op.mask, [&](int lane) {
    LaneMask same = 0;
    for_each_lane(members(op, lane), [&](int other) {
      if (low_bits(op.srcs[0][other] ^ op.srcs[0][lane], n) == 0) same |= LaneMask{1} << other;
    });
    result[lane] = same;
  });
  for_each_lane(op.mask, [&](int lane) {
    if (!op.inst.meeting().all) {
      op.dsts[0][lane] = result[lane];
      return;
    }
    const bool all = result[lane] == members(op, lane);
    op.dsts[0][lane] = all ? result[lane] : 0;
    if (op.inst.dsts.size() > 1) op.dsts[1][lane] = all;
  });
}

std::uint64_t reduce(const WarpOp& op, std::uint64_t a, std::uint64_t b) {
  const ptx::Type t = op.inst.types[0];
  const bool max = op.inst.meeting().reduction == AtomOp::max;
  if (ptx::is_float(t)) {
    simt::Arithmetic how;
    how.nan = op.inst.meeting().nan;
    return float_operation(max ? FloatOp::max : FloatOp::min, t, how, a, b, 0);
  }
  switch (op.inst.meeting().reduction) {
    case AtomOp::add: return a + b;
    case AtomOp::and_: return a & b;
    case AtomOp::or_: return a | b;
    case AtomOp::xor_: return a ^ b;
    default: break;
  }
  const std::uint64_t x = read(a, t), y = read(b, t);
  const bool less = ptx::is_signed(t) ? static_cast<std::int64_t>(x) < static_cast<std::int64_t>(y) : x < y;
  return less == max ? b : a;
}

void redux(const WarpOp& op) {
  Row result = {};
  const bool magnitude = op.inst.meeting().abs && ptx::is_float(op.inst.types[0]);
  const auto value = [&](int lane) {
    return low_bits(op.srcs[0][lane], 32) & (magnitude ? 0x7fffffffu : 0xffffffffu);
  };
  for_each_lane(op.mask, [&](int lane) {
    bool first = true;
    std::uint64_t r = value(lane);
    for_each_lane(members(op, lane), [&](int other) {
      r = first ? value(other) : reduce(op, r, value(other));
      first = false;
    });
    result[lane] = low_bits(r, 32);
  });
  for_each_lane(op.mask, [&](int lane) { op.dsts[0][lane] = result[lane]; });
}

/// The lowest member is the leader.
void elect(const WarpOp& op) {
  for_each_lane(op.mask, [&](int lane) {
    const int leader = std::countr_zero(static_cast<LaneMask>(op.srcs[0][lane]) & op.mask);
    op.dsts[0][lane] = static_cast<std::uint64_t>(leader);
    op.dsts[1][lane] = lane == leader;
  });
}

}  // namespace

bool run_exchange(const WarpOp& op) {
  switch (op.inst.op) {
    case Opcode::shfl: shuffle(op); return true;
    case Opcode::vote: vote(op); return true;
    case Opcode::match: match(op); return true;
    case Opcode::redux: redux(op); return true;
    case Opcode::elect: elect(op); return true;
    case Opcode::activemask:
      for_each_lane(op.mask, [&](int lane) { op.dsts[0][lane] = op.mask; });
      return true;
    // bar.warp.sync: the lanes have met if they are here.
    case Opcode::bar:
    case Opcode::barrier: return op.inst.meeting().barrier == ptx::Barrier::warp_sync;
    default: return false;
  }
}

}  // namespace wanren::interp
