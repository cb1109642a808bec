#include "engine/arena.h"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>

#include "engine/grid.h"
#include "harness.h"

namespace wanren::engine::test {
namespace {

/// -1 where this process may not read.
ssize_t process_vm_reads(void* at) {
  char byte;
  iovec to{&byte, 1}, from{at, 1};
  return process_vm_readv(getpid(), &to, 1, &from, 1, 0);
}

TEST(Arena, ItsBaseIsAMultipleOfItsPowerOfTwoSize) {
  const auto arena = make_arena();
  const std::uint64_t size = arena->mask() + 1;
  EXPECT_EQ(size & arena->mask(), 0u);
  EXPECT_EQ(arena->base() % size, 0u);
  EXPECT_GE(arena->guard_bytes(), std::uint64_t{2} << 20);
}

TEST(Arena, NothingIsAccessibleJustOutsideIt) {
  // Two at once: neither may lie in the other's fence. A mapping there must already exist, or another
  // library could get it.
  const auto one = make_arena(), two = make_arena();
  for (const auto* arena : {one.get(), two.get()}) {
    const std::uint64_t end = arena->base() + arena->mask() + 1;
    for (const std::uint64_t at :
         {arena->base() - Arena::fence_bytes, end, end + Arena::fence_bytes - 4096}) {
      void* page = reinterpret_cast<void*>(at);
      unsigned char resident;
      EXPECT_EQ(mincore(page, 4096, &resident), 0) << "not mapped";
      EXPECT_EQ(process_vm_reads(page), -1) << "readable";
    }
  }
}

TEST(Arena, AllocationsAreAlignedDistinctAndZero) {
  const auto arena = make_arena();
  char* last = nullptr;
  for (const std::uint64_t bytes : {1, 255, 256, 511, 513, 4096, 1 << 20, 3 << 20}) {
    auto* memory = static_cast<char*>(*arena->allocate(bytes));
    EXPECT_EQ(reinterpret_cast<std::uint64_t>(memory) % 256, 0u);
    for (std::uint64_t i = 0; i < bytes; i += 97) ASSERT_EQ(memory[i], 0);
    memory[0] = memory[bytes - 1] = 1;
    EXPECT_NE(memory, last);
    last = memory;
  }
}

TEST(Arena, TheSameRequestsGiveTheSameDeviceAddresses) {
  const auto one = make_arena(), two = make_arena();
  EXPECT_NE(one->base(), two->base());
  std::vector<void*> a, b;
  for (int i = 1; i <= 300; ++i) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(i * i * 37);
    a.push_back(*one->allocate(bytes));
    b.push_back(*two->allocate(bytes));
    ASSERT_EQ(one->to_device(a.back()), two->to_device(b.back()));
    EXPECT_EQ(one->to_host(one->to_device(a.back())), a.back());
    if (i % 3 == 0) {
      ASSERT_TRUE(one->release(a[static_cast<std::size_t>(i / 2)]));
      ASSERT_TRUE(two->release(b[static_cast<std::size_t>(i / 2)]));
      a[static_cast<std::size_t>(i / 2)] = a.back();
      b[static_cast<std::size_t>(i / 2)] = b.back();
      a.pop_back();
      b.pop_back();
    }
  }
}

TEST(Arena, TheChipsCapacityAndTheHostsLimitAreDifferentErrors) {
  const auto chip = make_arena(std::uint64_t{64} << 20, std::uint64_t{8} << 30);
  EXPECT_TRUE(chip->allocate(60 << 20));
  const auto full = chip->allocate(8 << 20);
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().cause.find("device memory"), std::string::npos);

  const auto host = make_arena(std::uint64_t{8} << 30, std::uint64_t{64} << 20);
  EXPECT_TRUE(host->allocate(60 << 20));
  const auto limited = host->allocate(8 << 20);
  ASSERT_FALSE(limited);
  EXPECT_NE(limited.error().cause.find("host memory"), std::string::npos);
  EXPECT_NE(limited.error().remedy.find("WANREN_MEMORY_LIMIT"), std::string::npos);
}

TEST(Arena, MemoryComesBackWhenItIsFreed) {
  const auto arena = make_arena(std::uint64_t{64} << 20);
  for (int i = 0; i < 100; ++i) {
    const auto large = arena->allocate(50 << 20);
    const auto small = arena->allocate(100);
    ASSERT_TRUE(large && small);
    EXPECT_EQ(arena->used_bytes(), std::uint64_t{52} << 20);
    static_cast<char*>(*large)[12345] = 1;
    ASSERT_TRUE(arena->release(*large));
    ASSERT_TRUE(arena->release(*small));
    ASSERT_EQ(arena->used_bytes(), 0u);
  }
  EXPECT_EQ(static_cast<char*>(*arena->allocate(50 << 20))[12345], 0);
}

