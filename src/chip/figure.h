#pragma once
// One figure: text or number in, checked member out. Shared by the file reader and set().

#include <cstddef>
#include <string>
#include <string_view>

#include "chip/spec.h"
#include "support/result.h"

namespace wanren::chip {

/// Stores `text` ("448 GB/s", "interleave", "true") in row `index`. A number without unit is in the
/// canonical unit if `plain_numbers`, else it is an error where the field has a unit.
Result<void> assign(Spec& spec, std::size_t index, std::string_view text, const std::string& place,
                    bool plain_numbers);

/// Keys of a section, or all section names, for near spellings.
std::vector<std::string> members_of(std::string_view section);
std::vector<std::string> section_names();

/// "unknown section `hbn`" or "unknown key `banwidth` in section `hbm`", with a remedy.
std::unexpected<Error> unknown_key(std::string_view section, std::string_view member,
                                   const std::string& place);

}  // namespace wanren::chip
