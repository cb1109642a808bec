#include "engine/services.h"

#include <gtest/gtest.h>

#include "harness.h"

namespace wanren::engine::test {
namespace {

struct Packed {
  std::vector<std::uint8_t> bytes;
  template <class T>
  Packed& operator<<(T value) {
    bytes.resize((bytes.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T));
    const auto* raw = reinterpret_cast<const std::uint8_t*>(&value);
    bytes.insert(bytes.end(), raw, raw + sizeof(T));
    return *this;
  }
};

std::string formatted(const char* format, const Packed& packed, int expected_arguments) {
  int parsed = -7;
  std::string text = format_printf(
      format, packed.bytes.data(), [](std::uint64_t p) { return reinterpret_cast<const char*>(p); }, parsed);
  EXPECT_EQ(parsed, expected_arguments) << format;
  return text;
}

TEST(Printf, FormatsAsTheHostDoes) {
  EXPECT_EQ(formatted("plain 100%%\n", {}, 0), "plain 100%\n");
  EXPECT_EQ(formatted("%d|%5d|%-5d|%05d|%+d", Packed() << 1 << 2 << 3 << -4 << 5, 5),
            "1|    2|3    |-0004|+5");
  EXPECT_EQ(formatted("%u %x %#X %o", Packed() << 4000000000u << 255u << 255u << 8u, 4),
            "4000000000 ff 0XFF 10");
  EXPECT_EQ(formatted("%d %lld %d", Packed() << 1 << std::int64_t{-5000000000} << 2, 3), "1 -5000000000 2");
  EXPECT_EQ(formatted("%hd %hhu %lu", Packed() << 65537 << 258 << std::uint64_t{1}, 3), "1 2 1");
  EXPECT_EQ(formatted("%c%c", Packed() << int{'o'} << int{'k'}, 2), "ok");
  EXPECT_EQ(formatted("%.3f %e %g %8.2f", Packed() << 3.14159 << 1e10 << 0.5 << -1.0, 4),
            "3.142 1.000000e+10 0.5    -1.00");
  EXPECT_EQ(formatted("%d %f", Packed() << 7 << 2.5, 2), "7 2.500000");  // The double is 8-byte aligned.
  EXPECT_EQ(formatted("[%s] [%5s] [%-5s] [%.2s]", Packed() << "abc" << "abc" << "abc" << "abc", 4),
            "[abc] [  abc] [abc  ] [ab]");
  EXPECT_EQ(formatted("%s", Packed() << std::uint64_t{0}, 1), "(null)");
  EXPECT_EQ(formatted("%p", Packed() << std::uint64_t{0x1234}, 1), "0x1234");
  EXPECT_EQ(formatted("%*d|%.*f", Packed() << 6 << 42 << 1 << 2.25, 4), "    42|2.2");
  EXPECT_EQ(formatted("%q %", {}, 0), "%q %");
}

struct PrintData {
  char format[32];
  struct {
    std::uint32_t cta, thread;
  } arguments[64];
};

void print_each_thread(simt::WarpContext* ctx) {
  auto* data = parameter<PrintData>(ctx);
  const std::uint64_t cta = linear_cta(ctx);
  std::uint64_t arguments[2][warp_size] = {}, results[warp_size] = {};
  for (int lane = 0; lane < 2; ++lane) {
    auto& packed = data->arguments[cta * 2 + static_cast<std::uint64_t>(lane)];
    packed = {static_cast<std::uint32_t>(cta), ctx->tid[lane]};
    arguments[0][lane] = reinterpret_cast<std::uint64_t>(data->format);
    arguments[1][lane] = reinterpret_cast<std::uint64_t>(&packed);
  }
  ctx->services->syscall(ctx, static_cast<std::uint32_t>(simt::Syscall::vprintf), 3, arguments, results);
  if (results[0] != 2 || results[1] != 2) ctx->services->fault(ctx, 3, 0, 0, 1);
}

TEST(Printf, LinesComeInTheOrderOfCtasAndOnce) {
  const auto arena = make_arena();
  auto* data = static_cast<PrintData*>(*arena->allocate_host(sizeof(PrintData)));
  std::strcpy(data->format, "%u:%u ");
  std::string expected;
  for (int cta = 0; cta < 32; ++cta) expected += std::to_string(cta) + ":0 " + std::to_string(cta) + ":1 ";
  Program program(print_each_thread, {32, 1, 1}, {2, 1, 1});
  for (const int threads : {1, 2}) {
    const Execution done = execute(program.with(data), *arena, threads);
    ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
    EXPECT_EQ(arena->runtime().take_printf(), expected);
    EXPECT_EQ(arena->runtime().take_printf(), "");
  }
}

TEST(Printf, TheOldestLinesAreLostWhenTheRingIsFull) {
  const auto arena = make_arena();
  DeviceRuntime& runtime = arena->runtime();
  EXPECT_EQ(runtime.printf_bytes(), 1u << 20);
  runtime.set_printf_bytes(10);
  runtime.add_printf(0, 0, "first\n");
  runtime.add_printf(0, 1, "2nd\n");
  runtime.add_printf(0, 2, "3rd\n");
  EXPECT_EQ(runtime.take_printf(), "2nd\n3rd\n");
}

void print_wild_format(simt::WarpContext* ctx) {
  std::uint64_t arguments[2][warp_size] = {}, results[warp_size];
  arguments[0][0] = 0x40;  // In the guard.
  ctx->services->syscall(ctx, static_cast<std::uint32_t>(simt::Syscall::vprintf), 1, arguments, results);
}

TEST(Printf, AWildFormatPointerIsAnIllegalAddress) {
  const auto arena = make_arena();
  Program program(print_wild_format);
  EXPECT_EQ(execute(program.with(nullptr), *arena, 1).fault.fault, simt::Fault::illegal_address);
  EXPECT_EQ(arena->runtime().take_printf(), "");
}

void heap_round_trip(simt::WarpContext* ctx) {
  std::uint64_t sizes[1][warp_size], blocks[1][warp_size], nothing[warp_size];
  for (int lane = 0; lane < warp_size; ++lane) sizes[0][lane] = static_cast<std::uint64_t>(lane) * 100;
  ctx->services->syscall(ctx, static_cast<std::uint32_t>(simt::Syscall::malloc), full_mask, sizes, blocks[0]);
  for (int lane = 0; lane < warp_size; ++lane)
    std::memset(masked<char>(ctx, blocks[0][lane]), lane, sizes[0][lane]);
  std::uint32_t wrong = 0;
  for (int lane = 0; lane < warp_size; ++lane)
    for (std::uint64_t i = 0; i < sizes[0][lane]; ++i)
      if (masked<char>(ctx, blocks[0][lane])[i] != lane) ++wrong;
  ctx->services->syscall(ctx, static_cast<std::uint32_t>(simt::Syscall::free), full_mask, blocks, nothing);
  *parameter<std::uint32_t>(ctx) += wrong;
}

TEST(Heap, BlocksOfAllLanesAreApartAndComeBack) {
  const auto arena = make_arena();
  ASSERT_TRUE(arena->runtime().set_heap_bytes(1 << 20));
  auto* wrong = static_cast<std::uint32_t*>(*arena->allocate(4));
  // 49,600 bytes a warp: without free the fortieth warp would find the heap of 1 MiB full.
  Program program(heap_round_trip, {40, 1, 1});
  const Execution done = execute(program.with(wrong), *arena, 1);
  ASSERT_EQ(done.fault.fault, simt::Fault::none) << done.fault.message;
  EXPECT_EQ(*wrong, 0u);
  EXPECT_FALSE(arena->runtime().set_heap_bytes(4 << 20));  // In use.
}

TEST(Heap, AFullHeapGivesNull) {
  const auto arena = make_arena();
  EXPECT_EQ(arena->runtime().heap_bytes(), 8u << 20);
  EXPECT_EQ(arena->runtime().heap_allocate(9 << 20), nullptr);
  void* most = arena->runtime().heap_allocate(8 << 20);
  EXPECT_NE(most, nullptr);
  EXPECT_EQ(arena->runtime().heap_allocate(1), nullptr);
  EXPECT_TRUE(arena->runtime().heap_release(most));
  EXPECT_FALSE(arena->runtime().heap_release(most));
}

void free_twice(simt::WarpContext* ctx) {
  std::uint64_t size[1][warp_size] = {}, block[1][warp_size], nothing[warp_size];
  ctx->services->syscall(ctx, static_cast<std::uint32_t>(simt::Syscall::malloc), 2, size, block[0]);
  for (int i = 0; i < 2; ++i)
    ctx->services->syscall(ctx, static_cast<std::uint32_t>(simt::Syscall::free), 2, block, nothing);
}

TEST(Heap, FreeingTwiceOnTheDeviceIsAFault) {
  const auto arena = make_arena();
  Program program(free_twice);
  EXPECT_EQ(execute(program.with(nullptr), *arena, 1).fault.fault, simt::Fault::illegal_address);
}

struct AssertTexts {
  char message[16], file[16], function[16];
};
void assert_in_lane_three(simt::WarpContext* ctx) {
  auto* texts = parameter<AssertTexts>(ctx);
  std::uint64_t arguments[5][warp_size] = {}, results[warp_size];
  arguments[0][3] = reinterpret_cast<std::uint64_t>(texts->message);
  arguments[1][3] = reinterpret_cast<std::uint64_t>(texts->file);
  arguments[2][3] = 12;
  arguments[3][3] = reinterpret_cast<std::uint64_t>(texts->function);
  ctx->services->syscall(ctx, static_cast<std::uint32_t>(simt::Syscall::assertfail), 8, arguments, results);
}

TEST(Assert, AFailedAssertionPrintsCudasLineAndEndsTheGrid) {
  const auto arena = make_arena();
  auto* texts = static_cast<AssertTexts*>(*arena->allocate_host(sizeof(AssertTexts)));
  std::strcpy(texts->message, "i < n");
  std::strcpy(texts->file, "a.cu");
  std::strcpy(texts->function, "void k()");
  Program program(assert_in_lane_three);
  testing::internal::CaptureStderr();
  const FaultReport fault = execute(program.with(texts), *arena, 1).fault;
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "a.cu:12: void k(): block: [0,0,0], thread: [3,0,0] Assertion `i < n` failed.\n");
  EXPECT_EQ(fault.fault, simt::Fault::assertion);
}

}  // namespace
}  // namespace wanren::engine::test
