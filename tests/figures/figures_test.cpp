// Each figure of a chip file is read, and moves a prediction the way fields.def says.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "chip/policies.h"
#include "chip/sensitivity.h"
#include "cost/silicon.h"
#include "machine.h"

namespace wanren::figures {
namespace {

std::string repeat(const std::string& body, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += body;
  return text;
}

/// Small kernels that lean on different parts.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> list;
    const std::string fp64 =
        "ld.global.f64 %fd1, [%rd4];\nmov.f64 %fd2, 0d3FF8000000000000;\n" +
        repeat("fma.rn.f64 %fd2, %fd2, %fd1, %fd1;\nadd.f64 %fd2, %fd2, %fd1;\nmul.f64 %fd2, %fd2, %fd1;\n",
               6) +
        "rcp.rn.f64 %fd2, %fd2;\ndiv.rn.f64 %fd3, %fd2, %fd1;\nsqrt.rn.f64 %fd3, %fd3;\ncvt.rn.f32.f64 %f1, "
        "%fd3;\ncvt.f64.f32 %fd4, "
        "%f1;\n"
        "setp.lt.f64 %p1, %fd4, %fd2;\n@%p1 st.global.f64 [%rd5], %fd3;\n";
    list.push_back(make_case("fp64", fp64, 16, 128));
    // One warp: a chain per pipe, one behind the other, round a loop.
    std::string chains =
        "ld.global.u32 %r5, [%rd4];\nmov.b32 %f1, %r5;\nmov.u32 %r6, 3;\nmov.f32 %f2, 0f3F800000;\nmov.u32 "
        "%r19, 0;\nagain:\n" +
        repeat("fma.rn.f32 %f2, %f2, %f1, %f1;\n", 4) + "mov.b32 %r6, %f2;\n" +
        repeat("mad.lo.s32 %r6, %r6, %r5, %r5;\n", 4) +
        repeat("xor.b32 %r6, %r6, %r5;\nadd.s32 %r6, %r6, %r1;\n", 3) +
        repeat("fma.rn.f16x2 %r6, %r6, %r5, %r6;\n", 4) +
        repeat("shfl.sync.bfly.b32 %r6, %r6, 1, 31, -1;\n", 3) +
        repeat("cvt.rn.f32.s32 %f2, %r6;\ncvt.rzi.s32.f32 %r6, %f2;\n", 2) +
        repeat("ex2.approx.ftz.f32 %f2, %f2;\n", 3) +
        "div.rn.f32 %f5, %f1, %f2;\nsqrt.rn.f32 %f5, %f5;\nrcp.rn.f32 %f2, %f5;\nmov.b32 %r7, "
        "%f2;\ncvt.u64.u32 %rd20, "
        "%r7;\ndiv.u64 %rd21, %rd3, %rd20;\ncvt.u32.u64 %r7, %rd21;\nadd.s32 %r5, %r5, %r7;\nadd.s32 %r19, "
        "%r19, "
        "1;\nsetp.lt.s32 %p1, %r19, 4;\n@%p1 bra again;\nst.global.u32 [%rd5], %r5;\n";
    list.push_back(make_case("chains", chains, 4, 32));
    // All warps: each pipe full, one after the other.
    const char* const pipes[] = {"fma.rn.f32 %f$, %f1, %f1, %f1;\n",
                                 "mad.lo.s32 %r$, %r1, %r5, %r6;\n",
                                 "xor.b32 %r$, %r1, %r5;\n",
                                 "fma.rn.f16x2 %r$, %r1, %r5, %r1;\n",
                                 "ex2.approx.ftz.f32 %f$, %f1;\n",
                                 "cvt.rn.f32.s32 %f$, %r1;\n",
                                 "shfl.sync.bfly.b32 %r$, %r1, 1, 31, -1;\n"};
    std::string lanes = "mov.u32 %r5, 7;\nmov.f32 %f1, 0f3F800000;\nmov.u32 %r6, 1;\n";
    std::string sums;
    for (int pipe = 0; pipe < 7; ++pipe) {
      for (int i = 0; i < 12; ++i) {
        std::string line = pipes[pipe];
        const std::string n = std::to_string(20 + pipe * 12 + i);
        line.replace(line.find('$'), 1, n);
        lanes += line;
        sums += line.find(" %f") < line.find(" %r") ? "add.f32 %f1, %f1, %f" + n + ";\n"
                                                    : "add.s32 %r1, %r1, %r" + n + ";\n";
      }
      lanes += "bar.sync 0;\n";
    }
    list.push_back(make_case(
        "lanes", lanes + sums + "mov.b32 %r7, %f1;\nadd.s32 %r7, %r7, %r1;\nst.global.u32 [%rd5], %r7;\n", 8,
        256));
    // More values than a quarter of the registers hold.
    std::string wide;
    for (int i = 0; i < 90; ++i)
      wide += "ld.global.f32 %f" + std::to_string(i + 1) + ", [%rd4+" + std::to_string(16384 * i) + "];\n";
    wide += "bar.sync 0;\n";
    for (int i = 0; i < 90; ++i)
      wide += "st.global.f32 [%rd5+" + std::to_string(16384 * i) + "], %f" + std::to_string(90 - i) + ";\n";
    list.push_back(make_case("wide", wide, 16, 64));
    std::string shared =
        "mov.u32 %r5, tile;\nshl.b32 %r6, %r1, 3;\nadd.u32 %r6, %r6, %r5;\nand.b32 %r7, %r1, 3;\nshl.b32 "
        "%r7, %r7, "
        "2;\nadd.u32 %r7, %r7, %r5;\n";
    shared += repeat(
        "st.shared.u32 [%r6], %r1;\nbar.sync 0;\nld.shared.u32 %r8, [%r6];\nadd.u32 %r1, %r1, "
        "%r8;\natom.shared.add.u32 %r9, [%r7], %r8;\nadd.u32 %r1, %r1, %r9;\nbar.sync 0;\n",
        6);
    list.push_back(make_case("shared", shared + "st.global.u32 [%rd5], %r1;\n", 8, 256));
    list.push_back(make_case(
        "phases",
        "mov.u32 %r5, tile;\nmov.u32 %r6, 0;\nsetp.eq.u32 %p1, %r1, 0;\n@%p1 mbarrier.init.shared.b64 [%r5], "
        "256;\n"
        "bar.sync 0;\nround:\nmbarrier.arrive.shared.b64 %rd20, [%r5];\nwaits:\nmbarrier.try_wait.shared.b64 "
        "%p2, "
        "[%r5], %rd20;\n@!%p2 bra waits;\nadd.u32 %r6, %r6, 1;\nsetp.lt.u32 %p1, %r6, 8;\n@%p1 bra round;\n"
        "st.global.u32 [%rd5], %r6;\n",
        8, 256));
    list.push_back(make_case(
        "cluster",
        repeat("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;\n", 6) +
            "st.global.u32 [%rd5], %r1;\n",
        8, 256));
    list.push_back(
        make_case("bulk",
                  "mov.u32 %r5, tile;\nadd.u32 %r8, %r5, 8192;\nmov.u32 %r6, 0;\nmul.wide.u32 %rd10, %r2, "
                  "8192;\nadd.u64 %rd10, "
                  "%rd10, %rd1;\nmbarrier.init.shared.b64 [%r8], "
                  "1;\nround:\nmbarrier.arrive.expect_tx.shared.b64 %rd20, "
                  "[%r8], 4096;\ncp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r5], "
                  "[%rd10], 4096, "
                  "[%r8];\nwaits:\nmbarrier.try_wait.shared.b64 %p2, [%r8], %rd20;\n@!%p2 bra "
                  "waits;\nadd.u64 %rd10, %rd10, "
                  "65536;\nadd.u32 %r6, %r6, 1;\nsetp.lt.u32 %p1, %r6, 6;\n@%p1 bra round;\nst.global.u32 "
                  "[%rd5], %r6;\n",
                  8, 1));
    // Streams, a stride over lines, dependent loads, read-modify-write: L1, network, L2, link, DRAM.
    std::string memory = "mov.u64 %rd6, %rd4;\nmov.u64 %rd7, %rd5;\nmov.u32 %r5, 0;\n";
    memory += repeat(
        "ld.global.v4.u32 {%r10, %r11, %r12, %r13}, [%rd6];\nst.global.v4.u32 [%rd7], {%r13, %r12, %r11, "
        "%r10};\nadd.u64 %rd6, %rd6, 262144;\nadd.u64 %rd7, %rd7, 262144;\nadd.u32 %r5, %r5, %r10;\n",
        10);
    memory += "and.b32 %r14, %r4, 8191;\nmul.wide.u32 %rd8, %r14, 1024;\nadd.u64 %rd8, %rd8, %rd1;\n";
    memory += repeat(
        "ld.global.u32 %r15, [%rd8];\nld.global.u32 %r16, [%rd8+4];\nand.b32 %r15, %r15, 0;\nmul.wide.u32 "
        "%rd9, "
        "%r15, 4;\nadd.u64 %rd8, %rd8, %rd9;\nadd.u64 %rd8, %rd8, 32;\n",
        4);
    memory +=
        "and.b32 %r17, %r1, 31;\nmul.wide.u32 %rd10, %r17, 64;\nadd.u64 %rd10, %rd10, "
        "%rd2;\nred.global.add.u32 "
        "[%rd10], %r5;\natom.global.add.u32 %r18, [%rd10+4], %r5;\nst.global.u32 [%rd5], %r18;\n";
    list.push_back(make_case("memory", memory, 16, 256));
    std::string matrix =
        "ld.global.v4.u32 {%r10, %r11, %r12, %r13}, [%rd4];\nmov.f32 %f1, 0f00000000;\nmov.f32 %f2, "
        "%f1;\nmov.f32 %f3, "
        "%f1;\nmov.f32 %f4, %f1;\nmov.u32 %r20, 0;\nmov.u32 %r21, 0;\nmov.u32 %r22, 0;\nmov.u32 %r23, 0;\n";
    for (const char* types : {"m16n8k16.row.col.f32.bf16.bf16.f32", "m16n8k16.row.col.f32.f16.f16.f32",
                              "m16n8k8.row.col.f32.tf32.tf32.f32"}) {
      const bool tf32 = std::string(types).find("tf32") != std::string::npos;
      matrix += repeat(std::string("mma.sync.aligned.") + types +
                           " {%f1, %f2, %f3, %f4}, {%r10, %r11, %r12, %r13}, " +
                           (tf32 ? "{%r10, %r11}" : "{%r10, %r11}") + ", {%f1, %f2, %f3, %f4};\n",
                       4);
    }
    matrix += repeat(
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r20, %r21, %r22, %r23}, {%r10, %r11, %r12, %r13}, "
        "{%r10, %r11}, {%r20, %r21, %r22, %r23};\n",
        4);
    matrix += "mov.b32 %r24, %f1;\nadd.u32 %r24, %r24, %r20;\nst.global.u32 [%rd5], %r24;\n";
    list.push_back(make_case("matrix", matrix, 16, 128));
    // A warpgroup's products, and work that it does meanwhile if they need not all have begun.
    std::string sums64;
    for (int i = 0; i < 32; ++i) sums64 += (i != 0 ? ", %f" : "%f") + std::to_string(i + 20);
    std::string products =
        "mov.u32 %r5, tile;\nshr.u32 %r5, %r5, 4;\ncvt.u64.u32 %rd10, %r5;\nmov.u64 %rd11, "
        "0x1000080000;\nor.b64 %rd10, %rd10, %rd11;\nsetp.eq.u32 %p1, %r2, %r2;\nmov.f32 %f1, 0f3F800000;\n"
        "mov.u32 %r6, 0;\n";
    for (int i = 0; i < 32; ++i) products += "mov.f32 %f" + std::to_string(i + 20) + ", 0f00000000;\n";
    products += "round:\nwgmma.fence.sync.aligned;\n" +
                repeat("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" + sums64 +
                           "}, %rd10, %rd10, %p1, 1, 1, 0, 0;\n",
                       6) +
                "wgmma.commit_group.sync.aligned;\n" + repeat("fma.rn.f32 %f1, %f1, %f1, %f1;\n", 40) +
                "wgmma.wait_group.sync.aligned 0;\nadd.u32 %r6, %r6, 1;\nsetp.lt.u32 %p2, %r6, 4;\n@%p2 bra "
                "round;\nadd.f32 %f1, %f1, %f20;\nst.global.f32 [%rd5], %f1;\n";
    list.push_back(make_case("products", products, 8, 128));
    list.push_back(
        make_case("fp64_matrix",
                  "ld.global.f64 %fd1, [%rd4];\nmov.f64 %fd2, 0d0000000000000000;\nmov.f64 %fd3, %fd2;\n" +
                      repeat("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%fd2, %fd3}, {%fd1}, {%fd1}, "
                             "{%fd2, %fd3};\n",
                             6) +
                      "st.global.f64 [%rd5], %fd2;\n",
                  16, 128));
    // What waits for others, and what asks the system.
    list.push_back(
        make_case("waits",
                  "{\n.param .b64 a;\n.param .b64 b;\nst.param.b64 [a], 16;\ncall.uni (b), malloc, "
                  "(a);\nld.param.b64 %rd20, [b];\n}\nst.global.u64 [%rd5], %rd20;\n",
                  8, 64));
    list.back().polls = 3;
    // Many short CTAs, and code that no instruction cache of the base holds.
    list.push_back(make_case("short", "", 300, 32));
    list.push_back(make_case("long_code",
                             "ld.global.u32 %r5, [%rd4];\n" +
                                 repeat("xor.b32 %r5, %r5, %r1;\nadd.s32 %r5, %r5, %r2;\n", 400) +
                                 "st.global.u32 [%rd5], %r5;\n",
                             16, 64));
    return list;
  }();
  return all;
}

