// Recipes: matrix loads and multiply-accumulates of a warp.

#include <algorithm>
#include <cmath>

#include "lower/selector.h"

namespace wanren::lower {

using ptx::Opcode;
using ptx::Type;
using simt::no_value;

namespace {

struct Rate {
  std::int64_t macs;  ///< Per sub-core and cycle.
  TensorType type;
  const char* feature;
};

Rate rate_of(Type a, const chip::Spec& chip) {
  const auto& t = chip.tensor;
  switch (a) {
    case Type::f16:
    case Type::f16x2: return {t.fp16, TensorType::fp16, "mma_fp16"};
    case Type::bf16:
    case Type::bf16x2: return {t.bf16, TensorType::bf16, "mma_bf16"};
    case Type::tf32: return {t.tf32, TensorType::tf32, "mma_tf32"};
    case Type::f64: return {t.fp64, TensorType::fp64, "mma_fp64"};
    case Type::e4m3:
    case Type::e5m2: return {t.fp8, TensorType::fp8, "mma_fp8"};
    case Type::s4:
    case Type::u4:
    case Type::b1: return {t.int8, TensorType::int8, "mma_int4"};
    default: return {t.int8, TensorType::int8, "mma_int8"};
  }
}

double macs_of(const simt::Inst& inst) {
  return static_cast<double>(inst.tile().m) * inst.tile().n * inst.tile().k;
}

}  // namespace

// HGMMA and its kin. The accumulators stay where they are: a result is its old value's register (alias()),
// and whoever reads it stands behind a wait, past which nothing moves.
Result<void> Selector::product(const Inst& inst) {
  const simt::Tile& tile = inst.tile();
  const Rate rate = rate_of(inst.types[1], chip_);
  if (const Result<void> r = require(rate.feature, inst); !r) return r;
  const std::size_t a = tile.a_in_registers ? 4 : 1, first = a + 2;
  std::vector<Words> sources(1);
  for (std::size_t i = 0; i < a; ++i)
    for (const Word& w : words(inst.srcs[i], tile.a_in_registers ? 1 : 2)) sources[0].push_back(w);
  sources.push_back(words(inst.srcs[a], 2));
  for (Words& s : sources) s = in_registers(std::move(s));
  if (inst.srcs[a + 1].kind == Operand::Kind::value) sources.push_back({predicate(inst.srcs[a + 1])});
  for (std::size_t i = first; i < inst.srcs.size(); ++i) {
    const simt::ValueId d = inst.dsts[i - first];
    const Words old = words(inst.srcs[i], 1);
    if (!old[0].in_register()) move(place(d), old);
    sources.push_back(place(d));
  }
  // A warp's share: 16 rows.
  const double macs = macs_of(inst) / 4;
  const std::uint32_t line_bytes = static_cast<std::uint32_t>(ptx::bits(inst.types[1])) * tile.k / 8;
  const std::uint32_t bytes = line_bytes * (tile.n / 4 + (tile.a_in_registers ? 0 : tile.m / 4));
  if (rate.macs == 0) {
    emulated(std::string(rate.feature) + "_emulated");
    VirtualInst& i = integer({}, std::move(sources));
    i.machine.repeat = static_cast<std::uint16_t>(std::clamp(macs / warp_size, 1.0, 65535.0));
    i.machine.tensor_flops = static_cast<std::uint32_t>(2 * macs);
    i.machine.tensor_type = static_cast<std::uint8_t>(rate.type);
    return {};
  }
  code_.tensor_path = "tile mma";
  VirtualInst& i = emit(Pipe::tensor, 1, {}, std::move(sources));
  i.access.fence = true;
  i.machine.memory = Memory::product;
  i.machine.bytes = static_cast<std::uint16_t>(bytes);
  i.machine.interval = static_cast<std::uint16_t>(
      std::lround(std::clamp(macs / static_cast<double>(rate.macs), 1.0, 32767.0)));
  i.machine.tensor_flops = static_cast<std::uint32_t>(2 * macs);
  i.machine.tensor_type = static_cast<std::uint8_t>(rate.type);
  return {};
}

// WARPGROUP.ARRIVE, WARPGROUP.DEPBAR and the end of a group.
void Selector::product_group(const Inst& inst) {
  VirtualInst& i = emit(Pipe::none, 1, {}, {});
  i.access.fence = true;
  i.last = inst.op == Opcode::wgmma_wait_group;
  if (inst.op == Opcode::wgmma_fence) return;
  i.machine.memory = Memory::product_group;
  if (inst.op == Opcode::wgmma_wait_group)
    i.machine.bytes = static_cast<std::uint16_t>(std::min<std::uint64_t>(inst.srcs[0].bits, 0xfffe) + 1);
}

Result<void> Selector::recipe_matrix(const Inst& inst, bool& known) {
  known = true;
  const auto gather = [&](std::size_t first, std::size_t count, int each) {
    Words all;
    for (std::size_t i = first; i < first + count && i < inst.srcs.size(); ++i) {
      const Words part = words(inst.srcs[i], each);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  };
  const auto results = [&] {
    Words all;
    for (const simt::ValueId d : inst.dsts) {
      const Words part = d == no_value ? temporary() : place(d);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  };
  switch (inst.op) {
    case Opcode::stmatrix: {
      Words data;
      for (std::size_t i = 1; i < inst.srcs.size(); ++i) {
        const Words part = words(inst.srcs[i], 1);
        data.insert(data.end(), part.begin(), part.end());
      }
      access(inst, Memory::store, {}, inst.srcs[0], {data}, 16);
      return {};
    }
    case Opcode::movmatrix:
      emit(Pipe::shuffle, static_cast<int>(chip_.subcore.shuffle_latency), results(),
           {in_registers(words(inst.srcs[0], 1))});
      return {};
    case Opcode::ldmatrix: access(inst, Memory::matrix_load, results(), inst.srcs[0], {}, 16); return {};
    case Opcode::wmma_load: {
      const Words dst = results();
      const auto bytes = static_cast<std::uint32_t>(4 * dst.size());
      access(inst, Memory::matrix_load, dst, inst.srcs[0], {}, bytes);
      return {};
    }
    case Opcode::wmma_store: {
      const bool stride = inst.srcs.size() > 1 && inst.srcs.size() % 2 == 0;
      const Words data =
          gather(1, inst.srcs.size() - 1 - (stride ? 1 : 0), std::max(1, ptx::bits(inst.types[0]) / 32));
      access(inst, Memory::store, {}, inst.srcs[0], {data}, static_cast<std::uint32_t>(4 * data.size()));
      return {};
    }
    case Opcode::wgmma_mma_async: return product(inst);
    case Opcode::wgmma_commit_group:
    case Opcode::wgmma_fence:
    case Opcode::wgmma_wait_group: product_group(inst); return {};
    case Opcode::mma:
    case Opcode::wmma_mma: break;
    default: known = false; return {};
  }

  // D, A, B, C types; wmma names D and C alone where A and B are f16.
  Type a = inst.types[1];
  const bool wmma = inst.op == Opcode::wmma_mma;
  if (wmma && inst.types[2] == Type::none) a = Type::f16;
  const Rate rate = rate_of(a, chip_);
  if (const Result<void> r = require(rate.feature, inst); !r) return r;
  const double macs = macs_of(inst);
  const Words d = results();
  const int wide = a == Type::f64 ? 2 : 1;
  const auto total = inst.srcs.size();
  const std::size_t c_count = std::min(inst.dsts.size(), total);
  const std::size_t ab = total - c_count;
  std::size_t b_count =
      wmma ? ab / 2
           : std::max<std::size_t>(1, inst.tile().n * ab / std::max(1, inst.tile().m + inst.tile().n));
  if (wmma && inst.tile().m != inst.tile().n && a != Type::f16)
    b_count = std::max<std::size_t>(1, inst.tile().n * ab / std::max(1, inst.tile().m + inst.tile().n));
  std::vector<Words> sources = {gather(0, ab - b_count, wide), gather(ab - b_count, b_count, wide),
                                gather(ab, c_count, wide)};
  for (Words& s : sources) s = in_registers(std::move(s));
  if (rate.macs == 0) {
    emulated(std::string(rate.feature) + "_emulated");
    VirtualInst& i = integer(d, std::move(sources));
    const double each = a == Type::f64 ? static_cast<double>(chip_.sequence.fp64_fma) : 1.0;
    i.machine.repeat = static_cast<std::uint16_t>(std::clamp(macs / warp_size * each, 1.0, 65535.0));
    i.machine.tensor_flops = static_cast<std::uint32_t>(2 * macs);
    i.machine.tensor_type = static_cast<std::uint8_t>(rate.type);
    return {};
  }
  code_.tensor_path = "warp mma";
  const double per_cycle = static_cast<double>(rate.macs) * chip_.tensor.warp_mma_share;
  const int busy = static_cast<int>(std::lround(std::clamp(macs / per_cycle, 1.0, 32767.0)));
  // tensor.latency is that of m16n8k16 in BF16; longer occupancy adds to it.
  const double reference =
      16.0 * 8 * 16 / (static_cast<double>(chip_.tensor.bf16) * chip_.tensor.warp_mma_share);
  const int latency =
      static_cast<int>(std::lround(std::max<double>(busy, chip_.tensor.latency + busy - reference)));
  VirtualInst& i = emit(Pipe::tensor, latency, d, std::move(sources));
  i.machine.interval = static_cast<std::uint16_t>(busy);
  i.machine.tensor_flops = static_cast<std::uint32_t>(2 * macs);
  i.machine.tensor_type = static_cast<std::uint8_t>(rate.type);
  return {};
}

}  // namespace wanren::lower
