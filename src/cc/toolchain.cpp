#include "cc/toolchain.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "support/settings.h"

namespace wanren::cc {
namespace fs = std::filesystem;
namespace {

bool runnable(const std::string& path) {
  return access(path.c_str(), X_OK) == 0 && !fs::is_directory(path);
}

std::string search_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream dirs(path ? path : "");
  for (std::string dir; std::getline(dirs, dir, ':');) {
    if (dir.empty()) continue;
    dir += '/';
    dir += name;
    if (runnable(dir)) return dir;
  }
  return {};
}

}  // namespace

Result<Toolchain> find_toolchain() {
  Toolchain t;
  if (const std::string chosen = text_of(Setting::clang); !chosen.empty()) {
    t.clang = chosen.find('/') == std::string::npos ? search_path(chosen) : chosen;
    if (t.clang.empty() || !runnable(t.clang))
      return fail("WANREN_CLANG", chosen + " cannot be run", "set it to clang++ version 19, or unset it");
  }
  if (t.clang.empty()) t.clang = search_path("clang++-19");
  if (t.clang.empty() && runnable(WANREN_CLANG)) t.clang = WANREN_CLANG;
  if (t.clang.empty())
    return fail(
        "wanren cc", "clang++-19 is neither on PATH nor at " WANREN_CLANG,
        "install it (Debian 12: apt install clang-19 from apt.llvm.org or backports), or set WANREN_CLANG");

  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail("/proc/self/exe", error.message(), "mount /proc");
  const fs::path prefix = self.parent_path().parent_path();
  t.runtime_folder = (prefix / "lib").string();
  t.device_library = (prefix / "lib/wanren/device.bc").string();
  for (const fs::path& place :
       {prefix / "include/wanren", prefix / "include", fs::path(WANREN_SOURCE_INCLUDE)}) {
    if (fs::exists(place / "cuda_runtime.h", error)) {
      t.include = place.string();
      break;
    }
  }
  for (const fs::path& place : {prefix / "include/wanren/cccl", fs::path(WANREN_CCCL_INCLUDE)})
    if (t.cccl.empty() && fs::exists(place / "cub/cub.cuh", error)) t.cccl = place.string();
  if (t.include.empty())
    return fail((prefix / "include/wanren").string(), "Wanren's CUDA headers are not there",
                "install again with cmake --install");
  if (!fs::exists(t.device_library, error))
    return fail(t.device_library, "the device library is not there",
                "build the target wanren_device_library, or install again");
  return t;
}

}  // namespace wanren::cc