chip::Spec changed(chip::Spec spec, const std::vector<chip::Change>& changes) {
  const Result<void> done = chip::set(spec, changes);
  EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().message());
  return spec;
}

/// Small chips on which every part is a limit for one kernel or another.
std::vector<chip::Spec> bases() {
  const chip::Spec br100 = changed(*chip::small_br100(), {{"unit.shared_static", "8 KiB"},
                                                          {"unit.shared_optin", "16 KiB"},
                                                          {"unit.shared_granularity", "4 KiB"},
                                                          {"subcore.instruction_cache_bytes", "4 KiB"},
                                                          {"unit.l1_miss_sectors", "96"},
                                                          {"l2.replication", "near"},
                                                          {"d2d.cache", "replicate"}});
  chip::Spec a100 = *chip::load("a100");
  a100 = changed(a100, {{"package.units_per_die", "4"},
                        {"package.clusters_per_die", "2"},
                        {"l2.slices_per_die", "4"},
                        {"l2.bytes_per_die", "1 MiB"},
                        {"hbm.channels_per_die", "4"},
                        {"hbm.bandwidth_per_die", "100 GB/s"},
                        {"hbm.bytes_per_die", "1 GiB"},
                        {"unit.l1_miss_sectors", "96"},
                        {"power.active_idle", "2 W"},
                        {"power.board_limit", "4 W"}});
  return {br100, a100,
          changed(*chip::small_br100(),
                  {{"package.dies", "4"}, {"d2d.topology", "ring"}, {"d2d.bandwidth", "20 GB/s"}})};
}

