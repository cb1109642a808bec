#pragma once
// One warp is a fiber: its own stack, and two stack pointers in its WarpContext. A switch saves what it
// needs on the stack it leaves, pushes the address to continue at, swaps stack pointers and jumps to
// the word on top; all registers are clobbered. Compiled code switches inline in the same way.

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "simt/warp_context.h"
#include "support/result.h"

#if defined(__x86_64__) && !defined(WANREN_FIBER_BOOST)
#define WANREN_FIBER_INLINE 1
#else
#define WANREN_FIBER_INLINE 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define WANREN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WANREN_ASAN 1
#endif
#endif
#ifndef WANREN_ASAN
#define WANREN_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define WANREN_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WANREN_TSAN 1
#endif
#endif
#ifndef WANREN_TSAN
#define WANREN_TSAN 0
#endif

namespace wanren::engine {

/// [guard, low) is inaccessible, [low, top) the stack.
struct Stack {
  std::uint8_t* guard = nullptr;
  std::uint8_t* low = nullptr;
  std::uint8_t* top = nullptr;
  std::uint32_t colour = 0;  ///< Bytes left free on top: neighbouring stacks use different cache sets.
};

/// Stacks with guard pages, reused, committed lazily by the host. Thread-safe.
class StackPool {
 public:
  static constexpr std::size_t minimum_bytes = 64 << 10;
  static constexpr std::size_t guard_bytes = 64 << 10;

  static StackPool& instance();

  /// A stack of at least `bytes`. Errors: the host refuses to map.
  Result<Stack> take(std::size_t bytes);
  void give(const Stack& stack);

 private:
  struct Class {
    std::vector<Stack> free;
    std::uint32_t made = 0;
  };
  std::mutex lock_;
  Class classes_[48];  ///< By log2 of the usable bytes.
};

/// Makes ctx ready to run `entry(ctx)` on `stack`; when it returns, ctx yields `exited`.
void prepare_fiber(simt::WarpContext* ctx, const Stack& stack, simt::WarpEntry entry);

#if WANREN_FIBER_INLINE
// Operand 0 is the context; From and To are byte offsets of the stack pointers in it. The red zone of the
// interrupted frame is skipped. xmm16-31 and mask registers need AVX-512 to exist in the caller at all;
// the host part is compiled without it.
#define WANREN_SWITCH(ctx, FROM, TO)                                                                       \
  asm volatile(                                                                                            \
      "leaq -128(%%rsp), %%rsp\n\t"                                                                        \
      "pushq %%rbp\n\t"                                                                                    \
      "leaq 1f(%%rip), %%rax\n\t"                                                                          \
      "pushq %%rax\n\t"                                                                                    \
      "movq %%rsp, " FROM                                                                                  \
      "(%%rdi)\n\t"                                                                                        \
      "movq " TO                                                                                           \
      "(%%rdi), %%rsp\n\t"                                                                                 \
      "popq %%rax\n\t"                                                                                     \
      "jmpq *%%rax\n"                                                                                      \
      "1:\n\t"                                                                                             \
      "popq %%rbp\n\t"                                                                                     \
      "leaq 128(%%rsp), %%rsp\n\t"                                                                         \
      : "+D"(ctx)                                                                                          \
      :                                                                                                    \
      : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc",     \
        "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

/// Engine to warp; returns when the warp yields.
inline void switch_to_warp(simt::WarpContext* ctx) {
  WANREN_SWITCH(ctx, "0", "8");
}
/// Warp to engine; returns when the warp is resumed.
inline void switch_to_engine(simt::WarpContext* ctx) {
  WANREN_SWITCH(ctx, "8", "0");
}
#else
void switch_to_warp(simt::WarpContext* ctx);
void switch_to_engine(simt::WarpContext* ctx);
#endif

}  // namespace wanren::engine
