#include "chip/places.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "chip/spec.h"
#include "support/settings.h"

namespace wanren::chip {

namespace fs = std::filesystem;

std::vector<std::string> directories() {
  std::vector<std::string> result;
  const auto add = [&](const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) result.push_back(path.string());
  };
  const std::string list = text_of(Setting::chip_path);
  for (std::string_view rest = list; !rest.empty();) {
    const std::size_t colon = rest.find(':');
    if (colon != 0) add(fs::path(rest.substr(0, colon)));
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  // The executable or shared library that holds this function: PREFIX/bin/wanren or
  // PREFIX/lib[/triplet]/libcuda.so.1.
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&directories), &info) != 0 && info.dli_fname != nullptr) {
    std::error_code error;
    fs::path place = fs::canonical(info.dli_fname, error);
    if (error) place = fs::canonical("/proc/self/exe", error);
    if (!error) {
      place = place.parent_path();
      for (int up = 0; up < 3 && place.has_parent_path(); ++up) {
        place = place.parent_path();
        add(place / "share" / "wanren" / "chips");
      }
    }
  }
  add(WANREN_SOURCE_CHIPS);
  return result;
}

std::optional<std::string> find_shipped(const std::string& name) {
  for (const std::string& directory : directories()) {
    const fs::path file = fs::path(directory) / (name + ".toml");
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored)) return file.string();
  }
  return std::nullopt;
}

std::vector<std::string> shipped() {
  std::set<std::string> names;
  for (const std::string& directory : directories()) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
      if (entry.path().extension() == ".toml") names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

}  // namespace wanren::chip
