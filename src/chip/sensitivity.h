#pragma once
// What may move in a chip because nobody outside has said: figures and policies of origin `assumed`.

#include <span>
#include <string>
#include <vector>

#include "chip/spec.h"

namespace wanren::chip {

/// Keys of assumed figures that have a direction and are not zero.
std::vector<std::string> assumed_figures(const Spec& spec);

/// Settings that make these figures `share` better (negative: worse). A figure stops at the end of its
/// domain; one that alone would break a rule between figures stays.
std::vector<Change> shifted(const Spec& spec, std::span<const std::string> keys, double share);

/// The other words of each assumed policy that decides anything on this chip.
std::vector<std::vector<Change>> assumed_choices(const Spec& spec);

}  // namespace wanren::chip
