#include "jit/address.h"

#include <algorithm>
#include <bit>
#include <map>

#include "support/result.h"

namespace wanren::jit {

using llvm::Value;
using ptx::Space;
using simt::WarpContext;
using Kind = simt::ValueShape::Kind;

namespace {

bool is_shared(Space s) {
  return s == Space::shared || s == Space::shared_cluster;
}
bool is_offset(Space s) {
  return is_shared(s) || s == Space::local;
}

constexpr std::int64_t farthest = 1 << 20;  ///< bytes; the arena's guard is larger

Value* integer(Emitter& e, std::size_t field) {
  return e.b.CreatePtrToInt(e.load_context(field, 0), e.b.getInt64Ty());
}

/// Host address of an address in the register's terms, scalar or per lane; local without the lane's frame.
Value* to_host(Emitter& e, Space space, Value* v) {
  auto& b = e.b;
  const bool vector = v->getType()->isVectorTy();
  auto widen = [&](Value* s) { return vector ? e.splat(s) : s; };
  if (is_offset(space)) {
    llvm::Type* narrow = e.int_type(32, vector ? Form::vector : Form::scalar);
    Value* base =
        integer(e, is_shared(space) ? offsetof(WarpContext, shared_base) : offsetof(WarpContext, local_base));
    return b.CreateAdd(widen(base), b.CreateSExt(b.CreateTrunc(v, narrow), v->getType()));
  }
  if (space == Space::param) v = b.CreateAdd(v, widen(integer(e, offsetof(WarpContext, parameters))));
  Value* mask = e.load_context(offsetof(WarpContext, arena_mask), 64);
  Value* base = e.load_context(offsetof(WarpContext, arena_base), 64);
  return b.CreateOr(b.CreateAnd(v, widen(mask)), widen(base));
}

std::array<std::int64_t, warp_size> frames(const Emitter& e) {
  std::array<std::int64_t, warp_size> f{};
  for (int l = 0; l < warp_size; ++l)
    f[static_cast<std::size_t>(l)] = l * static_cast<std::int64_t>(e.kernel.local_bytes);
  return f;
}

}  // namespace

Address address_of(Emitter& e, const simt::Inst& inst, const simt::Operand& operand, std::int64_t offset,
                   Space space) {
  (void)inst;
  auto& b = e.b;
  Address a;
  a.space = space;
  const Lanes l = e.lanes(operand, 64);
  const int width = static_cast<int>(l.bits->getType()->getScalarSizeInBits());
  if (operand.kind == simt::Operand::Kind::value) a.value = operand.value;
  a.regular = l.kind != Kind::vector;
  if (a.regular) {
    // A 32-bit affine address in a 64-bit space wraps lane by lane.
    if (width < 64 && l.kind == Kind::affine && !is_offset(space)) a.regular = false;
  }
  if (a.regular) {
    Value* base = e.resize(l.bits, 64, false);
    a.base = base;
    a.offset = offset;
    if (l.kind == Kind::affine) {
      a.offsets = e.pattern(l.pattern);
      a.pattern = l.pattern;
      if (l.scale) {
        a.scale = e.resize(l.scale, 64, true);
        a.factors = e.pattern(l.scaled);
        a.scaled = l.scaled;
      }
      if (width < 64)
        for (auto& o : a.offsets) o = static_cast<std::int32_t>(o);
    }
    if (operand.kind == simt::Operand::Kind::value) {
      a.base_align = e.shapes[operand.value].base_align;
    } else if (operand.kind == simt::Operand::Kind::frame_address) {
      a.base_align = operand.bits % 16 == 0 ? 4 : std::countr_zero(operand.bits);
    }
    if (space == Space::local) {
      const auto f = frames(e);
      for (std::size_t i = 0; i < warp_size; ++i) a.offsets[i] += f[i];
      a.pattern = e.intern(a.offsets);
    }
    for (auto& o : a.offsets) o += offset;
    for (auto o : a.offsets)
      if (o > farthest || o < -farthest) a.regular = false;
    if (a.regular) return a;
  }
  Value* lanes = e.resize(e.materialise(l, width), 64, false);
  a.register_lanes = lanes;
  a.offset = offset;
  a.lanes = offset ? b.CreateAdd(lanes, e.imm(64, Form::vector, static_cast<std::uint64_t>(offset))) : lanes;
  return a;
}

std::vector<Group> groups_of(Emitter& e, const Address& a) {
  auto& b = e.b;
  std::map<std::int64_t, std::size_t> index;
  std::vector<Group> groups;
  for (int l = 0; l < warp_size; ++l) {
    const std::int64_t f = a.scale ? a.factors[static_cast<std::size_t>(l)] : 0;
    auto [at, fresh] = index.try_emplace(f, groups.size());
    if (fresh) {
      if (groups.size() == 8) return {};
      Group g;
      Value* base = a.base;
      if (f) base = b.CreateAdd(base, b.CreateMul(a.scale, b.getInt64(static_cast<std::uint64_t>(f))));
      g.plain = base;
      g.host = to_host(e, a.space, base);
      groups.push_back(std::move(g));
    }
    groups[at->second].lanes.push_back(l);
  }
  return groups;
}

namespace {

/// <32 x i64> in the register's terms, the instruction's offset included.
Value* plain_lanes(Emitter& e, const Address& a) {
  if (!a.regular) return a.lanes;
  auto& b = e.b;
  Value* v = e.splat(a.base);
  if (a.scale) v = b.CreateAdd(v, b.CreateMul(e.splat(a.scale), e.lane_constants(64, a.factors)));
  return b.CreateAdd(v, e.lane_constants(64, a.offsets));
}

}  // namespace

Value* host_lanes(Emitter& e, const Address& a) {
  auto& b = e.b;
  if (!a.regular) {
    // The offset after masking: neighbours share the masked address.
    const bool near = !is_offset(a.space) && a.offset <= farthest && a.offset >= -farthest;
    Value* host = to_host(e, a.space, near ? a.register_lanes : a.lanes);
    if (near && a.offset)
      host = b.CreateAdd(host, e.imm(64, Form::vector, static_cast<std::uint64_t>(a.offset)));
    if (a.space == Space::local) host = b.CreateAdd(host, e.lane_constants(64, frames(e)));
    return host;
  }
  if (a.space != Space::local) return to_host(e, a.space, plain_lanes(e, a));
  Value* v = e.splat(a.base);
  if (a.scale) v = b.CreateAdd(v, b.CreateMul(e.splat(a.scale), e.lane_constants(64, a.factors)));
  return b.CreateAdd(to_host(e, a.space, v), e.lane_constants(64, a.offsets));
}

// Window bases and frames are multiples of every access size, so the register's low bits decide.
void check_lanes_aligned(Emitter& e, const Address& a, int bytes, const Emitter::Mask& mask) {
  if (bytes == 1) return;
  auto& b = e.b;
  // Neighbours of an access that this block has checked need no check of their own.
  if (!a.regular && a.value != simt::no_value && mask.nonempty && e.known_aligned(a.value, bytes, a.offset))
    return;
  Value* low = b.CreateAnd(plain_lanes(e, a), e.imm(64, Form::vector, static_cast<std::uint64_t>(bytes - 1)));
  Value* bad = b.CreateICmpNE(low, e.imm(64, Form::vector, 0));
  if (!mask.full) bad = b.CreateAnd(bad, mask.vector);
  Value* bits = e.to_bits(bad);
  llvm::BasicBlock* wrong = e.new_block("misaligned");
  llvm::BasicBlock* on = e.new_block("on");
  e.branch_unlikely(b.CreateICmpNE(bits, b.getInt32(0)), wrong, on);
  b.SetInsertPoint(wrong);
  e.raise(simt::Fault::misaligned_address, nullptr, bits);
  b.SetInsertPoint(on);
}

void check_group_aligned(Emitter& e, const Address& a, const Group& g, int bytes, const Emitter::Mask& mask) {
  if (bytes == 1) return;
  bool sure = !a.scale && a.base_align >= std::countr_zero(static_cast<unsigned>(bytes));
  bool bad_pattern = false;
  for (int l : g.lanes)
    if (a.offsets[static_cast<std::size_t>(l)] % bytes) bad_pattern = true;
  if (bad_pattern) {
    check_lanes_aligned(e, a, bytes, mask);
    return;
  }
  if (sure) return;
  auto& b = e.b;
  Value* low = b.CreateAnd(g.plain, b.getInt64(static_cast<std::uint64_t>(bytes - 1)));
  llvm::BasicBlock* wrong = e.new_block("misaligned");
  llvm::BasicBlock* on = e.new_block("on");
  e.branch_unlikely(b.CreateICmpNE(low, b.getInt64(0)), wrong, on);
  b.SetInsertPoint(wrong);
  LaneMask lanes = 0;
  for (int l : g.lanes) lanes |= LaneMask{1} << l;
  Value* bits = b.CreateAnd(mask.bits, b.getInt32(lanes));
  if (!mask.full) {
    llvm::BasicBlock* sure_wrong = e.new_block("misaligned");
    b.CreateCondBr(b.CreateICmpNE(bits, b.getInt32(0)), sure_wrong, on);
    b.SetInsertPoint(sure_wrong);
  }
  e.raise(simt::Fault::misaligned_address, nullptr, bits);
  b.SetInsertPoint(on);
}

std::vector<Window> windows_of(const Address& a, const std::vector<Group>& groups, int bytes, int items,
                               bool dense) {
  constexpr std::size_t most_windows = 8;
  std::vector<Window> windows;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    struct Owner {
      int lane, item;
    };
    std::map<std::int64_t, Owner> elements;
    for (int l : groups[g].lanes)
      for (int i = 0; i < items; ++i) elements[a.offsets[static_cast<std::size_t>(l)] + i * bytes] = {l, i};
    const int most = std::max(128 / bytes, 1);
    for (auto it = elements.begin(); it != elements.end();) {
      Window w;
      w.offset = it->first;
      w.group = g;
      std::int64_t next = it->first;
      while (it != elements.end()) {
        const std::int64_t at = it->first - w.offset;
        if (at % bytes || at / bytes >= most || (dense && it->first != next)) break;
        while (static_cast<std::int64_t>(w.lane.size()) < at / bytes) {
          w.lane.push_back(-1);
          w.item.push_back(-1);
        }
        w.lane.push_back(it->second.lane);
        w.item.push_back(it->second.item);
        next = it->first + bytes;
        ++it;
      }
      w.elements = static_cast<int>(std::bit_ceil(w.lane.size()));
      w.lane.resize(static_cast<std::size_t>(w.elements), -1);
      w.item.resize(static_cast<std::size_t>(w.elements), -1);
      windows.push_back(std::move(w));
      if (windows.size() > most_windows) return {};
    }
  }
  return windows;
}

