// What is registered for the end of the process. LLVM makes static objects while it works and has their
// destructors called at exit, newest first: one that is first made by a compilation in the background would
// go while that compilation uses it, and nothing that is registered beforehand can stop this in time. So in
// what is linked with this folder (--wrap in CMakeLists.txt) no static object is destroyed, and the process
// may end wherever the background is.

extern "C" {
extern void* __dso_handle;
int __real___cxa_atexit(void (*call)(void*), void* argument, void* library);

int __wrap___cxa_atexit(void (*)(void*), void*, void*) {
  return 0;
}

/// Handlers are called as ever; the C library's own atexit() would register them as it does destructors.
int __wrap_atexit(void (*handler)()) {
  return __real___cxa_atexit([](void* h) { reinterpret_cast<void (*)()>(h)(); },
                             reinterpret_cast<void*>(handler), &__dso_handle);
}
}
