// Bulk copies and reductions, PTX ISA 9.7.9.25: at issue, each in ascending order of addresses. Tensors:
// boxes of rows, with zeros (or NaN) where a box reaches outside, and chunks of 16 bytes exchanged in shared
// memory.

#include <algorithm>
#include <bit>
#include <cstring>

#include "interp/async.h"
#include "interp/interp.h"
#include "simt/opcode_traits.h"
#include "simt/tensor_map.h"
#include "trace/trace.h"

namespace wanren::interp {
namespace {

using ptx::Opcode;
using ptx::Space;
using ptx::Type;
using simt::TensorMap;
using trace::BulkEntry;
using trace::BulkOp;

constexpr std::uint64_t granule = 16;

bool is_shared(Space space) {
  return space == Space::shared || space == Space::shared_cluster;
}

bool is_tensor(const simt::Inst& inst) {
  return inst.op == Opcode::cp_async_bulk_tensor || inst.memory().variant == ptx::Variant::tensor;
}

BulkOp kind_of(const simt::Inst& inst) {
  if (inst.op == Opcode::cp_async_bulk_prefetch) return BulkOp::prefetch;
  const bool to_shared = is_shared(inst.space()), from_shared = is_shared(inst.memory().source);
  if (to_shared) return from_shared ? BulkOp::within_shared : BulkOp::load;
  return inst.op == Opcode::cp_reduce_async_bulk ? BulkOp::reduce : BulkOp::store;
}

/// One lane's copy: operands in the order that translate.cpp leaves them in, addresses first.
class Copy {
 public:
  Copy(const WarpOp& op, int lane) : op_(op), lane_(lane), kind_(kind_of(op.inst)) {
    const bool tensor = is_tensor(op.inst);
    const bool to_shared = is_shared(op.inst.space());
    std::size_t next = kind_ == BulkOp::prefetch ? 1 : 2;
    const std::uint64_t first = op.srcs[0][lane] + static_cast<std::uint64_t>(op.inst.offset);
    const std::uint64_t second = next > 1 ? op.srcs[1][lane] : 0;
    global_ = to_shared ? second : first;
    shared_ = static_cast<std::uint32_t>(to_shared ? first : second);
    if (kind_ == BulkOp::within_shared) from_ = static_cast<std::uint32_t>(second);
    if (op.inst.memory().completion == ptx::Completion::mbarrier)
      mbarrier_ = op.srcs[next++][lane], tells_ = true;
    if (tensor) {
      read_map(global_);
      for (int d = 0; d < map_.dimensions; ++d)
        coordinate_[static_cast<std::size_t>(d)] = static_cast<std::int32_t>(op.srcs[next++][lane]);
      insist(op, lane, map_.box_bytes() <= most_bytes);
      bytes_ = static_cast<std::uint32_t>(map_.box_bytes());
    } else {
      bytes_ = static_cast<std::uint32_t>(op.srcs[next++][lane]);
      insist(op, lane, bytes_ % granule == 0 && bytes_ <= most_bytes);
    }
    if (op.inst.memory().multicast) {
      receivers_ = static_cast<std::uint32_t>(op.srcs[next++][lane] & 0xffff);
      insist(op, lane, receivers_ != 0 && receivers_ >> op.ctx.cluster_nctarank == 0);
    }
  }

  void run(BulkEntry& entry) {
    entry.bytes = bytes_;
    entry.receivers = receivers_;
    if (receivers_ == 0) return deliver(entry);
    const std::uint32_t to = shared_ & offset_mask;
    const auto told = static_cast<std::uint32_t>(mbarrier_) & offset_mask;
    for (std::uint32_t left = receivers_; left != 0; left &= left - 1) {
      const std::uint32_t window = (static_cast<std::uint32_t>(std::countr_zero(left)) + 1)
                                   << simt::cluster_address_bits;
      shared_ = window | to;
      mbarrier_ = window | told;
      deliver(entry);
    }
    entry.shared = to;
    entry.mbarrier = tells_ ? told : BulkEntry::no_mbarrier;
  }

 private:
  static constexpr std::uint32_t most_bytes = (1 << 20) - 1;
  static constexpr std::uint32_t offset_mask = (1u << simt::cluster_address_bits) - 1;

