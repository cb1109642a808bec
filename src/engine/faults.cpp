#include "engine/faults.h"

#include <fmt/format.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif
#if WANREN_ASAN
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if WANREN_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#include "engine/host_memory.h"

namespace wanren::engine {
namespace {

constexpr int fault_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
constexpr std::size_t signal_stack_bytes = 64 << 10;

struct SignalStack {
  void* memory = nullptr;
  stack_t before{};

  void install() {
    if (sigaltstack(nullptr, &before) == 0 && (before.ss_flags & SS_DISABLE) == 0 &&
        before.ss_size >= signal_stack_bytes / 2)
      return;
    memory = mmap(nullptr, signal_stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    WR_CHECK(memory != MAP_FAILED);
    stack_t mine{};
    mine.ss_sp = memory;
    mine.ss_size = signal_stack_bytes;
    WR_CHECK(sigaltstack(&mine, nullptr) == 0);
  }
  ~SignalStack() {
    if (memory == nullptr) return;
    sigaltstack(&before, nullptr);
    munmap(memory, signal_stack_bytes);
  }
};

// initial-exec: reading it in a signal handler never allocates.
[[gnu::tls_model("initial-exec")]] thread_local ThreadState this_thread;
thread_local SignalStack signal_stack;
[[gnu::tls_model("initial-exec")]] thread_local bool thread_ready = false;

struct sigaction previous[65];
std::mutex install_lock;
std::uintptr_t own_text_begin, own_text_end;

int find_own_text(dl_phdr_info* info, std::size_t, void*) {
  const auto here = reinterpret_cast<std::uintptr_t>(&install_fault_handlers);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    if (here < begin || here >= begin + header.p_memsz) continue;
    own_text_begin = begin;
    own_text_end = begin + header.p_memsz;
    return 1;
  }
  return 0;
}

std::uintptr_t pc_of(const ucontext_t* context) {
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(context->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return context->uc_mcontext.pc;
#else
#error "signal contexts of this architecture are not known"
#endif
}

std::uintptr_t sp_of(const ucontext_t* context) {
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(context->uc_mcontext.gregs[REG_RSP]);
#else
  return context->uc_mcontext.sp;
#endif
}

#if !WANREN_FIBER_INLINE
[[noreturn]] void leave_dead_warp() {
  switch_to_engine(this_thread.warp);
  WR_CHECK(!"a dead warp was resumed");
}
#endif

/// Lets the handler return into the engine instead of the warp.
void return_to_engine(ucontext_t* context, simt::WarpContext* ctx) {
#if WANREN_FIBER_INLINE
  auto* words = static_cast<std::uint64_t*>(ctx->engine_stack);
  context->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(words[0]);
  context->uc_mcontext.gregs[REG_RSP] = reinterpret_cast<greg_t>(words + 1);
  context->uc_mcontext.gregs[REG_RDI] = reinterpret_cast<greg_t>(ctx);
  context->uc_mcontext.gregs[REG_EFL] &= ~greg_t{0x400};  // Direction flag.
#else
  const auto* run = static_cast<const WarpRun*>(ctx->engine_private);
  const auto top = (reinterpret_cast<std::uintptr_t>(run->stack.top) & ~std::uintptr_t{63}) - 64;
#if defined(__x86_64__)
  context->uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(&leave_dead_warp);
  context->uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(top - 8);
#else
  context->uc_mcontext.pc = reinterpret_cast<std::uintptr_t>(&leave_dead_warp);
  context->uc_mcontext.sp = top;
#endif
#endif
}

void chain(int signal, siginfo_t* info, void* context) {
  const struct sigaction& before = previous[signal];
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction != nullptr) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
    // Returning repeats the faulting instruction under the default action: the process ends as it
    // would have without us. A signal that was sent must be sent again.
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
    if (info->si_code <= 0) raise(signal);
  } else {
    before.sa_handler(signal);
  }
}

simt::Fault classify(int signal, const siginfo_t* info, const simt::WarpContext* ctx, std::uintptr_t pc) {
  const auto* run = static_cast<const WarpRun*>(ctx->engine_private);
  const auto address = reinterpret_cast<std::uint64_t>(info->si_addr);
  simt::BlockId block;
  std::uint32_t inst;
  if (info->si_code <= 0) return simt::Fault::none;  // Sent by kill(2).
  if (signal == SIGSEGV || signal == SIGBUS) {
    if ((address & ~ctx->arena_mask) == ctx->arena_base) return simt::Fault::illegal_address;
    if (address >= reinterpret_cast<std::uint64_t>(run->stack.guard) &&
        address < reinterpret_cast<std::uint64_t>(run->stack.low))
      return simt::Fault::stack_overflow;
    return run->code->locate(pc, block, inst) ? simt::Fault::illegal_address : simt::Fault::none;
  }
  return run->code->locate(pc, block, inst) ? simt::Fault::illegal_instruction : simt::Fault::none;
}

void on_fault(int signal, siginfo_t* info, void* opaque) {
  auto* context = static_cast<ucontext_t*>(opaque);
  simt::WarpContext* ctx = this_thread.warp;
  const std::uintptr_t pc = pc_of(context);
  const simt::Fault fault = ctx == nullptr ? simt::Fault::none : classify(signal, info, ctx, pc);
  if (fault == simt::Fault::none) {
    // The host may write beside memory that is being registered.
    if (signal == SIGSEGV && info->si_code == SEGV_ACCERR &&
        write_may_be_repeated(reinterpret_cast<std::uint64_t>(info->si_addr), pc))
      return;
    chain(signal, info, opaque);
    return;
  }
  this_thread.fault = FaultState{};
  this_thread.fault.fault = fault;
  this_thread.fault.address = reinterpret_cast<std::uint64_t>(info->si_addr);
  this_thread.fault.pc = pc;
  this_thread.fault.stack_pointer = sp_of(context);
  ctx->yield = simt::Yield::fault;
  return_to_engine(context, ctx);
}

void on_watchdog(int signal, siginfo_t* info, void* opaque) {
  auto* context = static_cast<ucontext_t*>(opaque);
  simt::WarpContext* ctx = this_thread.warp;
  if (this_thread.expired == 0) {
    if (info->si_code != SI_TKILL && previous[signal].sa_handler != SIG_DFL) chain(signal, info, opaque);
    return;
  }
  if (ctx == nullptr || this_thread.in_service != 0) return;
  // Only where no lock of the host can be held: in compiled code, or in our own text.
  const std::uintptr_t pc = pc_of(context);
  simt::BlockId block;
  std::uint32_t inst;
  const auto* run = static_cast<const WarpRun*>(ctx->engine_private);
  const bool compiled = run->code->locate(pc, block, inst);
  if (!compiled && (pc < own_text_begin || pc >= own_text_end)) return;
  // The switch itself runs on neither stack for a few instructions: wait for the next signal.
  const auto sp = sp_of(context);
  if (sp < reinterpret_cast<std::uintptr_t>(run->stack.low) ||
      sp > reinterpret_cast<std::uintptr_t>(run->stack.top))
    return;
  this_thread.fault = FaultState{};
  this_thread.fault.fault = simt::Fault::timeout;
  this_thread.fault.pc = pc;
  this_thread.fault.stack_pointer = sp;
  ctx->yield = simt::Yield::fault;
  return_to_engine(context, ctx);
}

void install(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction now{};
  if (sigaction(signal, nullptr, &now) != 0) return;
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == handler) return;
  previous[signal] = now;
  struct sigaction mine{};
  mine.sa_sigaction = handler;
  mine.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&mine.sa_mask);
  WR_CHECK(sigaction(signal, &mine, nullptr) == 0);
}

}  // namespace

