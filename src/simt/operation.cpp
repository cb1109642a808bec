#include "simt/operation.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;

bool works_on_tiles(Opcode op) {
  using enum Opcode;
  switch (op) {
    case ldmatrix:
    case stmatrix:
    case movmatrix:
    case mma:
    case wgmma_mma_async:
    case wmma_load:
    case wmma_mma:
    case wmma_store: return true;
    default: return false;
  }
}

// Beside what the table says accesses memory.
bool concerns_memory(Opcode op) {
  using enum Opcode;
  switch (op) {
    case cp_async_bulk_wait_group:
    case cvta:
    case fence:
    case getctarank:
    case isspacep:
    case mapa:
    case membar: return true;
    default: return (ptx::flags(op) & ptx::accesses_memory) != 0;
  }
}

bool is_meeting(Opcode op) {
  return (ptx::flags(op) & ptx::collective) != 0 || op == Opcode::bar || op == Opcode::barrier;
}

}  // namespace

Operation operation_of(Opcode op, const ptx::Modifiers& m) {
  Operation o{op, m.types, {}};
  if (works_on_tiles(op)) {
    o.payload = Tile{.m = m.m,
                     .n = m.n,
                     .k = m.k,
                     .count = m.matrix_count,
                     .fragment = m.fragment,
                     .a_col = m.a_col,
                     .b_col = m.b_col,
                     .trans = m.trans,
                     .satfinite = m.satfinite,
                     .space = m.space};
  } else if (concerns_memory(op)) {
    o.payload =
        MemoryAccess{.space = m.space,
                     .source = m.space2,
                     .semantics = m.semantics == ptx::Semantics::weak ? ptx::Semantics::none : m.semantics,
                     .cache = m.cache,
                     .atom = m.atom,
                     .variant = m.variant,
                     .completion = m.completion,
                     .dimensions = m.dimensions,
                     .field = m.field,
                     .multicast = m.multicast,
                     .vector = m.vector,
                     .copy_bytes = m.copy_bytes,
                     .cache_hint = m.cache_hint,
                     .to = m.to};
  } else if (ptx::is_video(op)) {
    o.payload = Video{.secondary = m.atom,
                      .compare = m.compare,
                      .shift = m.shift,
                      .scale = m.scale,
                      .sat = m.sat,
                      .plus_one = m.plus_one};
  } else if (is_meeting(op)) {
    o.payload = Meeting{.shfl = m.shfl,
                        .vote = m.vote,
                        .reduction = m.atom,
                        .barrier = m.barrier,
                        .sync = m.sync,
                        .all = m.all_,
                        .abs = m.abs_,
                        .nan = m.nan_};
  } else {
    o.payload = Arithmetic{.round = m.round,
                           .part = m.part,
                           .compare = m.compare,
                           .bool_op = m.bool_op,
                           .test = m.test,
                           .prmt = m.prmt,
                           .shift = m.shift,
                           .direction = m.direction,
                           .ftz = m.ftz,
                           .sat = m.sat,
                           .satfinite = m.satfinite,
                           .relu = m.relu,
                           .approx = m.approx,
                           .full = m.full,
                           .nan = m.nan_,
                           .xorsign = m.xorsign,
                           .cc = m.cc,
                           .shiftamt = m.shiftamt};
  }
  return o;
}

void Operation::set_space(ptx::Space space) {
  if (auto* tile = std::get_if<Tile>(&payload)) {
    tile->space = space;
    return;
  }
  if (!std::holds_alternative<MemoryAccess>(payload)) payload = MemoryAccess{};
  std::get<MemoryAccess>(payload).space = space;
}

}  // namespace wanren::simt