  void deliver(BulkEntry& entry) {
    if (kind_ != BulkOp::prefetch) entry.shared = shared_;
    if (is_tensor(op_.inst))
      box(entry);
    else
      line(entry);
    if (!tells_) return;
    std::uint64_t* object = mbarrier_at(op_, lane_, Space::shared_cluster, mbarrier_);
    entry.mbarrier = cluster_address(op_.ctx, reinterpret_cast<const std::uint8_t*>(object));
    bytes_came(op_, lane_, object, bytes_);
  }

  [[noreturn]] void misaligned() const {
    raise_fault(op_.ctx, op_.inst, simt::Fault::misaligned_address, LaneMask{1} << lane_);
  }

  /// All of what is moved must lie in one CTA's shared memory.
  std::uint8_t* shared(std::uint32_t address) const {
    std::uint8_t* at = access(op_, lane_, Space::shared_cluster, address, granule);
    if (std::uint64_t{address & offset_mask} + bytes_ > op_.ctx.total_shared_bytes)
      raise_fault(op_.ctx, op_.inst, simt::Fault::illegal_address, LaneMask{1} << lane_);
    return at;
  }
  std::uint8_t* global(std::uint64_t address, std::uint64_t align) const {
    return access(op_, lane_, Space::global, address, align);
  }

  void line(BulkEntry& entry) {
    if (kind_ == BulkOp::prefetch) {
      if (global_ % granule != 0) misaligned();
      entry.global = place_of(op_.ctx, Space::global, global_, lane_).address;
      entry.row_bytes = bytes_;
      return;
    }
    std::uint8_t* near = shared(shared_);
    if (kind_ == BulkOp::within_shared) {
      const std::uint8_t* from = shared(from_);
      if (op_.inst.op == Opcode::cp_reduce_async_bulk)
        reduce(near, from, bytes_, op_.inst.types[0]);
      else
        std::memmove(near, from, bytes_);
      return;
    }
    entry.row_bytes = bytes_;
    std::uint8_t* far = global(global_, granule);
    entry.global = place_of(op_.ctx, far).address;
    switch (kind_) {
      case BulkOp::load: std::memcpy(near, far, bytes_); break;
      case BulkOp::store: std::memcpy(far, near, bytes_); break;
      default: reduce(far, near, bytes_, op_.inst.types[0]); break;
    }
  }

  /// .noftz is the rule for halves; f32 sums flush as red does in global memory.
  void reduce(std::uint8_t* to, const std::uint8_t* from, std::uint32_t bytes, Type type) const {
    const auto n = static_cast<std::uint32_t>(ptx::bits(type) / 8);
    insist(op_, lane_, n == 2 || n == 4 || n == 8);
    for (std::uint32_t i = 0; i < bytes; i += n)
      update_element(op_.inst.memory().atom, type, type == Type::f32, to + i,
                     load_element(from + i, static_cast<int>(n)), 0);
  }

  void read_map(std::uint64_t address) {
    std::uint8_t* at = access(op_, lane_, Space::none, address, granule);
    std::memcpy(static_cast<void*>(&map_), at, sizeof map_);
    access_done();
    insist(op_, lane_, map_.valid() && map_.dimensions == op_.inst.memory().dimensions);
  }

  /// Elements of the box along `d` that lie in the tensor: from .first on, .second of them.
  std::pair<std::uint32_t, std::uint32_t> inside(int d) const {
    const auto k = static_cast<std::size_t>(d);
    const std::int64_t step = map_.step[k], from = coordinate_[k], size = std::int64_t{map_.last[k]} + 1;
    const std::int64_t count = map_.count(d);
    const std::int64_t first = from >= 0 ? 0 : std::min(count, (-from + step - 1) / step);
    const std::int64_t end = from >= size ? first : std::clamp((size - from + step - 1) / step, first, count);
    return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first)};
  }

