#include "engine/host_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/faults.h"

namespace wanren::engine {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

constexpr const char* file_name = "wanren-registered";

/// One line of /proc/self/maps, cut to the range that was asked for.
struct Mapping {
  std::uint64_t begin = 0, end = 0;
  int protection = 0;
  bool shared = false, stack = false;
  bool ours = false;  ///< Pages that were private before alias_pages.

  void* at() const { return reinterpret_cast<void*>(begin); }
  std::uint64_t bytes() const { return end - begin; }
};

bool parse(const char* line, Mapping& mapping) {
  char access[5] = {};
  if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &mapping.begin, &mapping.end, access) != 3)
    return false;
  mapping.protection = (access[0] == 'r' ? PROT_READ : 0) | (access[1] == 'w' ? PROT_WRITE : 0) |
                       (access[2] == 'x' ? PROT_EXEC : 0);
  mapping.shared = access[3] == 's';
  mapping.stack = std::strstr(line, "[stack") != nullptr;
  mapping.ours = mapping.shared && std::strstr(line, "/memfd:wanren-registered") != nullptr;
  return true;
}

/// The lowest mappings in [first, end). Allocates nothing: a forked child's heap may still be its parent's.
class Mappings {
 public:
  Mappings(std::uint64_t first, std::uint64_t end) {
    const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    char text[8192];
    std::size_t have = 0;
    for (ssize_t got; (got = read(file, text + have, sizeof text - 1 - have)) > 0;) {
      have += static_cast<std::size_t>(got);
      text[have] = '\0';
      char* line = text;
      for (char* newline; (newline = std::strchr(line, '\n')) != nullptr; line = newline + 1) {
        *newline = '\0';
        Mapping mapping;
        if (!parse(line, mapping) || mapping.end <= first) continue;
        if (mapping.begin >= end || size_ == std::size(all_)) {
          close(file);
          return;
        }
        mapping.begin = std::max(mapping.begin, first);
        mapping.end = std::min(mapping.end, end);
        all_[size_++] = mapping;
      }
      have = static_cast<std::size_t>(text + have - line);
      std::memmove(text, line, have);
    }
    close(file);
  }
  const Mapping* begin() const { return all_; }
  const Mapping* end() const { return all_ + size_; }
  bool empty() const { return size_ == 0; }
  std::uint64_t covered() const { return all_[size_ - 1].end; }

 private:
  Mapping all_[32];
  std::size_t size_ = 0;
};

/// Counts the moves of pages; odd while one is under way.
std::atomic<std::uint64_t> moves{0};

struct Repeated {
  std::uint64_t moves = 0, address = 0, pc = 0;
  bool moving = false;
};
// initial-exec: reading it in a signal handler never allocates.
[[gnu::tls_model("initial-exec")]] thread_local Repeated repeated;

/// Within its life nobody writes the mapping: who tries waits in the fault handler.
class Move {
 public:
  explicit Move(const Mapping& mapping) : mapping_(mapping) {
    repeated.moving = true;
    ++moves;
    ready_ = mprotect(mapping.at(), mapping.bytes(), PROT_READ) == 0;
  }
  /// False leaves the mapping as it was.
  bool finish(bool moved) {
    const int saved = errno;
    if (!moved || mapping_.protection != (PROT_READ | PROT_WRITE))
      mprotect(mapping_.at(), mapping_.bytes(), mapping_.protection);
    errno = saved;
    return moved;
  }
  bool ready() const { return ready_; }
  ~Move() {
    ++moves;
    repeated.moving = false;
  }

 private:
  const Mapping& mapping_;
  bool ready_;
};

/// Sanitisers check what libc copies, and these pages may hold red zones.
__attribute__((no_sanitize("address"))) void copy_pages(void* to, const void* from, std::uint64_t bytes) {
  auto* destination = static_cast<volatile std::uint64_t*>(to);
  const auto* source = static_cast<const volatile std::uint64_t*>(from);
  for (std::uint64_t i = 0; i < bytes / sizeof *source; ++i) destination[i] = source[i];
}

