#pragma once
// Where the lanes of a memory instruction go, as far as is known at compile time.

#include <array>
#include <vector>

#include "jit/emitter.h"

namespace wanren::jit {

/// Lane addresses: base + offsets[lane] + scale * factors[lane] (regular), or one by one. The
/// instruction's own offset is in offsets: it may be added after masking, as the arena has guards.
struct Address {
  ptx::Space space = ptx::Space::none;
  bool regular = false;
  llvm::Value* base = nullptr;   ///< i64, the register's terms
  std::int64_t offset = 0;       ///< the instruction's
  llvm::Value* scale = nullptr;  ///< i64 or null
  std::array<std::int64_t, warp_size> offsets{}, factors{};
  std::uint32_t pattern = 0, scaled = 0;  ///< Ids of offsets (without the instruction's) and factors.
  llvm::Value* lanes = nullptr;           ///< <32 x i64> if not regular, the register's terms plus `offset`
  llvm::Value* register_lanes = nullptr;  ///< The same without the offset.
  simt::ValueId value = simt::no_value;   ///< The register, if it is one.
  int base_align = 0;                     ///< log2 of a power of two that divides base
};

/// Lanes that share a host base: those with one factor.
struct Group {
  llvm::Value* host = nullptr;   ///< i64 host address of offset 0
  llvm::Value* plain = nullptr;  ///< i64 the same in the register's terms
  std::vector<int> lanes;
};

Address address_of(Emitter& e, const simt::Inst& inst, const simt::Operand& operand, std::int64_t offset,
                   ptx::Space space);
/// Groups of a regular address; at most 8, else empty.
std::vector<Group> groups_of(Emitter& e, const Address& a);
/// <32 x i64> host addresses.
llvm::Value* host_lanes(Emitter& e, const Address& a);
/// Adds the instruction's record to the trace.
void trace_access(Emitter& e, const Address& a, const Emitter::Mask& mask);
/// Faults for the lanes in `mask` whose address is not a multiple of `bytes`.
void check_lanes_aligned(Emitter& e, const Address& a, int bytes, const Emitter::Mask& mask);
void check_group_aligned(Emitter& e, const Address& a, const Group& g, int bytes, const Emitter::Mask& mask);

/// A run of elements that one vector access covers.
struct Window {
  std::int64_t offset = 0;      ///< bytes from the group's host base
  int elements = 0;             ///< a power of two
  std::vector<int> lane, item;  ///< by element: who it belongs to; -1 if nobody
  std::size_t group = 0;
};
/// Covers `items` consecutive elements of `bytes` each per lane. `dense`: no element without an owner,
/// the highest lane owns what several address. Empty if gathering is better.
std::vector<Window> windows_of(const Address& a, const std::vector<Group>& groups, int bytes, int items,
                               bool dense);

}  // namespace wanren::jit
