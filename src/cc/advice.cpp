#include "cc/advice.h"

#include <fmt/core.h>

#include <set>
#include <sstream>
#include <string_view>

namespace wanren::cc {
namespace {

struct Foreign {
  std::string_view name, headers, libraries, remedy;
};
constexpr Foreign foreign[] = {
#define WR_FOREIGN(name, headers, libraries, remedy) {name, headers, libraries, remedy},
#include "cc/foreign.def"
};

bool begins_with_one_of(const std::string& text, std::string_view words) {
  std::istringstream in{std::string(words)};
  for (std::string word; in >> word;)
    if (text.starts_with(word)) return true;
  return false;
}

// The text between `before` and `after`, or nothing.
std::string between(const std::string& line, std::string_view before, std::string_view after) {
  const size_t at = line.find(before);
  if (at == std::string::npos) return {};
  const size_t from = at + before.size();
  const size_t to = after.empty() ? line.find_first_of(" :\n\x1b", from) : line.find(after, from);
  return line.substr(from, to == std::string::npos ? to : to - from);
}

}  // namespace

std::string advice_for_missing(const std::string& messages) {
  std::string out;
  std::set<std::string> seen;
  std::istringstream lines(messages);
  for (std::string line; std::getline(lines, line);) {
    std::string missing;
    bool header = false;
    if (line.find("' file not found") != std::string::npos) {
      missing = between(line, "error: '", "' file not found");
      // Colours come between the word and its quotation mark.
      if (missing.empty()) missing = between(line, "'", "' file not found");
      header = true;
    } else if (line.find("cannot find -l") != std::string::npos) {
      missing = between(line, "cannot find -l", "");
    } else if (line.find("unable to find library -l") != std::string::npos) {
      missing = between(line, "unable to find library -l", "");
    }
    if (missing.empty() || !seen.insert(missing).second) continue;
    for (const Foreign& one : foreign) {
      if (!begins_with_one_of(missing, header ? one.headers : one.libraries)) continue;
      out += fmt::format("wanren cc: {}{} belongs to {}: {}\n", header ? "" : "-l", missing, one.name,
                         one.remedy);
      break;
    }
  }
  return out;
}

}  // namespace wanren::cc
