#pragma once
// Private to src/cuda: finding entry points of libcuda by name, and what answers those that are missing.

namespace wanren::cuda {

enum class Search { found, no_such_name, version_too_old };

/// The function that `name` meant in CUDA `version` (13000: 13.0). `per_thread` prefers the form whose stream
/// 0 is the thread's own.
Search find_entry_point(const char* name, int version, bool per_thread, void** function);

/// While it lives, stream 0 is the calling thread's own stream.
class NullStreamPerThread {
 public:
  NullStreamPerThread() : before_(active) { active = true; }
  ~NullStreamPerThread() { active = before_; }
  static bool is_active() { return active; }

 private:
  static thread_local bool active;
  bool before_;
};

/// `function` called with stream 0 meaning the thread's own.
template <auto function>
struct PerThread;
template <class R, class... A, R (*function)(A...)>
struct PerThread<function> {
  static R call(A... arguments) {
    NullStreamPerThread scope;
    return function(arguments...);
  }
};

}  // namespace wanren::cuda
