#pragma once
// What the environment says; `wanren run` sets the same variables.

#include <cstdint>
#include <string>

#include "support/result.h"

namespace wanren::driver {

struct Settings {
  using text = std::string;
  using integer = long;
#define WR_SETTING(member, type, value, variable, doc) type member = value;
#include "driver/settings.def"
#undef WR_SETTING

  bool timed() const { return timing != "off"; }
  int host_threads() const;
};

/// Errors: a number that is none, an unknown timing mode; place is the variable's name.
Result<Settings> settings_from_environment();

}  // namespace wanren::driver
