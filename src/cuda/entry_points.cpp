// libcuda's entry points by name, for cuGetProcAddress and its callers.

#include "cuda/entry_points.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>

// Untyped: only their addresses are wanted.
#define WR_HAVE(symbol, name, since) extern "C" void symbol();
#define WR_LACK(symbol, name, since) extern "C" void symbol();
#define WR_PER_THREAD(symbol, name, since, function) extern "C" void symbol();
#define WR_LACK_PER_THREAD(symbol, name, since) extern "C" void symbol();
#include "cuda/driver.def"
#undef WR_HAVE
#undef WR_LACK
#undef WR_PER_THREAD
#undef WR_LACK_PER_THREAD

namespace wanren::cuda {
namespace {

struct Row {
  std::string_view name;
  int since;
  bool per_thread;
  void (*function)();
};

const Row rows[] = {
#define WR_HAVE(symbol, name, since) {#name, since, false, &symbol},
#define WR_LACK(symbol, name, since) {#name, since, false, &symbol},
#define WR_PER_THREAD(symbol, name, since, function) {#name, since, true, &symbol},
#define WR_LACK_PER_THREAD(symbol, name, since) {#name, since, true, &symbol},
#include "cuda/driver.def"
};

}  // namespace

thread_local bool NullStreamPerThread::active = false;

Search find_entry_point(const char* name, int version, bool per_thread, void** function) {
  *function = nullptr;
  Search outcome = Search::no_such_name;
  const Row* best = nullptr;
  for (const Row& row : rows) {
    if (row.name != name || (row.per_thread && !per_thread)) continue;
    if (row.since > version) {
      if (best == nullptr) outcome = Search::version_too_old;
      continue;
    }
    // A form with streams per thread wins over others of any version.
    if (best == nullptr || (row.per_thread && !best->per_thread) ||
        (row.per_thread == best->per_thread && row.since > best->since))
      best = &row;
  }
  if (best == nullptr) return outcome;
  *function = reinterpret_cast<void*>(best->function);
  return Search::found;
}

}  // namespace wanren::cuda
