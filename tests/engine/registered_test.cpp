// Host memory that is registered: malloc, new, vectors and mappings, in and out, beside others that are not.
#include <gtest/gtest.h>

#include <malloc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <rapidcheck.h>

#include "harness.h"

namespace wanren::engine::test {
namespace {

constexpr std::uint64_t page = 4096;

/// Host memory, and what the device's side of it must show.
struct Buffer {
  enum class Source { malloc, new_array, mapping } source;
  std::uint8_t* at = nullptr;
  std::uint64_t bytes = 0;
  std::uint8_t* device = nullptr;  ///< If registered.

  Buffer(Source from, std::uint64_t size) : source(from), bytes(size) {
    if (from == Source::malloc)
      at = static_cast<std::uint8_t*>(std::malloc(size));
    else if (from == Source::new_array)
      at = new std::uint8_t[size];
    else
      at = static_cast<std::uint8_t*>(
          mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }
  void free() const {
    if (source == Source::malloc)
      std::free(at);
    else if (source == Source::new_array)
      delete[] at;
    else
      munmap(at, bytes);
  }
  void fill(std::uint8_t seed) const {
    for (std::uint64_t i = 0; i < bytes; ++i) at[i] = static_cast<std::uint8_t>(seed + i * 31);
  }
  bool holds(std::uint8_t seed, const std::uint8_t* side) const {
    for (std::uint64_t i = 0; i < bytes; ++i)
      if (side[i] != static_cast<std::uint8_t>(seed + i * 31)) return false;
    return true;
  }
};

// Sizes below glibc's threshold come from the heap, where buffers share pages and are used again.
TEST(Registered, MemoryOfAnySourceIsRegisteredUnregisteredFreedAndUsedAgain) {
  EXPECT_TRUE(rc::check([] {
    const auto arena = make_arena();
    std::vector<Buffer> buffers;
    std::vector<std::uint8_t> seeds;
    std::uint8_t next = 1;
    const auto drop = [&](std::size_t i) {
      if (buffers[i].device != nullptr) RC_ASSERT(arena->unmap_host(buffers[i].at).has_value());
      buffers[i].free();
      buffers.erase(buffers.begin() + static_cast<std::ptrdiff_t>(i));
      seeds.erase(seeds.begin() + static_cast<std::ptrdiff_t>(i));
    };
    const auto steps = *rc::gen::inRange(1, 60);
    for (int step = 0; step < steps; ++step) {
      const int what = *rc::gen::inRange(0, 5);
      const auto pick = [&] { return *rc::gen::inRange<std::size_t>(0, buffers.size()); };
      if (what == 0 || buffers.empty()) {
        const auto source = *rc::gen::element(Buffer::Source::malloc, Buffer::Source::malloc,
                                              Buffer::Source::new_array, Buffer::Source::mapping);
        buffers.emplace_back(source, *rc::gen::inRange<std::uint64_t>(1, 40'000));
        seeds.push_back(next++);
        buffers.back().fill(seeds.back());
      } else if (what <= 2) {
        Buffer& buffer = buffers[pick()];
        if (buffer.device == nullptr) {
          const auto mapped = arena->map_host(buffer.at, buffer.bytes);
          if (!mapped) RC_FAIL(mapped.error().message());
          buffer.device = static_cast<std::uint8_t*>(*mapped);
        } else {
          RC_ASSERT(!arena->map_host(buffer.at, buffer.bytes).has_value());
          RC_ASSERT(!arena->map_host(buffer.at + buffer.bytes - 1, 2).has_value());
          RC_ASSERT(arena->unmap_host(buffer.at).has_value());
          buffer.device = nullptr;
        }
      } else if (what == 3) {
        const std::size_t i = pick();
        seeds[i] = next++;
        // Either side writes.
        Buffer written = buffers[i];
        if (written.device != nullptr && next % 2 == 0) written.at = written.device;
        written.fill(seeds[i]);
      } else {
        drop(pick());
      }
      for (std::size_t i = 0; i < buffers.size(); ++i) {
        RC_ASSERT(buffers[i].holds(seeds[i], buffers[i].at));
        if (buffers[i].device != nullptr) RC_ASSERT(buffers[i].holds(seeds[i], buffers[i].device));
      }
    }
    while (!buffers.empty()) drop(buffers.size() - 1);
    RC_ASSERT(arena->allocations().empty());
  }));
}

TEST(Registered, TheSameHeapAddressServesManyRegistrations) {
  const auto arena = make_arena();
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t bytes = 5000 + 3000 * static_cast<std::uint64_t>(round % 7);
    auto* memory = static_cast<std::uint8_t*>(std::malloc(bytes));
    std::memset(memory, round, bytes);
    const auto device = arena->map_host(memory, bytes);
    ASSERT_TRUE(device) << device.error().message();
    auto* seen = static_cast<std::uint8_t*>(*device);
    ASSERT_EQ(seen[0], static_cast<std::uint8_t>(round));
    ASSERT_EQ(seen[bytes - 1], static_cast<std::uint8_t>(round));
    ASSERT_TRUE(arena->unmap_host(memory));
    std::free(memory);
    malloc_trim(0);
  }
}

TEST(Registered, TwoBuffersMayShareAPageAndPartInAnyOrder) {
  const auto arena = make_arena();
  auto* memory = static_cast<std::uint8_t*>(
      mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  for (const bool first_first : {true, false}) {
    memory[page + 10] = 1, memory[page + 3000] = 2;
    auto* one = static_cast<std::uint8_t*>(*arena->map_host(memory + 100, page + 100));
    auto* two = static_cast<std::uint8_t*>(*arena->map_host(memory + page + 2000, 2 * page));
    EXPECT_EQ(one[page - 90], 1);
    EXPECT_EQ(two[1000], 2);
    ASSERT_TRUE(arena->unmap_host(first_first ? memory + 100 : memory + page + 2000));
    (first_first ? two[1001] : one[page - 89]) = 3;
    EXPECT_EQ(memory[page + (first_first ? 3001 : 11)], 3);
    ASSERT_TRUE(arena->unmap_host(first_first ? memory + page + 2000 : memory + 100));
  }
  munmap(memory, 4 * page);
}

TEST(Registered, MemoryThatWasFreedCanStillBeUnregisteredAndItsSuccessorIsLeftAlone) {
  const auto arena = make_arena();
  auto* memory = static_cast<std::uint8_t*>(
      mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memset(memory, 1, 4 * page);
  ASSERT_TRUE(arena->map_host(memory, 4 * page));
  ASSERT_EQ(munmap(memory, 4 * page), 0);
  ASSERT_EQ(mmap(memory, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
            memory);
  memory[5] = 42;
  EXPECT_TRUE(arena->unmap_host(memory));
  EXPECT_EQ(memory[5], 42);
  EXPECT_EQ(memory[6], 0);
  unsigned char resident;
  EXPECT_EQ(mincore(memory + page, page, &resident), -1) << "was mapped anew";
  munmap(memory, page);
}

TEST(Registered, RangesOfSharedAndPrivateMemoryAreOneRegistration) {
  const auto arena = make_arena();
  auto* memory = static_cast<std::uint8_t*>(
      mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_EQ(mmap(memory + page, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
            memory + page);
  for (std::uint64_t i = 0; i < 3; ++i) memory[i * page] = static_cast<std::uint8_t>(i + 1);
  const auto device = arena->map_host(memory, 3 * page);
  ASSERT_TRUE(device) << device.error().message();
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(static_cast<std::uint8_t*>(*device)[i * page], i + 1);
  static_cast<std::uint8_t*>(*device)[page + 1] = 9;
  EXPECT_EQ(memory[page + 1], 9);
  EXPECT_TRUE(arena->unmap_host(memory));
  munmap(memory, 3 * page);
}

TEST(Registered, AForkedChildGetsACopyWhileRegisteredAndAfter) {
  const auto arena = make_arena();
  std::vector<int> numbers(10000, 7);
  for (const bool registered : {true, false}) {
    if (registered)
      ASSERT_TRUE(arena->map_host(numbers.data(), 40000));
    else
      ASSERT_TRUE(arena->unmap_host(numbers.data()));
    const pid_t child = fork();
    if (child == 0) {
      const bool same = numbers[0] == 7 && numbers[9999] == 7;
      std::fill(numbers.begin(), numbers.end(), 8);
      _exit(same ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(numbers[0], 7);
    EXPECT_EQ(numbers[9999], 7);
  }
}

TEST(Registered, AThreadThatWritesBesideTheBufferLosesNothing) {
  const auto arena = make_arena();
  auto* memory = static_cast<std::uint8_t*>(
      mmap(nullptr, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  auto* counter = reinterpret_cast<volatile std::uint64_t*>(memory);
  std::atomic<bool> stop = false;
  std::uint64_t counted = 0;
  std::thread writer([&] {
    for (; !stop; ++counted) *counter = *counter + 1;
  });
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(arena->map_host(memory + 64, 63 * page));
    ASSERT_TRUE(arena->unmap_host(memory + 64));
  }
  stop = true;
  writer.join();
  EXPECT_EQ(*counter, counted);
  munmap(memory, 64 * page);
}

TEST(Registered, FindLeavesOrdinaryMemoryBehindARegistrationAlone) {
  const auto arena = make_arena();
  auto* memory = static_cast<std::uint8_t*>(
      mmap(nullptr, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_TRUE(arena->map_host(memory, page));
  ASSERT_TRUE(arena->allocate_host(4 * page));  // Where the alias's continuation would lie.
  EXPECT_TRUE(arena->find(memory + page - 1));
  for (std::uint64_t at = page; at < 8 * page; at += page) EXPECT_FALSE(arena->find(memory + at));
  EXPECT_TRUE(arena->unmap_host(memory));
  munmap(memory, 8 * page);
}

}  // namespace
}  // namespace wanren::engine::test
