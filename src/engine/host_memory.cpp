#include "engine/host_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>

namespace wanren::engine {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

/// Empty if [first, first + bytes) is readable and writable, no stack, and all private (or all shared).
std::string why_not_aliasable(std::uint64_t first, std::uint64_t bytes, bool& shared) {
  const File maps(std::fopen("/proc/self/maps", "r"));
  if (!maps) return "/proc/self/maps cannot be read";
  std::uint64_t covered = first;
  const std::uint64_t end = first + bytes;
  const auto stack_pointer = reinterpret_cast<std::uint64_t>(__builtin_frame_address(0));
  if (stack_pointer >= first && stack_pointer < end) return "it is the calling thread's stack";
  bool any = false;
  char line[4352];
  while (covered < end && std::fgets(line, sizeof line, maps.get()) != nullptr) {
    std::uint64_t from = 0, to = 0;
    char access[5] = {};
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, access) != 3) continue;
    if (to <= covered) continue;
    if (from > covered) break;
    if (std::strstr(line, "[stack") != nullptr) return "it is a stack";
    if (access[0] != 'r' || access[1] != 'w') return "it is not readable and writable";
    const bool is_shared = access[3] == 's';
    if (any && is_shared != shared) return "it mixes shared and private memory";
    shared = is_shared;
    any = true;
    covered = to;
  }
  return covered < end ? "part of it is not mapped" : "";
}

}  // namespace

std::uint64_t available_host_bytes() {
  std::uint64_t available = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * 4096;
  if (const File info(std::fopen("/proc/meminfo", "r")); info) {
    char line[256];
    std::uint64_t kib = 0;
    while (std::fgets(line, sizeof line, info.get()) != nullptr)
      if (std::sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1) available = kib * 1024;
  }
  if (const File group(std::fopen("/sys/fs/cgroup/memory.max", "r")); group) {
    std::uint64_t most = 0;
    if (std::fscanf(group.get(), "%" SCNu64, &most) == 1) available = std::min(available, most);
  }
  return available;
}

Result<void> alias_pages(void* first, std::uint64_t bytes, void* alias) {
  bool shared = false;
  const std::string why = why_not_aliasable(reinterpret_cast<std::uint64_t>(first), bytes, shared);
  if (!why.empty())
    return fail("", fmt::format("host memory at {} cannot be registered: {}", first, why),
                "allocate it with cudaHostAlloc");
  const auto failed = [&] {
    return fail("", fmt::format("host memory at {} cannot be registered: {}", first, std::strerror(errno)));
  };
  if (shared) {
    // mremap(2): an old size of 0 makes a second mapping of the same shared pages.
    if (mremap(first, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, alias) == MAP_FAILED) return failed();
    return {};
  }
  const int file = memfd_create("wanren-registered", MFD_CLOEXEC);
  if (file < 0) return failed();
  const auto finish = [&](bool good) {
    const int saved = errno;
    close(file);
    errno = saved;
    return good;
  };
  if (ftruncate(file, static_cast<off_t>(bytes)) != 0) return finish(false), failed();
  void* view = mmap(alias, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
  if (view == MAP_FAILED) return finish(false), failed();
  // By system call: sanitisers check what libc copies, and these pages may hold red zones.
  for (std::uint64_t done = 0; done < bytes;) {
    const long wrote =
        syscall(SYS_pwrite64, file, static_cast<const char*>(first) + done, bytes - done, done);
    if (wrote <= 0) return finish(false), failed();
    done += static_cast<std::uint64_t>(wrote);
  }
  if (mmap(first, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED)
    return finish(false), failed();
  finish(true);
  return {};
}

}  // namespace wanren::engine
