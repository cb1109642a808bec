#pragma once
// Log lines go to standard error, prefixed "wanren: "; WANREN_LOG=debug|info|warn|error|off sets the
// level (default warn). Standard output belongs to the program that runs on the device.

#include <string_view>

namespace wanren::log {

enum class Level { debug, info, warn, error, off };

bool enabled(Level level);
void write(Level level, std::string_view text);
/// The same text is written once per process: for what a program may do a thousand times.
void write_once(Level level, std::string_view text);

inline void debug(std::string_view text) {
  write(Level::debug, text);
}
inline void info(std::string_view text) {
  write(Level::info, text);
}
inline void warn(std::string_view text) {
  write(Level::warn, text);
}
inline void error(std::string_view text) {
  write(Level::error, text);
}

}  // namespace wanren::log
