// Per-lane instructions applied to the lanes of a warp.

#include "interp/callbacks.h"
#include "interp/lane.h"
#include "support/result.h"

namespace wanren::interp {

LaneFunction find_lane_function(const simt::Inst& inst) {
  if (LaneFunction f = find_integer(inst)) return f;
  if (LaneFunction f = find_bits(inst)) return f;
  if (LaneFunction f = find_float(inst)) return f;
  if (LaneFunction f = find_comparison(inst)) return f;
  if (LaneFunction f = find_video(inst)) return f;
  return find_conversion(inst);
}

void evaluate_lane(const simt::Inst& inst, const std::uint64_t* srcs, std::uint64_t* dsts) {
  const LaneFunction f = find_lane_function(inst);
  WR_CHECK(f != nullptr);
  f(inst, srcs, dsts);
}

bool is_alu(const simt::Inst& inst) {
  return find_lane_function(inst) != nullptr;
}

namespace {
bool is_wide(const simt::Inst& inst) {
  return inst.types[0] == ptx::Type::b128;
}
}  // namespace

std::uint32_t source_rows(const simt::Inst& inst) {
  const auto n = static_cast<std::uint32_t>(inst.srcs.size());
  if (!is_wide(inst)) return n;
  // mov: only the whole register is wide, the elements of a vector are not; memory: all but the address.
  if (inst.op == ptx::Opcode::mov) return n == 1 ? 2 : n;
  return 2 * n - 1;
}

std::uint32_t destination_rows(const simt::Inst& inst) {
  const auto n = static_cast<std::uint32_t>(inst.dsts.size());
  if (!is_wide(inst)) return n;
  if (inst.op == ptx::Opcode::mov) return n == 1 ? 2 : n;
  return 2 * n;
}

}  // namespace wanren::interp

void wanren_interp_alu(const wanren::simt::Inst* inst, const std::uint64_t* srcs, std::uint64_t* dsts,
                       std::uint32_t mask) {
  using namespace wanren;
  constexpr int limit = 16;
  const interp::LaneFunction function = interp::find_lane_function(*inst);
  const std::uint32_t in = interp::source_rows(*inst), out = interp::destination_rows(*inst);
  WR_CHECK(function != nullptr && in <= limit && out <= limit);
  for (int lane = 0; lane < warp_size; ++lane) {
    if (!(mask >> lane & 1)) continue;
    std::uint64_t s[limit] = {}, d[limit] = {};
    for (std::uint32_t r = 0; r < in; ++r) s[r] = srcs[r * warp_size + static_cast<std::uint32_t>(lane)];
    function(*inst, s, d);
    for (std::uint32_t r = 0; r < out; ++r) dsts[r * warp_size + static_cast<std::uint32_t>(lane)] = d[r];
  }
}
