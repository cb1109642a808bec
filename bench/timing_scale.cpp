// How fast the timing model itself runs, per host core, on chip-scale synthetic work; JSON on stdout.
//
//   bench_timing_scale [threads [part of a name]]

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "../tests/timing/synthetic_source.h"

namespace {

using namespace wanren;
using namespace wanren::timing;
using namespace wanren::timing::test;

/// BR100-sized: two dies, 128 units, 256 MB of L2.
chip::Spec big_chip() {
  chip::Spec c = small_chip(2);
  c.package.clusters_per_die = 16;
  c.package.units_per_die = 64;
  c.l2.bytes_per_die = 128 << 20;
  c.l2.slices_per_die = 64;
  c.hbm.channels_per_die = 32;
  c.hbm.bandwidth_per_die = 819;
  c.hbm.bytes_per_die = std::int64_t{32} << 30;
  c.d2d.cache = "home";
  c.subcore.branch_latency = 8;
  return c;
}

double cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

void report(const char* name, SyntheticSource& source, int per_unit, std::uint32_t shared, int threads) {
  Device device(big_chip(), threads, nullptr);
  const double cpu = cpu_seconds();
  const JobRef job = device.admit(source.work(per_unit, shared));
  device.advance_until(job);
  const Timed& t = job->timed;
  const double used = cpu_seconds() - cpu;
  const auto sectors =
      t.counters.l2_read_sectors + t.counters.l2_write_sectors + t.counters.l2_atomic_sectors;
  std::printf(
      "  {\"name\": \"%s\", \"threads\": %d, \"cpu_s\": %.3f, \"wall_s\": %.3f, \"cycles\": %lld, "
      "\"warp_instructions\": %llu, \"sectors\": %llu, \"warp_instructions_per_cpu_s\": %.3g, "
      "\"sectors_per_cpu_s\": %.3g, \"dram_read_bytes\": %llu}",
      name, threads, used, t.wall_s, static_cast<long long>(t.cycles.value),
      static_cast<unsigned long long>(t.counters.warp_instructions), static_cast<unsigned long long>(sectors),
      static_cast<double>(t.counters.warp_instructions) / used, static_cast<double>(sectors) / used,
      static_cast<unsigned long long>(t.counters.dram_read_bytes));
}

/// Every warp streams its own lines, coalesced.
void stream(int threads) {
  Code code;
  for (int i = 0; i < 4; ++i) code.load(i, 8 + 4 * i, 2, 16);
  code.branch();
  const int rounds = 64;
  SyntheticSource source(code, 256, 32, [&](std::uint64_t cta, std::uint32_t warp) {
    Words w;
    for (std::uint64_t i = 0; i < rounds; ++i) {
      w.block(0);
      for (std::uint64_t k = 0; k < 4; ++k) w.affine((((i * 4 + k) * 256 + cta) * 32 + warp) * 512, 16);
    }
    return std::vector<std::vector<std::uint64_t>>{w.words};
  });
  report("coalesced stream", source, 2, 0, threads);
}

/// One sector per lane, anywhere in a gigabyte.
void gather(int threads) {
  Code code;
  for (int i = 0; i < 4; ++i) code.load(i, 8 + i, 2, 4);
  code.branch();
  const int rounds = 8;
  SyntheticSource source(code, 256, 32, [&](std::uint64_t cta, std::uint32_t warp) {
    std::uint64_t x = cta * 64 + warp + 1;
    Words w;
    std::array<std::uint64_t, warp_size> lanes;
    for (int i = 0; i < rounds; ++i) {
      w.block(0);
      for (int k = 0; k < 4; ++k) {
        for (auto& lane : lanes) lane = (x = x * 6364136223846793005u + 1442695040888963407u) >> 34 & ~3ull;
        w.gather(lanes);
      }
    }
    return std::vector<std::vector<std::uint64_t>>{w.words};
  });
  report("random gather", source, 2, 0, threads);
}

/// A tiled SGEMM's mix: two global loads and two shared stores per tile, then 32 steps of shared loads and
/// FMAs.
void sgemm(int threads) {
  Code code;
  code.load(0, 40, 2, 16).load(1, 44, 4, 16);
  code.memory(lower::Memory::store, 2, -1, 6, 16).memory(lower::Memory::store, 3, -1, 6, 16).barrier(4);
  code.block();
  for (int k = 0; k < 8; ++k) {
    code.load(2 * k, 32, 6, 16).load(2 * k + 1, 36, 6, 16);
    for (int i = 0; i < 16; ++i) code.fma(48 + i, 32 + i / 4, 36 + i % 4, 48 + i);
  }
  code.barrier(16);
  code.block().branch();
  const int tiles = 32;
  const int warps = 8;
  SyntheticSource source(code, 512, warps, [&](std::uint64_t cta, std::uint32_t warp) {
    std::vector<std::vector<std::uint64_t>> chunks;
    for (std::uint64_t t = 0; t < tiles; ++t) {
      Words load, work;
      load.block(0).affine((cta / 16 * tiles + t) * 8192 + warp * 512, 16);
      load.affine((1 << 26) + (cta % 16 * tiles + t) * 8192 + warp * 512, 16);
      load.affine(warp * 512, 16, full_mask, trace::Space::shared);
      load.affine(4096 + warp * 512, 16, full_mask, trace::Space::shared).barrier(0, warps * 32);
      work.block(1);
      for (std::uint64_t k = 0; k < 8; ++k) {
        work.affine(k * 512, 0, full_mask, trace::Space::shared);
        work.affine(4096 + k * 512, 16, full_mask, trace::Space::shared);
      }
      work.barrier(0, warps * 32);
      work.block(2);
      chunks.push_back(load.words);
      chunks.push_back(work.words);
    }
    return chunks;
  });
  report("tiled sgemm", source, 4, 16 << 10, threads);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  const std::string_view wanted = argc > 2 ? argv[2] : "";
  const std::pair<std::string_view, void (*)(int)> all[] = {
      {"coalesced stream", stream}, {"random gather", gather}, {"tiled sgemm", sgemm}};
  const char* between = "";
  std::printf("{\"benchmarks\": [\n");
  for (const auto& [name, run] : all) {
    if (name.find(wanted) == name.npos) continue;
    std::printf("%s", between);
    between = ",\n";
    run(threads);
  }
  std::printf("\n]}\n");
}
