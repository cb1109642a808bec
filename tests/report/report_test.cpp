#include <gtest/gtest.h>

#include "report/record.h"

namespace wanren::report {
namespace {

Run sample() {
  Run run;
  run.program = "saxpy";
  run.chip_name = "br100";
  run.timing_mode = "full";
  run.time_us = 12.5;
  run.busy_us = 10;
  run.energy_j = 0.25;
  KernelRecord kernel;
  kernel.launch_id = 3;
  kernel.name = "saxpy(int, float, float*, float*)";
  kernel.grid = Dim3{7, 2, 1};
  kernel.block = Dim3{256, 1, 1};
  kernel.time_us = 10;
  kernel.energy_j = 0.25;
  kernel.d2d_link_bytes = {0, 5, 6, 0};
  kernel.stalls["long_scoreboard"] = 0.75;
  kernel.counters["dram_read_bytes"] = std::uint64_t{1} << 40;
  kernel.bound_by = "DRAM bandwidth";
  run.kernels.push_back(kernel);
  run.copies.push_back({"host_to_device", 0, 1, 2, 4096});
  return run;
}

TEST(Report, WhatIsWrittenIsReadBack) {
  const report::Run run = sample();
  const Result<report::Run> again = from_json(to_json(run), "test");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(to_json(*again), to_json(run));
  EXPECT_EQ(again->kernels.at(0).grid, (Dim3{7, 2, 1}));
  EXPECT_EQ(again->kernels.at(0).d2d_link_bytes, run.kernels[0].d2d_link_bytes);
  EXPECT_EQ(again->kernels.at(0).counters, run.kernels[0].counters);
}

TEST(Report, HotLinesAreReadBackAndShown) {
  report::Run run = sample();
  HotLine line;
  line.kernel = "saxpy(int)";
  line.file = "/home/a/saxpy.cu";
  line.line = 7;
  line.text = "y[i] += a * x[i];";
  line.share = 0.5;
  line.l2_sectors = 42;
  line.top_stall = "long_scoreboard";
  line.top_stall_share = 0.8;
  run.hot_lines.push_back(line);
  const Result<report::Run> again = from_json(to_json(run), "test");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(to_json(*again), to_json(run));
  const std::string text = table(run);
  for (const char* part : {"saxpy.cu:7", "50.0%", "long_scoreboard 80%", "y[i] += a * x[i];"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST(Report, EveryFixedKeyOfALaunchIsThere) {
  const std::string json = to_json(sample());
  for (const char* key : {"schema_version",
                          "assumed_share",
                          "hash",
                          "wall_s",
                          "timing_mode",
                          "totals",
                          "launch_id",
                          "name",
                          "stream",
                          "device",
                          "start_us",
                          "end_us",
                          "grid",
                          "block",
                          "dynamic_shared_bytes",
                          "registers_per_thread",
                          "occupancy",
                          "warp_instructions",
                          "thread_instructions",
                          "lowered_warp_instructions",
                          "cycles",
                          "clock_mhz",
                          "time_us",
                          "sampled",
                          "sampling_error_pct",
                          "flops",
                          "dram_read_bytes",
                          "dram_write_bytes",
                          "l1_hit_pct",
                          "l2_hit_pct",
                          "d2d_bytes",
                          "energy_j",
                          "average_power_w",
                          "bound_by",
                          "stalls",
                          "compile_wall_s",
                          "functional_wall_s",
                          "timing_wall_s",
                          "copies"})
    EXPECT_NE(json.find('"' + std::string(key) + '"'), std::string::npos) << key;
}

TEST(Report, ATextThatIsNoReportIsRefusedByName) {
  const Result<report::Run> run = from_json("{\"schema_version\": 1}", "here.json");
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().place, "here.json");
  EXPECT_FALSE(from_json("not json", "x"));
}

TEST(Report, AnotherSchemaVersionIsRefused) {
  std::string json = to_json(sample());
  json.replace(json.find("\"schema_version\": 1"), 19, "\"schema_version\": 9");
  const Result<report::Run> run = from_json(json, "x");
  ASSERT_FALSE(run);
  EXPECT_NE(run.error().cause.find("9"), std::string::npos);
}

TEST(Report, TheTableNamesKernelShareAndRoof) {
  const std::string text = table(sample());
  EXPECT_NE(text.find("saxpy "), std::string::npos);
  EXPECT_NE(text.find("100.0%"), std::string::npos);
  EXPECT_NE(text.find("DRAM bandwidth"), std::string::npos);
  EXPECT_NE(text.find("long_scoreboard 75%"), std::string::npos);
}

}  // namespace
}  // namespace wanren::report
