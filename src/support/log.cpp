#include "support/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <set>
#include <string>

#include "support/settings.h"

namespace wanren::log {
namespace {

Level level_from_environment() {
  const std::string text = text_of(Setting::log);
  constexpr const char* names[] = {"debug", "info", "warn", "error", "off"};
  for (int i = 0; i < 5; ++i)
    if (text == names[i]) return static_cast<Level>(i);
  return Level::warn;
}

spdlog::logger& logger() {
  // Leaked on purpose: device programs log from static destructors.
  static spdlog::logger* instance = [] {
    auto* made = new spdlog::logger("wanren", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("wanren: %v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

}  // namespace

bool enabled(Level level) {
  static const Level threshold = level_from_environment();
  return level >= threshold && level != Level::off;
}

void write(Level level, std::string_view text) {
  if (!enabled(level)) return;
  constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                  spdlog::level::warn, spdlog::level::err};
  logger().log(levels[static_cast<int>(level)], "{}", text);
}

void write_once(Level level, std::string_view text) {
  if (!enabled(level)) return;
  static std::mutex mutex;
  static auto& said = *new std::set<std::string, std::less<>>;
  {
    std::lock_guard lock(mutex);
    if (!said.emplace(text).second) return;
  }
  write(level, text);
}

}  // namespace wanren::log
