// Special registers, PTX ISA ch. 10.

#include "jit/emitter.h"

namespace wanren::jit {

using simt::WarpContext;
using R = ptx::SpecialRegister;

llvm::Value* Emitter::special(ptx::SpecialRegister reg, int width, Form form) {
  auto uniform = [&](Value* v) {
    v = resize(v, width, false);
    return form == Form::vector ? splat(v) : v;
  };
  auto context = [&](std::size_t offset) { return uniform(load_context(offset, 32)); };
  auto lane = [&](auto f) -> Value* {
    std::array<std::int64_t, warp_size> values{};
    for (int l = 0; l < warp_size; ++l)
      values[static_cast<std::size_t>(l)] = static_cast<std::int64_t>(f(static_cast<unsigned>(l)));
    if (form == Form::scalar) return imm(width, form, static_cast<std::uint64_t>(values[0]));
    return lane_constants(width, values);
  };
  const std::uint32_t dims[3] = {shape.block.x, shape.block.y, shape.block.z};
  auto tid = [&](unsigned axis) -> Value* {
    if (!shape.generic && dims[axis] == 1) return imm(width, form, 0);
    Value* row =
        b.CreateConstGEP1_64(b.getInt32Ty(), load_context(offsetof(WarpContext, tid), 0), axis * warp_size);
    llvm::Type* type = int_type(32, form);
    auto* v = b.CreateAlignedLoad(type, row, llvm::Align(4));
    v->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(c, {}));
    return resize(v, width, false);
  };
  auto ntid = [&](unsigned axis) -> Value* {
    if (!shape.generic) return imm(width, form, dims[axis]);
    return context(offsetof(WarpContext, ntid) + 4 * axis);
  };
  // The CTA's place in its cluster, by axis; an extent is never 0.
  auto field = [&](std::size_t offset, unsigned axis) { return load_context(offset + 4 * axis, 32); };
  auto extent_of = [&](unsigned axis) { return field(offsetof(WarpContext, cluster_nctaid), axis); };
  auto cta_in_cluster = [&](unsigned axis) {
    return b.CreateURem(field(offsetof(WarpContext, ctaid), axis), extent_of(axis));
  };
  auto cluster_of_cta = [&](unsigned axis) {
    return b.CreateUDiv(field(offsetof(WarpContext, ctaid), axis), extent_of(axis));
  };
  auto clusters = [&](unsigned axis) {
    return b.CreateUDiv(field(offsetof(WarpContext, nctaid), axis), extent_of(axis));
  };
  auto time = [&](std::size_t offset, int shift, int bits) {
    Value* v = load_context_now(offset, 64);
    if (shift) v = b.CreateLShr(v, b.getInt64(static_cast<std::uint64_t>(shift)));
    return uniform(resize(v, bits, false));
  };
  switch (reg) {
    case R::tid_x: return tid(0);
    case R::tid_y: return tid(1);
    case R::tid_z: return tid(2);
    case R::ntid_x: return ntid(0);
    case R::ntid_y: return ntid(1);
    case R::ntid_z: return ntid(2);
    case R::ctaid_x: return context(offsetof(WarpContext, ctaid));
    case R::ctaid_y: return context(offsetof(WarpContext, ctaid) + 4);
    case R::ctaid_z: return context(offsetof(WarpContext, ctaid) + 8);
    case R::nctaid_x: return context(offsetof(WarpContext, nctaid));
    case R::nctaid_y: return context(offsetof(WarpContext, nctaid) + 4);
    case R::nctaid_z: return context(offsetof(WarpContext, nctaid) + 8);
    case R::is_explicit_cluster: return context(offsetof(WarpContext, is_explicit_cluster));
    case R::clusterid_x: return uniform(cluster_of_cta(0));
    case R::clusterid_y: return uniform(cluster_of_cta(1));
    case R::clusterid_z: return uniform(cluster_of_cta(2));
    case R::nclusterid_x: return uniform(clusters(0));
    case R::nclusterid_y: return uniform(clusters(1));
    case R::nclusterid_z: return uniform(clusters(2));
    case R::cluster_ctaid_x: return uniform(cta_in_cluster(0));
    case R::cluster_ctaid_y: return uniform(cta_in_cluster(1));
    case R::cluster_ctaid_z: return uniform(cta_in_cluster(2));
    case R::cluster_nctaid_x: return uniform(extent_of(0));
    case R::cluster_nctaid_y: return uniform(extent_of(1));
    case R::cluster_nctaid_z: return uniform(extent_of(2));
    case R::cluster_ctarank: {
      Value* plane = b.CreateAdd(cta_in_cluster(1), b.CreateMul(extent_of(1), cta_in_cluster(2)));
      return uniform(b.CreateAdd(cta_in_cluster(0), b.CreateMul(extent_of(0), plane)));
    }
    case R::cluster_nctarank: return context(offsetof(WarpContext, cluster_nctarank));
    case R::laneid: return lane([](unsigned l) { return l; });
    case R::lanemask_eq: return lane([](unsigned l) { return 1u << l; });
    case R::lanemask_le: return lane([](unsigned l) { return l == 31 ? ~0u : (1u << (l + 1)) - 1; });
    case R::lanemask_lt: return lane([](unsigned l) { return (1u << l) - 1; });
    case R::lanemask_ge: return lane([](unsigned l) { return ~0u << l; });
    case R::lanemask_gt: return lane([](unsigned l) { return l == 31 ? 0u : ~0u << (l + 1); });
    case R::warpid: return context(offsetof(WarpContext, warp_in_cta));
    case R::nwarpid: {
      Value* n = b.CreateMul(ntid(0), b.CreateMul(ntid(1), ntid(2)));
      return b.CreateLShr(b.CreateAdd(n, imm(width, form, 31)), imm(width, form, 5));
    }
    case R::smid: return context(offsetof(WarpContext, smid));
    case R::nsmid: return context(offsetof(WarpContext, nsmid));
    case R::gridid: return uniform(load_context(offsetof(WarpContext, grid_id), 64));
    case R::clock: return time(offsetof(WarpContext, clock_cycles), 0, 32);
    case R::clock_hi: return time(offsetof(WarpContext, clock_cycles), 32, 32);
    case R::clock64: return time(offsetof(WarpContext, clock_cycles), 0, 64);
    case R::globaltimer: return time(offsetof(WarpContext, clock_ns), 0, 64);
    case R::globaltimer_lo: return time(offsetof(WarpContext, clock_ns), 0, 32);
    case R::globaltimer_hi: return time(offsetof(WarpContext, clock_ns), 32, 32);
    case R::dynamic_smem_size: return context(offsetof(WarpContext, dynamic_shared_bytes));
    case R::total_smem_size: return context(offsetof(WarpContext, total_shared_bytes));
    case R::envreg0:
    case R::envreg1:
    case R::envreg2:
    case R::reserved_smem_offset_begin:
    case R::reserved_smem_offset_end:
    case R::reserved_smem_offset_cap:
    case R::reserved_smem_offset_0:
    case R::reserved_smem_offset_1:
    case R::current_graph_exec: return imm(width, form, 0);
  }
  return imm(width, form, 0);
}

}  // namespace wanren::jit