// --- trace ---

namespace {

using trace::Kind::affine;
using trace::Kind::gather;
using trace::Kind::gather32;
using trace::Kind::scaled;

struct Resolved {
  Value* base;   ///< what to subtract from host addresses
  Value* space;  ///< i64
};

/// The space of one host address and what its addresses count from.
Resolved resolve(Emitter& e, Value* host) {
  auto& b = e.b;
  auto constant = [&](trace::Space s) { return b.getInt64(static_cast<std::uint64_t>(s)); };
  Value* base = e.load_context(offsetof(WarpContext, arena_base), 64);
  Value* space = constant(trace::Space::global);
  auto window = [&](Value* from, Value* bytes, trace::Space s) {
    Value* inside = b.CreateICmpULT(b.CreateSub(host, from), bytes);
    base = b.CreateSelect(inside, from, base);
    space = b.CreateSelect(inside, constant(s), space);
  };
  // Another CTA's shared memory; its own window comes last.
  if (e.maps_cluster)
    window(e.load_context(offsetof(WarpContext, windows_begin), 64),
           e.load_context(offsetof(WarpContext, windows_bytes), 64), trace::Space::cluster);
  window(integer(e, offsetof(WarpContext, parameters)), b.getInt64(e.kernel.parameter_bytes),
         trace::Space::param);
  window(integer(e, offsetof(WarpContext, local_base)),
         b.getInt64(std::uint64_t{e.kernel.local_bytes} * warp_size), trace::Space::local);
  window(integer(e, offsetof(WarpContext, shared_base)),
         b.CreateZExt(e.load_context(offsetof(WarpContext, total_shared_bytes), 32), b.getInt64Ty()),
         trace::Space::shared);
  return {base, space};
}

trace::Space known_space(Space s) {
  switch (s) {
    case Space::shared:
    case Space::shared_cluster: return trace::Space::shared;
    case Space::local: return trace::Space::local;
    case Space::param: return trace::Space::param;
    case Space::constant: return trace::Space::constant;
    default: return trace::Space::global;
  }
}

}  // namespace

