#pragma once
// PTX text as tokens. PTX ISA 4.1-4.5.

#include <cstdint>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace wanren::ptx {

struct Token {
  enum class Kind : std::uint8_t {
    identifier,   ///< add, %r1, $L__BB0_2, _
    dotted,       ///< .u32, .L2::128B; text includes the dot
    number,       ///< as written
    string,       ///< without the quotes
    punctuation,  ///< one or two characters
    end,
  };
  Kind kind = Kind::end;
  std::string_view text;  ///< A view of the source.
  std::uint32_t line = 0, column = 0;

  bool is(std::string_view punctuation) const { return kind == Kind::punctuation && text == punctuation; }
  bool is_dotted(std::string_view word) const { return kind == Kind::dotted && text == word; }
};

/// All tokens of `text`, an `end` token last. Errors: a character that PTX has no use for, an open
/// string or comment; place is name:line:column.
Result<std::vector<Token>> tokenize(std::string_view text, std::string_view name);

}  // namespace wanren::ptx