TEST(Arena, FreeingTwiceOrFreeingAMiddleIsRefused) {
  const auto arena = make_arena();
  for (const std::uint64_t bytes : {std::uint64_t{1000}, std::uint64_t{5} << 20}) {
    void* memory = *arena->allocate(bytes);
    EXPECT_FALSE(arena->release(static_cast<char*>(memory) + 256));
    EXPECT_TRUE(arena->release(memory));
    EXPECT_FALSE(arena->release(memory));
  }
  EXPECT_FALSE(arena->release(nullptr));
  int on_host = 0;
  EXPECT_FALSE(arena->release(&on_host));
}

TEST(Arena, FindGivesBaseAndSizeOfTheAllocationAroundAPointer) {
  const auto arena = make_arena();
  auto* memory = static_cast<char*>(*arena->allocate(1000));
  const auto found = arena->find(memory + 999);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->base, memory);
  EXPECT_EQ(found->bytes, 1000u);
  EXPECT_EQ(found->kind, Arena::Kind::device);
  EXPECT_FALSE(arena->find(memory + 1000));
  EXPECT_FALSE(arena->find(memory - 1));
}

void add_one(simt::WarpContext* ctx) {
  *parameter<std::uint32_t>(ctx) += 1;
}

TEST(Arena, PinnedMemoryHasOnePointerForHostAndDevice) {
  const auto arena = make_arena();
  auto* word = static_cast<std::uint32_t*>(*arena->allocate_host(10000));
  *word = 41;
  Program program(add_one);
  ASSERT_EQ(execute(program.with(word), *arena, 1).fault.fault, simt::Fault::none);
  EXPECT_EQ(*word, 42u);
  EXPECT_TRUE(arena->release_host(word));
  EXPECT_FALSE(arena->release_host(word));
}

TEST(Arena, RegisteredMemoryKeepsItsContentsAndIsSeenFromBothSides) {
  const auto arena = make_arena();
  std::vector<std::uint32_t> numbers(20000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint32_t>(i);
  const auto device = arena->map_host(&numbers[3], 50000);
  ASSERT_TRUE(device) << device.error().message();
  EXPECT_TRUE(arena->contains(*device));
  EXPECT_EQ(arena->offset(*device) % 4096, reinterpret_cast<std::uint64_t>(&numbers[3]) % 4096);
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], i);
  Program program(add_one);
  ASSERT_EQ(execute(program.with(static_cast<std::uint32_t*>(*device) + 100), *arena, 1).fault.fault,
            simt::Fault::none);
  EXPECT_EQ(numbers[103], 104u);
  numbers[104] = 7;
  EXPECT_EQ(static_cast<std::uint32_t*>(*device)[101], 7u);
  EXPECT_FALSE(arena->map_host(&numbers[10], 100));  // Registered already.
  EXPECT_EQ(arena->find(&numbers[4])->base, *device);
  EXPECT_TRUE(arena->unmap_host(&numbers[3]));
  EXPECT_EQ(numbers[103], 104u);
  EXPECT_EQ(execute(program.with(*device), *arena, 1).fault.fault, simt::Fault::illegal_address);
  EXPECT_FALSE(arena->unmap_host(&numbers[3]));
}

TEST(Arena, WhatIsNotPlainMemoryIsNotRegistered) {
  const auto arena = make_arena();
  int on_stack = 0;
  EXPECT_FALSE(arena->map_host(&on_stack, 4));
  EXPECT_FALSE(arena->map_host(reinterpret_cast<void*>(0x10000), 4096));
  EXPECT_FALSE(arena->map_host(nullptr, 4096));
}

TEST(Arena, SizesAreReadWithUnits) {
  EXPECT_EQ(parse_bytes("4096"), 4096u);
  EXPECT_EQ(parse_bytes("8G"), std::uint64_t{8} << 30);
  EXPECT_EQ(parse_bytes("1.5MiB"), 3u << 19);
  EXPECT_EQ(parse_bytes("2 kb"), 2048u);
  for (const char* bad : {"", "G", "-1", "4X", "1e40", "3GG"}) EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(Arena, TheMemoryLimitComesFromTheEnvironmentAndNonsenseIsRefused) {
  setenv("WANREN_MEMORY_LIMIT", "32M", 1);
  const auto arena = Arena::create({});
  ASSERT_TRUE(arena);
  EXPECT_EQ((*arena)->host_limit_bytes(), 32u << 20);
  EXPECT_FALSE((*arena)->allocate(33 << 20));
  setenv("WANREN_MEMORY_LIMIT", "lots", 1);
  const auto refused = Arena::create({});
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.error().place, "WANREN_MEMORY_LIMIT");
  unsetenv("WANREN_MEMORY_LIMIT");
}

}  // namespace
}  // namespace wanren::engine::test
