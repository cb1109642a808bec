#include "support/settings.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <type_traits>

namespace wanren {
namespace {

/// A default as the table writes it, without the quotes of a text.
constexpr std::string_view plain(std::string_view written) {
  if (written.size() >= 2 && written.front() == '"') return written.substr(1, written.size() - 2);
  return written;
}

constexpr SettingInfo table[] = {
#define WR_SETTING(member, type, value, variable, option, words, doc) \
  {plain(#value), variable, option, words, doc},
#include "support/settings.def"
#undef WR_SETTING
};

bool allowed(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t bar = words.find('|');
    if (words.substr(0, bar) == word) return true;
    if (bar == std::string_view::npos) return false;
    words.remove_prefix(bar + 1);
  }
  return false;
}

template <class T>
Result<T> parse_number(const SettingInfo& setting, const char* value) {
  char* end = nullptr;
  errno = 0;
  T parsed;
  if constexpr (std::is_integral_v<T>)
    parsed = std::strtol(value, &end, 10);
  else
    parsed = std::strtod(value, &end);
  if (end == value || *end != '\0' || errno != 0)
    return fail(std::string(setting.variable),
                "'" + std::string(value) + "' is not a " + (std::is_integral_v<T> ? "whole " : "") + "number",
                "set it to a number, or unset it");
  return parsed;
}

}  // namespace

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = text.find(','); end != std::string::npos; end = text.find(',', begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

int Settings::host_threads() const {
  if (threads > 0) return static_cast<int>(threads);
  const unsigned cores = std::thread::hardware_concurrency();
  return cores == 0 ? 1 : static_cast<int>(cores);
}

Result<Settings> settings_from_environment() {
  Settings settings;
  // One branch per type of the table.
  auto read = [](auto& member, Setting which) -> Result<void> {
    const SettingInfo& setting = info(which);
    const char* value = std::getenv(setting.variable.data());
    if (value == nullptr) return {};
    using T = std::decay_t<decltype(member)>;
    if constexpr (std::is_same_v<T, std::string>) {
      member = value;
    } else {
      if (*value == '\0') return {};
      Result<T> parsed = parse_number<T>(setting, value);
      if (!parsed) return std::unexpected(parsed.error());
      member = *parsed;
    }
    if (!setting.words.empty() && !allowed(setting.words, value))
      return fail(std::string(setting.variable), "'" + std::string(value) + "' is not one of its values",
                  "use one of " + std::string(setting.words));
    return {};
  };
#define WR_SETTING(member, type, value, variable, option, words, doc) \
  if (Result<void> done = read(settings.member, Setting::member); !done) return std::unexpected(done.error());
#include "support/settings.def"
#undef WR_SETTING
  return settings;
}

std::span<const SettingInfo> setting_table() {
  return table;
}

const SettingInfo& info(Setting setting) {
  return table[static_cast<std::size_t>(setting)];
}

std::string text_of(Setting setting) {
  const char* value = std::getenv(info(setting).variable.data());
  return value != nullptr ? std::string(value) : std::string(info(setting).default_text);
}

bool verifying() {
  static const bool on = text_of(Setting::verify) == "1";
  return on;
}

void verified(std::string_view stage, std::string_view place, std::string_view broken) {
  if (broken.empty()) return;
  std::fprintf(stderr, "wanren: internal error: %.*s: %.*s: %.*s\n", static_cast<int>(stage.size()),
               stage.data(), static_cast<int>(place.size()), place.data(), static_cast<int>(broken.size()),
               broken.data());
  std::abort();
}

}  // namespace wanren
