#include "driver/settings.h"

#include <cerrno>
#include <cstdlib>
#include <thread>

namespace wanren::driver {
namespace {

Result<long> parse_integer(const char* variable, const char* value) {
  char* end = nullptr;
  errno = 0;
  const long parsed = std::strtol(value, &end, 10);
  if (end == value || *end != '\0' || errno != 0)
    return fail(variable, "'" + std::string(value) + "' is not a whole number",
                "set it to a number, or unset it");
  return parsed;
}

}  // namespace

int Settings::host_threads() const {
  if (threads > 0) return static_cast<int>(threads);
  const unsigned cores = std::thread::hardware_concurrency();
  return cores == 0 ? 1 : static_cast<int>(cores);
}

Result<Settings> settings_from_environment() {
  Settings settings;
  // One overload per type of the table.
  auto read = [](auto& member, const char* variable) -> Result<void> {
    const char* value = std::getenv(variable);
    if (value == nullptr) return {};
    if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::string>) {
      member = value;
    } else {
      if (*value == '\0') return {};
      Result<long> parsed = parse_integer(variable, value);
      if (!parsed) return std::unexpected(parsed.error());
      member = *parsed;
    }
    return {};
  };
#define WR_SETTING(member, type, value, variable, doc) \
  if (Result<void> done = read(settings.member, variable); !done) return std::unexpected(done.error());
#include "driver/settings.def"
#undef WR_SETTING
  if (settings.timing != "off" && settings.timing != "fast" && settings.timing != "full" &&
      settings.timing != "predict")
    return fail("WANREN_TIMING", "unknown timing mode '" + settings.timing + "'",
                "use off, fast, full or predict");
  if (settings.engine != "jit" && settings.engine != "interp")
    return fail("WANREN_ENGINE", "unknown engine '" + settings.engine + "'", "use jit or interp");
  return settings;
}

}  // namespace wanren::driver