[[gnu::noinline]] ThreadState& thread_state() {
  if (!thread_ready) {
    signal_stack.install();
    thread_ready = true;
#if WANREN_ASAN
    pthread_attr_t attributes;
    void* low = nullptr;
    std::size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
      pthread_attr_getstack(&attributes, &low, &bytes);
      pthread_attr_destroy(&attributes);
    }
    this_thread.host_stack = low;
    this_thread.host_stack_bytes = bytes;
#endif
  }
  return this_thread;
}

int watchdog_signal() {
  return SIGRTMIN + 6;
}

void install_fault_handlers() {
  std::lock_guard lock(install_lock);
  if (own_text_end == 0) dl_iterate_phdr(&find_own_text, nullptr);
  for (const int signal : fault_signals) install(signal, &on_fault);
  install(watchdog_signal(), &on_watchdog);
}

#if WANREN_ASAN
// Both halves of the annotation run on the engine's side: compiled code switches without any.
__attribute__((no_sanitize("address"))) simt::Yield run_slice(ThreadState& state, simt::WarpContext* ctx) {
  const auto* run = static_cast<const WarpRun*>(ctx->engine_private);
  void* engine_fake = nullptr;
  state.warp = ctx;
  __sanitizer_start_switch_fiber(&engine_fake, run->stack.low,
                                 static_cast<std::size_t>(run->stack.top - run->stack.low));
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
  switch_to_warp(ctx);
  __sanitizer_start_switch_fiber(nullptr, state.host_stack, state.host_stack_bytes);
  __sanitizer_finish_switch_fiber(engine_fake, nullptr, nullptr);
  return ctx->yield;
}
#endif

#if WANREN_TSAN
// As above: the sanitizer is told on the engine's side only.
__attribute__((no_sanitize("thread"))) simt::Yield run_slice(ThreadState& state, simt::WarpContext* ctx) {
  auto* run = static_cast<WarpRun*>(ctx->engine_private);
  void* const engine = __tsan_get_current_fiber();
  if (run->sanitizer_fiber == nullptr) run->sanitizer_fiber = __tsan_create_fiber(0);
  state.warp = ctx;
  __tsan_switch_to_fiber(run->sanitizer_fiber, 0);
  switch_to_warp(ctx);
  __tsan_switch_to_fiber(engine, 0);
  if (ctx->yield == simt::Yield::exited || ctx->yield == simt::Yield::fault) {
    __tsan_destroy_fiber(run->sanitizer_fiber);
    run->sanitizer_fiber = nullptr;
  }
  return ctx->yield;
}
#endif

void raise_fault(simt::WarpContext* ctx, const FaultState& fault) {
  ThreadState& state = thread_state();
  state.fault = fault;
  state.in_service = 0;
  ctx->yield = simt::Yield::fault;
  switch_to_engine(ctx);
  WR_CHECK(!"a dead warp was resumed");
  __builtin_unreachable();
}

FloatingPointScope::FloatingPointScope() {
#if defined(__x86_64__)
  saved_ = _mm_getcsr();
  _mm_setcsr(0x1f80);
#else
  saved_ = 0;
#endif
}

FloatingPointScope::~FloatingPointScope() {
#if defined(__x86_64__)
  _mm_setcsr(saved_);
#endif
}

}  // namespace wanren::engine