/// A private mapping moves into pages that `alias` shares.
bool make_shared(const Mapping& mapping, void* alias) {
  const int file = memfd_create(file_name, MFD_CLOEXEC);
  if (file < 0) return false;
  const auto share = [&] {
    if (ftruncate(file, static_cast<off_t>(mapping.bytes())) != 0 ||
        mmap(alias, mapping.bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED)
      return false;
    Move move(mapping);
    if (!move.ready()) return move.finish(false);
    copy_pages(alias, mapping.at(), mapping.bytes());
    return move.finish(mmap(mapping.at(), mapping.bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                            file, 0) != MAP_FAILED);
  };
  const bool shared = share();
  const int saved = errno;
  close(file);
  errno = saved;
  return shared;
}

/// Where our shared pages still lie in [first, end), private ones with their contents take their place. Where
/// the host has no memory for that they stay: only a forked child would see the difference.
void make_private(std::uint64_t first, std::uint64_t end) {
  while (first < end) {
    const Mappings mappings(first, end);
    if (mappings.empty()) return;
    for (const Mapping& mapping : mappings) {
      if (!mapping.ours) continue;
      void* fresh =
          mmap(nullptr, mapping.bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (fresh == MAP_FAILED) return;
      Move move(mapping);
      if (move.ready()) copy_pages(fresh, mapping.at(), mapping.bytes());
      if (!move.finish(move.ready() && mremap(fresh, mapping.bytes(), mapping.bytes(),
                                              MREMAP_MAYMOVE | MREMAP_FIXED, mapping.at()) != MAP_FAILED))
        munmap(fresh, mapping.bytes());
    }
    first = mappings.covered();
  }
}

/// Host pages that have an alias. There is one address space, so there is one table.
struct Aliased {
  std::mutex lock;
  std::multimap<std::uint64_t, std::uint64_t> ranges;  ///< First page -> end.
  int child_done[2] = {-1, -1};                        ///< Pipe during a fork.

  void release(std::uint64_t first, std::uint64_t end);
};
Aliased& aliased() {
  static Aliased& table = *new Aliased;  // Leaked on purpose: destructors of programs unregister late.
  return table;
}

void Aliased::release(std::uint64_t first, std::uint64_t end) {
  const auto [from, to] = ranges.equal_range(first);
  const auto it = std::find_if(from, to, [&](const auto& range) { return range.second == end; });
  WR_CHECK(it != to);
  ranges.erase(it);
  for (const auto& [other, other_end] : ranges) {  // Ascending.
    if (other_end <= first) continue;
    if (other >= end) break;
    if (other > first) make_private(first, other);
    first = std::max(first, other_end);
  }
  if (first < end) make_private(first, end);
}

// A child must not share memory that its parent believes to be private. The parent waits until the child has
// made its copies; the pipe also closes if the child dies.
void before_fork() {
  Aliased& table = aliased();
  table.lock.lock();
  if (!table.ranges.empty() && pipe2(table.child_done, O_CLOEXEC) != 0)
    table.child_done[0] = table.child_done[1] = -1;
}
void after_fork_in_parent() {
  Aliased& table = aliased();
  if (table.child_done[0] >= 0) {
    close(table.child_done[1]);
    char none;
    while (read(table.child_done[0], &none, 1) < 0 && errno == EINTR) {
    }
    close(table.child_done[0]);
    table.child_done[0] = table.child_done[1] = -1;
  }
  table.lock.unlock();
}
void after_fork_in_child() {
  Aliased& table = aliased();
  for (const auto& [first, end] : table.ranges) make_private(first, end);
  table.ranges.clear();
  if (table.child_done[0] >= 0) {
    close(table.child_done[0]);
    close(table.child_done[1]);
    table.child_done[0] = table.child_done[1] = -1;
  }
  table.lock.unlock();
}

std::string why_not_aliasable(const Mapping& mapping) {
  const auto stack_pointer = reinterpret_cast<std::uint64_t>(__builtin_frame_address(0));
  if (stack_pointer >= mapping.begin && stack_pointer < mapping.end)
    return "it is the calling thread's stack";
  if (mapping.stack) return "it is a stack";
  if (mapping.protection != (PROT_READ | PROT_WRITE)) return "it is not plain readable and writable memory";
  return "";
}

/// Empty if all of [first, end) now shows at `alias`.
std::string why_not_aliased(std::uint64_t first, std::uint64_t end, std::uint8_t* alias) {
  for (std::uint64_t at = first; at < end;) {
    const Mappings mappings(at, end);
    for (const Mapping& mapping : mappings) {
      if (mapping.begin != at) return "part of it is not mapped";
      if (std::string why = why_not_aliasable(mapping); !why.empty()) return why;
      void* to = alias + (at - first);
      // mremap(2): an old size of 0 makes a second mapping of the same shared pages.
      const bool done = mapping.shared ? mremap(mapping.at(), 0, mapping.bytes(),
                                                MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED
                                       : make_shared(mapping, to);
      if (!done) return std::strerror(errno);
      at = mapping.end;
    }
    if (mappings.empty()) return "part of it is not mapped";
  }
  return "";
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
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(&before_fork, &after_fork_in_parent, &after_fork_in_child); });
  install_fault_handlers();
  const auto begin = reinterpret_cast<std::uint64_t>(first);
  Aliased& table = aliased();
  std::lock_guard lock(table.lock);
  table.ranges.emplace(begin, begin + bytes);
  const std::string why = why_not_aliased(begin, begin + bytes, static_cast<std::uint8_t*>(alias));
  if (why.empty()) return {};
  table.release(begin, begin + bytes);
  return fail("", fmt::format("host memory at {} cannot be registered: {}", first, why),
              "allocate it with cudaHostAlloc");
}

void release_pages(void* first, std::uint64_t bytes) {
  const auto begin = reinterpret_cast<std::uint64_t>(first);
  Aliased& table = aliased();
  std::lock_guard lock(table.lock);
  table.release(begin, begin + bytes);
}

bool write_may_be_repeated(std::uint64_t address, std::uint64_t pc) {
  std::uint64_t now = moves.load();
  if (now == 0 || repeated.moving) return false;
  for (; now % 2 != 0; now = moves.load()) sched_yield();
  // A second fault at one place without a move in between is the program's own.
  if (repeated.moves == now && repeated.address == address && repeated.pc == pc) return false;
  repeated.moves = now, repeated.address = address, repeated.pc = pc;
  return true;
}

}  // namespace wanren::engine
