#pragma once
// The parts of analyse().

#include <functional>
#include <vector>

#include "simt/flow.h"
#include "simt/shape.h"
#include "simt/transfer.h"

namespace wanren::simt {

/// A set of block ids.
class BlockSet {
 public:
  explicit BlockSet(std::size_t n = 0) : words_((n + 63) / 64) {}
  bool test(BlockId b) const { return words_[b / 64] >> b % 64 & 1; }
  void set(BlockId b) { words_[b / 64] |= std::uint64_t{1} << b % 64; }
  void clear(BlockId b) { words_[b / 64] &= ~(std::uint64_t{1} << b % 64); }
  bool empty() const {
    for (const std::uint64_t w : words_)
      if (w) return false;
    return true;
  }
  /// Adds what `other` holds above `floor`; true if this grew.
  bool add_above(const BlockSet& other, BlockId floor);
  std::vector<BlockId> list() const;

 private:
  std::vector<std::uint64_t> words_;
};

/// Which blocks may be pending while each block runs, lowest pending block first. `split` blocks are where
/// lanes that spin may be overtaken: there everything in `split` may be pending.
std::vector<BlockSet> pending_blocks(const Kernel& kernel, const std::vector<bool>& divergent,
                                     const BlockSet* split);

/// Values live at the start of each block.
std::vector<std::vector<ValueId>> live_values(const Kernel& kernel);

/// The shape of one instruction's result, guard and prior included.
struct Transferred {
  Rule rule = Rule::vector;
  ValueShape shape;      ///< Of dsts[0]; the other dsts are uniform under Rule::uniform, else vectors.
  bool assumes = false;  ///< assumes_no_wrap()
};
/// `intern` numbers a pattern that is not all zero; 0 means no room for more.
Transferred transfer(const Kernel& kernel, const Shapes& shapes, const Inst& inst, const BlockShape* block,
                     const std::function<std::uint32_t(const LanePattern&)>& intern);
/// What holds whether it is one or the other.
ValueShape meet(const ValueShape& a, const ValueShape& b);

}  // namespace wanren::simt
