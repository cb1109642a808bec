#pragma once
// The nearest valid spelling of a mistyped word.

#include <span>
#include <string>
#include <string_view>

namespace wanren::ptx {

/// "did you mean 'x'?" for the candidate nearest to `word`, or empty if none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace wanren::ptx
