#pragma once

#include <string>

namespace wanren::cc {

/// For each header or library of `messages` (clang's and the linker's) that is not there and that Wanren
/// knows of: a line with what it belongs to and what to do. Empty if there is none.
std::string advice_for_missing(const std::string& messages);

}  // namespace wanren::cc
