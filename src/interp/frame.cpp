#include "interp/frame.h"

#include <algorithm>

#include "interp/callbacks.h"
#include "interp/interp.h"
#include "interp/lane.h"
#include "support/result.h"

namespace wanren::interp {

using simt::Operand;
using simt::Width;

FrameLayout layout_of(const simt::Kernel& kernel, simt::FunctionId function) {
  FrameLayout l;
  l.extent = simt::extent(kernel, function);
  const simt::Extent& e = l.extent;
  std::size_t rows = 0, in = 1, out = 1, phis = 0;
  for (simt::ValueId v = e.first_value; v < e.end_value; ++v)
    rows += kernel.values[v].width == Width::b128 ? 2 : 1;
  for (simt::BlockId id = e.first_block; id < e.end_block; ++id) {
    const simt::Block& b = kernel.blocks[id];
    phis = std::max(phis, 2 * b.phis.size());
    for (const simt::Inst& i : b.insts) {
      in = std::max<std::size_t>(in, source_rows(i));
      out = std::max<std::size_t>(out, destination_rows(i));
    }
  }
  l.pending = rows * warp_size;
  l.activation = l.pending + (e.end_block - e.first_block);
  l.rows = l.activation + sizeof(Activation) / sizeof(std::uint64_t);
  l.srcs = l.rows + (e.end_value - e.first_value + 1) / 2;
  l.dsts = l.srcs + in * warp_size;
  l.phis = l.dsts + out * warp_size;
  l.words = l.phis + phis;
  return l;
}

std::size_t frame_words(const simt::Kernel& kernel, simt::FunctionId function) {
  return layout_of(kernel, function).words;
}

std::uint32_t value_row(const simt::Kernel& kernel, simt::ValueId first, simt::ValueId value) {
  std::uint32_t row = 0;
  for (simt::ValueId v = first; v < value; ++v) row += kernel.values[v].width == Width::b128 ? 2 : 1;
  return row;
}

Frame::Frame(simt::WarpContext& ctx, std::uint64_t* words, simt::FunctionId function)
    : ctx_(ctx), kernel_(*ctx.kernel), layout_(layout_of(*ctx.kernel, function)), words_(words) {
  first_row_ = reinterpret_cast<std::uint32_t*>(words_ + layout_.rows);
  std::uint32_t row = 0;
  for (simt::ValueId v = layout_.extent.first_value; v < layout_.extent.end_value; ++v) {
    first_row_[v - layout_.extent.first_value] = row;
    row += is_wide(v) ? 2 : 1;
  }
}

std::uint64_t Frame::read(const Operand& o, int lane, std::uint32_t part) {
  switch (o.kind) {
    case Operand::Kind::none:
    case Operand::Kind::undefined: return o.negated ? 1 : 0;
    case Operand::Kind::value: {
      if (part == 1 && !is_wide(o.value)) return 0;
      const std::uint64_t bits = value(o.value, part)[lane];
      return o.negated ? bits ^ 1 : bits;
    }
    case Operand::Kind::imm: return part == 0 ? (o.negated ? o.bits ^ 1 : o.bits) : 0;
    case Operand::Kind::special: return special_register(ctx_, o.special, lane);
    case Operand::Kind::global_symbol: return ctx_.global_addresses[o.index] + o.bits;
    case Operand::Kind::param_address: return reinterpret_cast<std::uint64_t>(ctx_.parameters) + o.bits;
    case Operand::Kind::frame_address: return activation().frame_offset + o.bits;
    case Operand::Kind::argument:
      return activation().arguments[o.index * warp_size + static_cast<unsigned>(lane)];
  }
  return 0;
}

void Frame::write(simt::ValueId v, int lane, std::uint64_t bits, std::uint32_t part) {
  switch (kernel_.values[v].width) {
    case Width::pred: bits &= 1; break;
    case Width::b16: bits = low_bits(bits, 16); break;
    case Width::b32: bits = low_bits(bits, 32); break;
    default: break;
  }
  value(v, part)[lane] = bits;
}

LaneMask Frame::lanes_where(simt::ValueId predicate, bool negated, LaneMask mask) {
  LaneMask result = 0;
  for_each_lane(mask, [&](int lane) {
    if ((value(predicate)[lane] & 1) != negated) result |= LaneMask{1} << lane;
  });
  return result;
}

void Frame::take_edge(simt::BlockId from, simt::BlockId to, LaneMask mask) {
  const simt::Block& target = kernel_.blocks[to];
  if (!target.phis.empty()) {
    const auto& preds = target.preds;
    const auto edge = static_cast<std::size_t>(std::find(preds.begin(), preds.end(), from) - preds.begin());
    WR_CHECK(edge < preds.size());
    std::uint64_t* read_first = words_ + layout_.phis;
    for_each_lane(mask, [&](int lane) {
      std::uint64_t* out = read_first;
      for (const simt::Phi& phi : target.phis) {
        *out++ = read(phi.incoming[edge], lane);
        if (is_wide(phi.dst)) *out++ = read(phi.incoming[edge], lane, 1);
      }
      const std::uint64_t* in = read_first;
      for (const simt::Phi& phi : target.phis) {
        write(phi.dst, lane, *in++);
        if (is_wide(phi.dst)) write(phi.dst, lane, *in++, 1);
      }
    });
  }
  pending(to) |= mask;
}

std::uint64_t special_register(const simt::WarpContext& ctx, ptx::SpecialRegister reg, int lane) {
  using S = ptx::SpecialRegister;
  const LaneMask bit = LaneMask{1} << lane;
  switch (reg) {
    case S::tid_x: return ctx.tid[lane];
    case S::tid_y: return ctx.tid[warp_size + lane];
    case S::tid_z: return ctx.tid[2 * warp_size + lane];
    case S::ntid_x: return ctx.ntid[0];
    case S::ntid_y: return ctx.ntid[1];
    case S::ntid_z: return ctx.ntid[2];
    case S::ctaid_x: return ctx.ctaid[0];
    case S::ctaid_y: return ctx.ctaid[1];
    case S::ctaid_z: return ctx.ctaid[2];
    case S::nctaid_x: return ctx.nctaid[0];
    case S::nctaid_y: return ctx.nctaid[1];
    case S::nctaid_z: return ctx.nctaid[2];
    case S::is_explicit_cluster: return ctx.is_explicit_cluster;
    case S::clusterid_x: return ctx.ctaid[0] / ctx.cluster_nctaid[0];
    case S::clusterid_y: return ctx.ctaid[1] / ctx.cluster_nctaid[1];
    case S::clusterid_z: return ctx.ctaid[2] / ctx.cluster_nctaid[2];
    case S::nclusterid_x: return ctx.nctaid[0] / ctx.cluster_nctaid[0];
    case S::nclusterid_y: return ctx.nctaid[1] / ctx.cluster_nctaid[1];
    case S::nclusterid_z: return ctx.nctaid[2] / ctx.cluster_nctaid[2];
    case S::cluster_ctaid_x: return ctx.ctaid[0] % ctx.cluster_nctaid[0];
    case S::cluster_ctaid_y: return ctx.ctaid[1] % ctx.cluster_nctaid[1];
    case S::cluster_ctaid_z: return ctx.ctaid[2] % ctx.cluster_nctaid[2];
    case S::cluster_nctaid_x: return ctx.cluster_nctaid[0];
    case S::cluster_nctaid_y: return ctx.cluster_nctaid[1];
    case S::cluster_nctaid_z: return ctx.cluster_nctaid[2];
    case S::cluster_ctarank: return simt::cluster_rank(ctx);
    case S::cluster_nctarank: return ctx.cluster_nctarank;
    case S::laneid: return static_cast<std::uint64_t>(lane);
    case S::warpid: return ctx.warp_in_cta;
    case S::nwarpid:
      return (std::uint64_t{ctx.ntid[0]} * ctx.ntid[1] * ctx.ntid[2] + warp_size - 1) / warp_size;
    case S::smid: return ctx.smid;
    case S::nsmid: return ctx.nsmid;
    case S::gridid: return ctx.grid_id;
    case S::lanemask_eq: return bit;
    case S::lanemask_le: return bit | (bit - 1);
    case S::lanemask_lt: return bit - 1;
    case S::lanemask_ge: return ~(bit - 1);
    case S::lanemask_gt: return ~(bit | (bit - 1));
    case S::clock: return static_cast<std::uint32_t>(ctx.clock_cycles);
    case S::clock_hi: return ctx.clock_cycles >> 32;
    case S::clock64: return ctx.clock_cycles;
    case S::globaltimer: return ctx.clock_ns;
    case S::globaltimer_lo: return static_cast<std::uint32_t>(ctx.clock_ns);
    case S::globaltimer_hi: return ctx.clock_ns >> 32;
    case S::dynamic_smem_size: return ctx.dynamic_shared_bytes;
    case S::total_smem_size: return ctx.total_shared_bytes;
    case S::envreg0:
    case S::envreg1:
    case S::envreg2:
    case S::current_graph_exec: return 0;
    // No shared memory is kept back for the system.
    case S::reserved_smem_offset_begin:
    case S::reserved_smem_offset_end:
    case S::reserved_smem_offset_cap:
    case S::reserved_smem_offset_0:
    case S::reserved_smem_offset_1: return 0;
  }
  return 0;
}

}  // namespace wanren::interp
