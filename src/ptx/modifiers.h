#pragma once
// Modifiers as text: one table says which words there are, one function which opcode takes which.

#include <string>
#include <string_view>

#include "ptx/module.h"

namespace wanren::ptx {

/// Collects the modifiers of one instruction, in any order.
class ModifierReader {
 public:
  ModifierReader(Opcode opcode, Modifiers& into) : opcode_(opcode), mods_(into) {}

  enum class Outcome { taken, unknown, repeated };
  /// `word` without the dot.
  Outcome take(std::string_view word);
  /// Completes what depends on the whole: called once, after the last word. False if the words
  /// make no barrier (bar.red without an operation).
  bool finish();
  /// "did you mean '.rn'?" among the words that this opcode takes, or empty.
  std::string nearest(std::string_view word) const;

 private:
  Opcode opcode_;
  Modifiers& mods_;
  int type_count_ = 0, layout_count_ = 0, space_count_ = 0, barrier_words_ = 0;
};

/// The longest mnemonic that `words` ("cp", ".async", ".wait_group") begins with. Returns how many
/// words it takes, 0 if none.
struct OpcodeMatch {
  Opcode opcode{};
  int words = 0;
};
OpcodeMatch match_opcode(std::string_view mnemonic, std::string_view second = {}, std::string_view third = {},
                         std::string_view fourth = {});
std::string nearest_opcode(std::string_view mnemonic);

/// Everything after the mnemonic, in the manual's order: ".rn.f32".
std::string print_modifiers(Opcode opcode, const Modifiers& mods);

/// The type that `word` (without dot) names; none if it names none.
Type type_from(std::string_view word);

}  // namespace wanren::ptx