std::string prediction(const chip::Spec& chip, const Case& c) {
  const Outcome o = run(chip, c);
  return o.ran ? o.all : "does not run";
}

/// What else the figure could be.
std::vector<chip::Change> alternatives(const chip::Spec& chip, const chip::Field& f) {
  const std::string key = f.key();
  if (f.type == chip::Field::Type::flag)
    return {{key, chip::value_text(chip, f) == "true" ? "false" : "true"}};
  std::vector<chip::Change> list;
  if (f.type == chip::Field::Type::text) {
    for (const chip::Policy& p : chip::policies())
      if (p.key == key)
        for (const chip::PolicyWord& w : p.words) list.push_back({key, std::string(w.word)});
    return list;
  }
  const double now = std::stod(chip::value_text(chip, f));
  for (const double factor : {0.5, 2.0, 0.125, 4.0, 0.8, 1.25}) {
    char text[40];
    std::snprintf(text, sizeof text, "%.15g",
                  f.type == chip::Field::Type::integer ? std::round(now * factor) : now * factor);
    list.push_back({key, text});
  }
  return list;
}

/// Text of everything that may read a chip, apart from the reader itself.
const std::string& sources() {
  static const std::string text = [] {
    std::ostringstream all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(WANREN_SOURCE_DIR "/src"))
      if (entry.is_regular_file() && entry.path().string().find("/src/chip/") == std::string::npos &&
          (entry.path().extension() == ".cpp" || entry.path().extension() == ".h"))
        all << std::ifstream(entry.path()).rdbuf();
    return all.str();
  }();
  return text;
}

