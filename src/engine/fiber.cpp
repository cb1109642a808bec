#include "engine/fiber.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#if WANREN_ASAN
#include <sanitizer/asan_interface.h>
#endif
#if !WANREN_FIBER_INLINE
#include <boost/context/detail/fcontext.hpp>
#endif

namespace wanren::engine {

StackPool& StackPool::instance() {
  // Leaked on purpose: warps may run from static destructors.
  static StackPool* pool = new StackPool;
  return *pool;
}

Result<Stack> StackPool::take(std::size_t bytes) {
  const std::size_t usable = std::bit_ceil(std::max(bytes, minimum_bytes));
  Class& of_size = classes_[std::countr_zero(usable)];
  std::lock_guard lock(lock_);
  if (!of_size.free.empty()) {
    const Stack stack = of_size.free.back();
    of_size.free.pop_back();
    return stack;
  }
  // One mapping for guard and stack: two entries of the host's map per stack.
  void* got =
      mmap(nullptr, guard_bytes + usable, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  const auto refused = [] {
    return fail("", fmt::format("the host cannot map a warp's stack: {}", std::strerror(errno)),
                "raise vm.max_map_count or the limit on virtual memory");
  };
  if (got == MAP_FAILED) return refused();
  Stack stack;
  stack.guard = static_cast<std::uint8_t*>(got);
  stack.low = stack.guard + guard_bytes;
  stack.top = stack.low + usable;
  if (mprotect(stack.low, usable, PROT_READ | PROT_WRITE) != 0) {
    munmap(got, guard_bytes + usable);
    return refused();
  }
  madvise(stack.low, usable, MADV_NOHUGEPAGE);  // A huge page per stack would defeat lazy commitment.
  stack.colour = of_size.made++ % 12 * 320;
  return stack;
}

void StackPool::give(const Stack& stack) {
  constexpr std::size_t kept = 512;
  const auto usable = static_cast<std::size_t>(stack.top - stack.low);
#if WANREN_ASAN
  ASAN_UNPOISON_MEMORY_REGION(stack.low, usable);
#endif
  std::lock_guard lock(lock_);
  Class& of_size = classes_[std::countr_zero(usable)];
  if (of_size.free.size() >= kept || usable > (std::size_t{4} << 20))
    munmap(stack.guard, guard_bytes + usable);
  else
    of_size.free.push_back(stack);
}

#if WANREN_FIBER_INLINE

extern "C" [[gnu::used]] void wanren_warp_main(simt::WarpContext* ctx, simt::WarpEntry entry) {
  entry(ctx);
  ctx->yield = simt::Yield::exited;
  switch_to_engine(ctx);
  WR_CHECK(!"an exited warp was resumed");
}

extern "C" void wanren_warp_start();
asm(R"(
  .text
  .p2align 4
  .hidden wanren_warp_start
  .globl wanren_warp_start
  .type wanren_warp_start, @function
wanren_warp_start:
  .cfi_startproc
  .cfi_undefined rip
  popq %rdi
  popq %rsi
  xorl %ebp, %ebp
  call wanren_warp_main@PLT
  ud2
  .cfi_endproc
  .size wanren_warp_start, .-wanren_warp_start
)");

void prepare_fiber(simt::WarpContext* ctx, const Stack& stack, simt::WarpEntry entry) {
  auto* words = reinterpret_cast<std::uint64_t*>((reinterpret_cast<std::uint64_t>(stack.top) - stack.colour) &
                                                 ~std::uint64_t{63}) -
                5;  // Three words are popped; the stack is 16-byte aligned before the call.
  words[0] = reinterpret_cast<std::uint64_t>(&wanren_warp_start);
  words[1] = reinterpret_cast<std::uint64_t>(ctx);
  words[2] = reinterpret_cast<std::uint64_t>(entry);
  ctx->warp_stack = words;
}

#else

namespace {
namespace bc = boost::context::detail;

struct Start {
  simt::WarpContext* ctx;
  simt::WarpEntry entry;
};

void start(bc::transfer_t from) {
  const Start what = *static_cast<Start*>(from.data);
  what.ctx->engine_stack = from.fctx;
  what.ctx->engine_stack = bc::jump_fcontext(from.fctx, nullptr).fctx;
  what.entry(what.ctx);
  what.ctx->yield = simt::Yield::exited;
  switch_to_engine(what.ctx);
  WR_CHECK(!"an exited warp was resumed");
}
}  // namespace

void prepare_fiber(simt::WarpContext* ctx, const Stack& stack, simt::WarpEntry entry) {
  Start what{ctx, entry};
  void* made = bc::make_fcontext(stack.top - stack.colour, stack.top - stack.low - stack.colour, &start);
  ctx->warp_stack = bc::jump_fcontext(made, &what).fctx;
}

void switch_to_warp(simt::WarpContext* ctx) {
  ctx->warp_stack = bc::jump_fcontext(ctx->warp_stack, nullptr).fctx;
}
void switch_to_engine(simt::WarpContext* ctx) {
  ctx->engine_stack = bc::jump_fcontext(ctx->engine_stack, nullptr).fctx;
}

#endif

}  // namespace wanren::engine
