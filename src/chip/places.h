#pragma once
// Where chip files lie.

#include <optional>
#include <string>
#include <vector>

namespace wanren::chip {

/// Directories in the order they are searched: WANREN_CHIP_PATH (colon-separated), share/wanren/chips
/// beside the module that holds this code, the source tree.
std::vector<std::string> directories();

/// File of the shipped chip `name`, if there is one.
std::optional<std::string> find_shipped(const std::string& name);

}  // namespace wanren::chip