// What the API, the host's timeline, other devices, the checks of a launch and the report read, no time or
// energy of a kernel alone depends on: the source names the figure. All else must change a prediction.
TEST(Figures, EachIsRead) {
  const std::set<std::string> told = {
      "identity", "host", "link", "cost", "peak", "unit.shared_static", "hbm.bytes_per_die"};
  // Tests hold the claimed peaks against the lanes at the clock that the claims assume.
  // Only chips with FP8 ask for its rate, as the features' tests do, and only several devices use links, as
  // the energy's do.
  const std::set<std::string> by_tests = {"clock.tensor_peak_basis", "tensor.fp8", "power.link_byte"};
  std::vector<std::pair<chip::Spec, std::vector<std::string>>> all;
  for (const chip::Spec& base : bases()) {
    all.emplace_back(base, std::vector<std::string>());
    for (const Case& c : cases()) all.back().second.push_back(prediction(base, c));
  }
  std::size_t hint = 0;
  for (const chip::Field& f : chip::fields()) {
    const std::string key = f.key();
    if (by_tests.contains(key)) continue;
    if (told.contains(std::string(f.section)) || told.contains(key)) {
      EXPECT_NE(sources().find("." + key), std::string::npos) << key << ": nothing reads it";
      continue;
    }
    const auto read_by = [&](std::size_t base, std::size_t i, const chip::Change& change) {
      chip::Spec other = all[base].first;
      return chip::set(other, {change}).has_value() && prediction(other, cases()[i]) != all[base].second[i];
    };
    bool read = false;
    for (std::size_t step = 0; step < 6 && !read; ++step)
      for (std::size_t n = 0; n < all.size() * cases().size() && !read; ++n) {
        // What told the last figure apart is likely to tell its neighbour, too.
        const std::size_t at = (hint + n) % (all.size() * cases().size());
        const std::size_t base = at / cases().size(), i = at % cases().size();
        const std::vector<chip::Change> changes = alternatives(all[base].first, f);
        read = step < changes.size() && read_by(base, i, changes[step]);
        if (read) hint = at;
      }
    EXPECT_TRUE(read) << key << ": nothing depends on it";
  }
}

