#pragma once
// Everything that the environment can say; settings.def is the table, and `wanren run` sets the same
// variables.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace wanren {

struct Settings {
  using text = std::string;
  using integer = long;
  using real = double;
#define WR_SETTING(member, type, value, variable, option, words, doc) type member = value;
#include "support/settings.def"
#undef WR_SETTING

  bool timed() const { return timing != "off"; }
  /// Large grids are simulated in part.
  bool sampled() const { return timing != "off" && timing != "full"; }
  int host_threads() const;
};

/// All of them. Errors: a number that is none, a word that is not allowed; place is the variable's name.
Result<Settings> settings_from_environment();

enum class Setting : unsigned char {
#define WR_SETTING(member, type, value, variable, option, words, doc) member,
#include "support/settings.def"
#undef WR_SETTING
};

struct SettingInfo {
  std::string_view default_text, variable, option, words, doc;
};
std::span<const SettingInfo> setting_table();
const SettingInfo& info(Setting setting);

/// What the environment says of one setting, unchecked; its default where it says nothing.
std::string text_of(Setting setting);

/// Whether stages check what they hand on: WANREN_VERIFY, read once.
bool verifying();

/// Ends the program if a stage broke a promise: `broken` says which, and is empty if none.
void verified(std::string_view stage, std::string_view place, std::string_view broken);

/// The parts of a list with commas.
std::vector<std::string> split_list(const std::string& text);

}  // namespace wanren