void trace_access(Emitter& e, const Address& a, const Emitter::Mask& mask) {
  auto& b = e.b;
  auto head = [&](trace::Kind kind, std::uint32_t pattern, Value* space) {
    Value* w = b.CreateZExt(mask.bits, b.getInt64Ty());
    w = b.CreateOr(w, b.getInt64(std::uint64_t{pattern} << 32 | std::uint64_t(kind) << 48));
    return b.CreateOr(w, b.CreateShl(space, b.getInt64(56)));
  };
  auto constant = [&](trace::Space s) -> Value* { return b.getInt64(static_cast<std::uint64_t>(s)); };
  Value* space = constant(known_space(a.space));
  const bool generic = a.space == Space::none;
  Value* arena_mask = e.load_context(offsetof(WarpContext, arena_mask), 64);
  if (a.regular) {
    Value* base = a.offset ? b.CreateAdd(a.base, b.getInt64(static_cast<std::uint64_t>(a.offset))) : a.base;
    if (is_offset(a.space)) {
      base = b.CreateAnd(base, b.getInt64(0xffffffff));
    } else if (a.space == Space::param) {
    } else if (!generic) {
      base = b.CreateAnd(base, arena_mask);
    } else {
      // Lane 0's place is every lane's: a pattern does not leave its window.
      Value* host = to_host(e, Space::none, base);
      Value* first = b.CreateAdd(host, b.getInt64(static_cast<std::uint64_t>(a.offsets[0] - a.offset)));
      if (a.scale && a.factors[0])
        first =
            b.CreateAdd(first, b.CreateMul(a.scale, b.getInt64(static_cast<std::uint64_t>(a.factors[0]))));
      const Resolved r = resolve(e, first);
      base = b.CreateSub(host, r.base);
      space = r.space;
    }
    e.trace_word(base);
    e.trace_word(head(a.scale ? scaled : affine, a.pattern, space));
    if (a.scale)
      e.trace_word(b.CreateOr(b.CreateAnd(a.scale, b.getInt64(0xffffffffffff)),
                              b.getInt64(std::uint64_t{a.scaled} << 48)));
    return;
  }
  e.trace_word(b.getInt64(0));
  if (is_offset(a.space)) {
    Value* v = b.CreateTrunc(a.lanes, e.int_type(32, Form::vector));
    if (a.space == Space::local) v = b.CreateAdd(v, e.lane_constants(32, frames(e)));
    e.trace_word(head(gather32, 0, space));
    e.trace_words(v, 16);
    return;
  }
  Value* v;
  if (generic) {
    Value* host = to_host(e, Space::none, a.lanes);
    Value* bits = b.CreateOr(mask.bits, b.getInt32(0x80000000u));
    Value* lane = mask.full ? static_cast<Value*>(b.getInt32(0))
                            : b.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, bits, b.getTrue());
    const Resolved r = resolve(e, b.CreateExtractElement(host, lane));
    v = b.CreateSub(host, e.splat(r.base));
    space = r.space;
  } else {
    v = a.space == Space::param ? a.lanes : b.CreateAnd(a.lanes, e.splat(arena_mask));
  }
  e.trace_word(head(gather, 0, space));
  e.trace_words(v, 32);
}

}  // namespace wanren::jit
