#pragma once
// Live ranges of register groups, registers for them, and code for those that get none. For this folder
// only.

#include <cstdint>
#include <vector>

#include "lower/ir.h"

namespace wanren::lower {

inline constexpr std::uint32_t predicate_registers = 7;  // P7 is the constant true

/// Where each word of each group is live. Points count through the whole program: an instruction reads at
/// an even point and writes at the odd one after it; a block's entry and end have points of their own.
struct Ranges {
  struct Segment {
    std::uint32_t begin, end;  ///< Both included.
  };
  std::vector<std::uint32_t> first;          ///< By group: its first word in `words`.
  std::vector<std::vector<Segment>> words;   ///< In no order; disjoint.
  std::vector<std::uint32_t> begin, length;  ///< By group: first point; live points of all words.
  std::vector<double> weight;                ///< By group: accesses, times ten per loop level.
  std::uint32_t points = 0;
};
Ranges live_ranges(const Code& code, const Grouping& grouping);

struct Colouring {
  std::vector<std::uint32_t> place;  ///< By group: its first register.
  std::vector<std::uint32_t> spilled;
  std::uint32_t used = 0;
  bool possible = true;  ///< False: what has to be in a register at one point does not fit.
};

/// First fit in order of first points; `wide_first`: groups of several words before the others. Where
/// nothing fits, the cheapest per point of residence leave: all but brief groups may. `cheap`: the value
/// can be made again.
Colouring colour(const Ranges& ranges, const Grouping& grouping, std::uint32_t registers, bool wide_first,
                 const std::vector<bool>& cheap);

/// Groups that one instruction without register operands defines: their value is made again where it is
/// needed instead of stored and loaded.
std::vector<bool> remade(const Code& code, const Grouping& grouping);

/// Stores behind definitions and loads before uses of the groups, or their definition again before each
/// use; predicates move to general registers. Grows `spill_words`, the thread's spill space.
void insert_spills(Code& code, Grouping& grouping, const Ranges& ranges,
                   const std::vector<std::uint32_t>& spilled, std::uint32_t& spill_words);

}  // namespace wanren::lower
