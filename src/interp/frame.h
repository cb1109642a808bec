#pragma once
// A warp's values and the interpreter's scratch, in one block of words (interp.h, frame_words()).

#include <cstdint>

#include "interp/interp.h"
#include "interp/warp_ops.h"

namespace wanren::interp {

struct FrameLayout {
  simt::Extent extent;                       ///< Of the function (or body) that it is for.
  std::size_t pending = 0;                   ///< First word of the pending masks.
  std::size_t activation = 0;                ///< First word of Activation.
  std::size_t rows = 0;                      ///< First row of each value, 32 bits each.
  std::size_t srcs = 0, dsts = 0, phis = 0;  ///< Scratch rows.
  std::size_t words = 0;
};
FrameLayout layout_of(const simt::Kernel& kernel, simt::FunctionId function);

class Frame {
 public:
  /// Fills the row table in `words`.
  Frame(simt::WarpContext& ctx, std::uint64_t* words, simt::FunctionId function);

  const simt::Extent& extent() const { return layout_.extent; }
  Activation& activation() { return *reinterpret_cast<Activation*>(words_ + layout_.activation); }
  std::uint64_t& pending(simt::BlockId b) { return words_[layout_.pending + b - layout_.extent.first_block]; }
  Row* srcs() { return rows_at(layout_.srcs); }
  Row* dsts() { return rows_at(layout_.dsts); }
  Row& value(simt::ValueId v, std::uint32_t part = 0) {
    return *rows_at((first_row_[v - layout_.extent.first_value] + part) * std::size_t{warp_size});
  }
  bool is_wide(simt::ValueId v) const { return kernel_.values[v].width == simt::Width::b128; }

  /// One lane of an operand; `part` 1 is the upper half of a 128-bit one.
  std::uint64_t read(const simt::Operand& o, int lane, std::uint32_t part = 0);
  /// Writes a register, truncated to its width.
  void write(simt::ValueId v, int lane, std::uint64_t bits, std::uint32_t part = 0);
  LaneMask lanes_where(simt::ValueId predicate, bool negated, LaneMask mask);

  /// Takes the edge `from` -> `to` for the lanes in `mask`: phis, all read before any is written.
  void take_edge(simt::BlockId from, simt::BlockId to, LaneMask mask);

 private:
  Row* rows_at(std::size_t word) { return reinterpret_cast<Row*>(words_ + word); }

  simt::WarpContext& ctx_;
  const simt::Kernel& kernel_;
  FrameLayout layout_;
  std::uint64_t* words_;
  std::uint32_t* first_row_;
};

/// A special register as one lane reads it.
std::uint64_t special_register(const simt::WarpContext& ctx, ptx::SpecialRegister reg, int lane);

}  // namespace wanren::interp