// One figure at a time, 30 % better and 30 % worse. Queues and row buffers may answer a slower part with a
// better order, and CTAs that start together crowd them: three hundredths are allowed.
TEST(Figures, EachMovesThePredictionTheWayItGetsBetter) {
  constexpr double slack = 1.03;
  const chip::Spec base = bases()[0];
  for (const Case& c : cases()) {
    const Outcome nominal = run(base, c);
    if (!nominal.ran) continue;
    for (const chip::Field& f : chip::fields()) {
      if (f.better == chip::Better::neither || f.section == "host" || f.section == "cost") continue;
      const std::string key = f.key();
      const bool of_energy = f.section == "power";
      const auto moved = [&](double share) {
        chip::Spec other = base;
        for (const chip::Change& change : chip::shifted(base, std::span(&key, 1), share))
          EXPECT_TRUE(chip::set(other, {change}).has_value());
        return of_energy ? joules(other, nominal.timed) : run(other, c).us;
      };
      const double now = of_energy ? joules(base, nominal.timed) : nominal.us;
      EXPECT_LE(moved(0.3), now * slack) << key << " better: " << c.name << " on " << base.name;
      EXPECT_GE(moved(-0.3) * slack, now) << key << " worse: " << c.name << " on " << base.name;
    }
  }
}

// What the host's link and launches cost shows on the device's timeline; what calls cost the host, the driver
// adds as it stands in the file.
TEST(Figures, EachOfTheHostAndOfCostMovesItsSumTheWayItGetsBetter) {
  const std::set<std::string> added = {"host.launch_host", "host.api_call", "host.synchronize",
                                       "host.clock_read"};
  const Case& some = cases()[0];
  for (const chip::Spec& base : bases())
    for (const chip::Field& f : chip::fields()) {
      if (f.better == chip::Better::neither || added.contains(f.key())) continue;
      if (f.section != "host" && f.section != "cost") continue;
      const std::string key = f.key();
      const auto moved = [&](double share) {
        chip::Spec other = base;
        EXPECT_TRUE(chip::set(other, chip::shifted(base, std::span(&key, 1), share)).has_value());
        return f.section == "cost" ? cost::silicon(other).package_usd : run(other, some, 3).all_us;
      };
      EXPECT_LT(moved(0.3), moved(0)) << key << " on " << base.name;
      EXPECT_GT(moved(-0.3), moved(0)) << key << " on " << base.name;
    }
}

// FP64 on BR100 is a sequence of integer instructions: fewer of them are better.
TEST(Figures, EmulatedFp64GetsSlowerWithAllAssumedFiguresWorse) {
  const chip::Spec br100 = *chip::small_br100();
  const auto with = [&](double share) {
    chip::Spec other = br100;
    EXPECT_TRUE(chip::set(other, chip::shifted(br100, chip::assumed_figures(br100), share)).has_value());
    return run(other, cases()[0]).us;
  };
  const double nominal = run(br100, cases()[0]).us;
  EXPECT_LT(with(0.3), 0.85 * nominal);
  EXPECT_GT(with(-0.3), 1.15 * nominal);
}

}  // namespace
}  // namespace wanren::figures
