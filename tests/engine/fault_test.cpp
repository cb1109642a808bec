#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>

#include <csetjmp>
#include <thread>

#include "engine/faults.h"
#include "harness.h"

namespace wanren::engine::test {
namespace {

volatile std::uint32_t sink;

void read_parameter(simt::WarpContext* ctx) {
  sink = *masked<volatile std::uint32_t>(ctx, reinterpret_cast<std::uint64_t>(parameter<void>(ctx)));
}

FaultReport fault_of_reading(Arena& arena, const void* pointer) {
  Program program(read_parameter, {2, 1, 1});
  return execute(program.with(pointer), arena, 1).fault;
}

TEST(Fault, NullAndSmallOffsetsFromNullAreIllegalAddresses) {
  const auto arena = make_arena();
  const FaultReport null = fault_of_reading(*arena, nullptr);
  EXPECT_EQ(null.fault, simt::Fault::illegal_address);
  EXPECT_EQ(null.address, 0u);
  const FaultReport small = fault_of_reading(*arena, reinterpret_cast<void*>(0x1230));
  EXPECT_EQ(small.fault, simt::Fault::illegal_address);
  EXPECT_EQ(small.address, 0x1230u);
  EXPECT_EQ(small.kernel, "test_kernel");
  EXPECT_EQ(small.cta, (Dim3{0, 0, 0}));
  EXPECT_NE(small.message.find("illegal address 0x1230"), std::string::npos) << small.message;
}

TEST(Fault, HostPointersDoNotReachTheHost) {
  const auto arena = make_arena();
  static int on_host = 42;
  EXPECT_EQ(fault_of_reading(*arena, &on_host).fault, simt::Fault::illegal_address);
}

TEST(Fault, TheDeviceWorksAgainAfterAFault) {
  const auto arena = make_arena();
  void* good = *arena->allocate(4096);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(fault_of_reading(*arena, nullptr).fault, simt::Fault::illegal_address);
    ASSERT_EQ(fault_of_reading(*arena, good).fault, simt::Fault::none);
  }
}

TEST(Fault, FreedMemoryIsAnIllegalAddress) {
  const auto arena = make_arena();
  void* memory = *arena->allocate(64 << 20);
  EXPECT_EQ(fault_of_reading(*arena, memory).fault, simt::Fault::none);
  ASSERT_TRUE(arena->release(memory));
  const FaultReport fault = fault_of_reading(*arena, memory);
  EXPECT_EQ(fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(fault.address, reinterpret_cast<std::uint64_t>(memory));
}

void shared_out_of_window(simt::WarpContext* ctx) {
  // A sign-extended 32-bit offset: the farthest below.
  sink = *reinterpret_cast<volatile std::uint32_t*>(ctx->shared_base + INT32_MIN);
}

TEST(Fault, TheFarthestSharedOffsetStaysInTheReserve) {
  const auto arena = make_arena();
  Program program(shared_out_of_window);
  program.kernel->static_shared_bytes = 4096;
  const Execution done = execute(program.with(nullptr), *arena, 1);
  EXPECT_EQ(done.fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(done.fault.ptx_line, 0u);  // Host code of a test has no lines.
}

[[gnu::noinline]] int recurse(volatile int* depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(*depth);
  *depth = *depth + 1;
  if (*depth < 0) return 0;
  return recurse(depth) + frame[0];
}
void overflow_stack(simt::WarpContext*) {
  volatile int depth = 0;
  recurse(&depth);
}

TEST(Fault, EndlessRecursionIsAStackOverflow) {
  const auto arena = make_arena();
  Program program(overflow_stack);
  EXPECT_EQ(execute(program.with(nullptr), *arena, 1).fault.fault, simt::Fault::stack_overflow);
}

void trap_in_lane_five(simt::WarpContext* ctx) {
  ctx->services->fault(ctx, static_cast<std::uint32_t>(simt::Fault::trap), 0, 0, 1u << 5);
}

TEST(Fault, ATrapNamesLineCtaAndThread) {
  const auto arena = make_arena();
  Program program(trap_in_lane_five, {}, {4, 4, 2});
  const FaultReport fault = execute(program.with(nullptr), *arena, 1).fault;
  EXPECT_EQ(fault.fault, simt::Fault::trap);
  EXPECT_EQ(fault.ptx_line, 7u);
  EXPECT_TRUE(fault.thread_known);
  EXPECT_EQ(fault.thread, (Dim3{1, 1, 0}));  // Lane 5 of a block of 4 x 4 x 2.
}

__attribute__((noinline, no_sanitize("undefined"))) void divide_by_zero(simt::WarpContext* ctx) {
  volatile int zero = 0;
  sink = static_cast<std::uint32_t>(100 / zero);
}

sigjmp_buf foreign_jump;
volatile int foreign_calls;
void foreign_handler(int) {
  foreign_calls = foreign_calls + 1;
  siglongjmp(foreign_jump, 1);
}

void provoke_on_host(int signal) {
  if (signal == SIGFPE) {
    divide_by_zero(nullptr);
  } else {
    void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile char*>(page) = 1;
  }
}

TEST(Fault, AForeignHandlerGetsSignalsOfTheHostAndOnlyThose) {
  const auto arena = make_arena();
  for (const int signal : {SIGSEGV, SIGFPE}) {
    // Installed after ours on the second round, before on the first.
    struct sigaction foreign{}, before{};
    foreign.sa_handler = foreign_handler;
    foreign.sa_flags = SA_NODEFER;
    sigaction(signal, &foreign, &before);
    foreign_calls = 0;
    EXPECT_EQ(fault_of_reading(*arena, nullptr).fault, simt::Fault::illegal_address);
    EXPECT_EQ(foreign_calls, 0);
    if (sigsetjmp(foreign_jump, 1) == 0) provoke_on_host(signal);
    EXPECT_EQ(foreign_calls, 1);
    EXPECT_EQ(fault_of_reading(*arena, nullptr).fault, simt::Fault::illegal_address);
    sigaction(signal, &before, nullptr);
  }
}

void spin_without_yield(simt::WarpContext* ctx) {
  volatile bool forever = true;
  while (forever) {
  }
}

struct TimeLimit {
  explicit TimeLimit(double seconds) { set_kernel_time_limit_s(seconds); }
  ~TimeLimit() { set_kernel_time_limit_s(0); }
};

TEST(Fault, AnEndlessKernelEndsAtTheTimeLimit) {
  const auto arena = make_arena();
  const TimeLimit limit(0.05);
  Program program(spin_without_yield, {4, 1, 1});
  for (const int threads : {1, 2}) {
    const FaultReport fault = execute(program.with(nullptr), *arena, threads).fault;
    EXPECT_EQ(fault.fault, simt::Fault::timeout) << fault.message;
  }
}

void spin_yielding(simt::WarpContext* ctx) {
  for (;;) yield(ctx, simt::Yield::spin);
}

TEST(Fault, AKernelThatOnlyWaitsEndsAtTheTimeLimit) {
  const auto arena = make_arena();
  const TimeLimit limit(0.05);
  Program program(spin_yielding, {4, 1, 1});
  program.kernel->blocks[0].term.spins = true;
  program.kernel->waits_for_ctas = true;
  EXPECT_EQ(execute(program.with(nullptr), *arena, 1).fault.fault, simt::Fault::timeout);
}

TEST(Fault, ThreadsOfTheHostRunAndFaultSideBySide) {
  const auto arena = make_arena();
  void* good = *arena->allocate(4096);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto expected = (i + t) % 2 == 0 ? simt::Fault::illegal_address : simt::Fault::none;
        if (fault_of_reading(*arena, (i + t) % 2 == 0 ? nullptr : good).fault != expected) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace wanren::engine::test