  void box(BulkEntry& entry) {
    const std::uint32_t element = map_.element_bytes, row = map_.count(0) * element;
    if (kind_ != BulkOp::prefetch) {
      if (shared_ % 128 != 0) misaligned();
      near_ = shared(shared_) - (shared_ & offset_mask);
    }
    std::pair<std::uint32_t, std::uint32_t> in[TensorMap::most_dimensions];
    bool any = true;
    for (int d = 0; d < TensorMap::most_dimensions; ++d) {
      in[d] = inside(d);
      any = any && in[d].second != 0;
    }
    const auto start = [&](const std::uint32_t(&at)[5]) {
      std::uint64_t address = map_.address + static_cast<std::uint64_t>(coordinate_[0]) * element;
      for (std::size_t d = 1; d < 5; ++d)
        address += static_cast<std::uint64_t>(coordinate_[d] + std::int64_t{at[d]} * map_.step[d]) *
                   map_.stride[d - 1];
      return address;
    };
    if (any) {
      const std::uint32_t first[5] = {0, in[1].first, in[2].first, in[3].first, in[4].first};
      entry.global =
          place_of(op_.ctx, Space::global, start(first) + std::uint64_t{in[0].first} * element, lane_)
              .address;
      entry.row_bytes = in[0].second * element;
      for (std::size_t d = 1; d < 5; ++d) {
        entry.rows[d - 1] = static_cast<std::uint16_t>(in[d].second);
        entry.stride[d - 1] = map_.stride[d - 1] * map_.step[d];
      }
    }
    if (kind_ == BulkOp::prefetch) return;
    std::uint32_t offset = 0;
    std::uint32_t at[5] = {};
    for (at[4] = 0; at[4] < map_.count(4); ++at[4])
      for (at[3] = 0; at[3] < map_.count(3); ++at[3])
        for (at[2] = 0; at[2] < map_.count(2); ++at[2])
          for (at[1] = 0; at[1] < map_.count(1); ++at[1], offset += row) {
            bool row_inside = any;
            for (int d = 1; d < 5; ++d) row_inside = row_inside && at[d] - in[d].first < in[d].second;
            move_row(offset, row_inside ? start(at) : 0, row_inside ? in[0].first * element : row,
                     row_inside ? (in[0].first + in[0].second) * element : row, row);
          }
  }

  /// A row of the box at `offset` in shared memory; bytes [first, end) of it are in the tensor, whose row
  /// begins at `address`.
  void move_row(std::uint32_t offset, std::uint64_t address, std::uint32_t first, std::uint32_t end,
                std::uint32_t row) const {
    const std::uint32_t chunk = map_.swizzle_bytes == 0 ? row : static_cast<std::uint32_t>(granule);
    for (std::uint32_t i = 0; i < row; i += chunk) {
      std::uint8_t* near = near_ + simt::swizzled((shared_ & offset_mask) + offset + i, map_.swizzle_bytes);
      const std::uint32_t from = std::clamp(first, i, i + chunk), to = std::clamp(end, from, i + chunk);
      if (kind_ == BulkOp::load) {
        fill(near, from - i);
        fill(near + (to - i), i + chunk - to);
      }
      if (from == to) continue;
      std::uint8_t* far = global(address + from, map_.element_bytes);
      near += from - i;
      switch (kind_) {
        case BulkOp::load: std::memcpy(near, far, to - from); break;
        case BulkOp::store: std::memcpy(far, near, to - from); break;
        default: reduce(far, near, to - from, map_.type); break;
      }
    }
  }

  /// Elements outside.
  void fill(std::uint8_t* at, std::uint32_t bytes) const {
    if (!map_.nan_fill) {
      std::memset(at, 0, bytes);
      return;
    }
    const std::uint32_t element = map_.element_bytes;
    const std::uint64_t nan = ~std::uint64_t{0} >> (65 - 8 * element);
    for (std::uint32_t i = 0; i < bytes; i += element) std::memcpy(at + i, &nan, element);
  }

  const WarpOp& op_;
  int lane_;
  BulkOp kind_;
  std::uint64_t global_ = 0, mbarrier_ = 0;
  std::uint32_t shared_ = 0, from_ = 0, bytes_ = 0;
  std::uint32_t receivers_ = 0;
  std::uint8_t* near_ = nullptr;  ///< The window that a box lies in.
  bool tells_ = false;
  TensorMap map_;
  std::int64_t coordinate_[TensorMap::most_dimensions] = {};
};

}  // namespace

void copy_bulk(const WarpOp& op) {
  std::uint64_t*& out = op.ctx.trace_cursor;
  std::uint64_t* const head = out;
  if (head) out += 2;
  for_each_lane(op.mask, [&](int lane) {
    BulkEntry entry;
    Copy(op, lane).run(entry);
    if (!head) return;
    std::memcpy(out, &entry, sizeof entry);
    out += trace::bulk_entry_words;
  });
  access_done();
  if (!head) return;
  head[0] = static_cast<std::uint64_t>(kind_of(op.inst)) | static_cast<std::uint64_t>(std::popcount(op.mask))
                                                               << 8;
  head[1] = trace::record_word(op.mask, 0, trace::Kind::bulk, trace::Space::global);
}

}  // namespace wanren::interp
