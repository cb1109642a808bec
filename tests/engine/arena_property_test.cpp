// Random requests against a model of what the arena promises: allocations apart, contents kept, memory
// counted in granules and given back.
#include <gtest/gtest.h>

#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include <rapidcheck.h>

#include "harness.h"

namespace wanren::engine::test {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
constexpr std::uint64_t pooled_below = mib;

struct Live {
  std::uint8_t* at;
  std::uint64_t bytes;
  std::uint8_t mark;
  bool host;

  bool pooled() const { return !host && bytes < pooled_below; }
  std::uint8_t* last() const { return at + bytes - 1; }
};

bool accessible(const void* at) {
  char byte;
  iovec to{&byte, 1}, from{const_cast<void*>(at), 1};
  return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

struct Model {
  explicit Model(std::uint64_t device, std::uint64_t host)
      : capacity(device), host_limit(host), arena(make_arena(device, host)) {}

  std::uint64_t capacity, host_limit;
  std::unique_ptr<Arena> arena;
  std::vector<Live> live;
  std::uint8_t next_mark = 1;

  /// Granules that hold device memory.
  std::set<std::uint64_t> granules() const {
    std::set<std::uint64_t> all;
    for (const Live& one : live) {
      if (one.host) continue;
      const std::uint64_t last = arena->offset(one.last()) / Arena::granule_bytes;
      for (std::uint64_t g = arena->offset(one.at) / Arena::granule_bytes; g <= last; ++g) all.insert(g);
    }
    return all;
  }
  std::uint64_t device_bytes() const { return granules().size() * Arena::granule_bytes; }
  std::uint64_t host_bytes() const {
    std::uint64_t all = device_bytes();
    for (const Live& one : live)
      if (one.host) all += (one.bytes + 4095) / 4096 * 4096;
    return all;
  }

  void allocate(std::uint64_t bytes, bool host) {
    const std::uint64_t unit = host ? 4096 : Arena::granule_bytes;
    const std::uint64_t most = (bytes + unit - 1) / unit * unit;
    const bool fits = (host || device_bytes() + most <= capacity) && host_bytes() + most <= host_limit;
    const Result<void*> got = host ? arena->allocate_host(bytes) : arena->allocate(bytes);
    if (!got) {
      RC_ASSERT(!fits);  // A pooled one may fit all the same, between others.
      return;
    }
    RC_ASSERT(fits || (!host && bytes < pooled_below));
    Live one{static_cast<std::uint8_t*>(*got), bytes, next_mark++, host};
    RC_ASSERT(arena->offset(one.at) % (host ? 4096 : Arena::minimum_bytes) == 0u);
    *one.at = *one.last() = one.mark;
    live.push_back(one);
  }
  void release(std::size_t index) {
    const Live one = live[index];
    RC_ASSERT(*one.at == one.mark && *one.last() == one.mark);
    const auto before = granules();
    live.erase(live.begin() + static_cast<std::ptrdiff_t>(index));
    RC_ASSERT((one.host ? arena->release_host(one.at) : arena->release(one.at)).has_value());
    RC_ASSERT(!(one.host ? arena->release_host(one.at) : arena->release(one.at)).has_value());
    const auto after = granules();
    for (const std::uint64_t granule : before)
      if (!after.contains(granule))
        RC_ASSERT(!accessible(arena->to_host(DeviceAddress(granule * Arena::granule_bytes))));
  }
  void check() const {
    RC_ASSERT(arena->used_bytes() == device_bytes());
    std::map<const std::uint8_t*, const Live*> sorted;
    for (const Live& one : live) sorted[one.at] = &one;
    const std::uint8_t* end = nullptr;
    for (const auto& [at, one] : sorted) {
      RC_ASSERT(at >= end);
      end = at + one->bytes;
      const auto found = arena->find(one->last());
      RC_ASSERT(found.has_value());
      RC_ASSERT((found->base == at && found->bytes == one->bytes));
      RC_ASSERT(found->kind == (one->host ? Arena::Kind::host : Arena::Kind::device));
    }
    RC_ASSERT(arena->allocations().size() == live.size());
  }
};

TEST(ArenaProperty, RequestsAndReleasesInAnyOrderKeepAllocationsApartAndCounted) {
  EXPECT_TRUE(rc::check([] {
    Model model(24 * mib, 32 * mib);
    const auto steps = *rc::gen::inRange(1, 120);
    // Sizes of one program are alike, and then many blocks lie across two granules.
    const auto usual = *rc::gen::inRange<std::uint64_t>(1, 400'000);
    for (int step = 0; step < steps; ++step) {
      const int what = *rc::gen::inRange(0, 10);
      if (what < 3)
        model.allocate(usual, false);
      else if (what == 3)
        model.allocate(*rc::gen::inRange<std::uint64_t>(1, pooled_below + 2), false);
      else if (what == 4)
        model.allocate(*rc::gen::inRange<std::uint64_t>(pooled_below, 9 * mib), false);
      else if (what == 5)
        model.allocate(*rc::gen::inRange<std::uint64_t>(1, 3 * mib), true);
      else if (!model.live.empty())
        model.release(*rc::gen::inRange<std::size_t>(0, model.live.size()));
      model.check();
    }
    while (!model.live.empty()) model.release(*rc::gen::inRange<std::size_t>(0, model.live.size()));
    RC_ASSERT(model.arena->used_bytes() == 0u);
    RC_ASSERT(model.arena->allocate(24 * mib).has_value());
  }));
}

TEST(ArenaProperty, FiftyBlocksOf100000BytesAreFreedLastToFirst) {
  Model model(64 * mib, 64 * mib);
  for (int i = 0; i < 50; ++i) model.allocate(100'000, false);
  ASSERT_EQ(model.live.size(), 50u);
  while (!model.live.empty()) {
    model.release(model.live.size() - 1);
    model.check();
  }
  EXPECT_EQ(model.arena->used_bytes(), 0u);
}

}  // namespace
}  // namespace wanren::engine::test
