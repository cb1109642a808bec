#pragma once
// What a run did: the report's contents, independent of how they are shown. Written to report.json
// with the same names; keys are added, never renamed.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "support/result.h"
#include "support/units.h"

namespace wanren::report {

inline constexpr int schema_version = 1;

/// One kernel launch. Figures of the timing model are 0 with timing off.
struct KernelRecord {
  std::uint64_t launch_id = 0;
  std::string name;  ///< Demangled.
  int stream = 0, device = 0;
  double start_us = 0, end_us = 0;
  Dim3 grid, block;
  std::uint32_t dynamic_shared_bytes = 0, static_shared_bytes = 0;
  std::uint32_t registers_per_thread = 0;
  double occupancy = 0;  ///< Share of a unit's warp slots, 0..1.
  std::string occupancy_limit;
  std::uint64_t warp_instructions = 0;          ///< Executed PTX instructions, per warp.
  std::uint64_t thread_instructions = 0;        ///< ... lanes active.
  std::uint64_t lowered_warp_instructions = 0;  ///< Machine instructions issued.
  std::uint64_t cycles = 0;
  double clock_mhz = 0;
  double time_us = 0;
  bool sampled = false;
  double sampling_error_pct = 0;
  std::uint64_t simulated_ctas = 0;  ///< Of the grid's.
  double flops = 0;                  ///< All floating-point operations, tensor included.
  double fp32_flops = 0, tensor_flops = 0;
  std::uint64_t dram_read_bytes = 0, dram_write_bytes = 0, l2_read_bytes = 0;
  double l1_hit_pct = 0, l2_hit_pct = 0;
  std::uint64_t d2d_bytes = 0;
  std::vector<std::uint64_t> d2d_link_bytes;      ///< from * dies + to, wire bytes
  std::map<std::string, std::uint64_t> counters;  ///< All of the timing model's, by name.
  double energy_j = 0, average_power_w = 0;
  std::map<std::string, double> energy_parts_j;
  std::string bound_by;  ///< The roof or stall that limits it, in words.
  double roof_pct = 0;   ///< Achieved share of that roof.
  double fp32_peak_pct = 0, fp64_peak_pct = 0, tensor_peak_pct = 0, dram_peak_pct = 0;
  std::string tensor_path;
  std::vector<std::string> emulated;
  std::map<std::string, double> stalls;  ///< Share of warp residency, by name.
  double compile_wall_s = 0, functional_wall_s = 0, timing_wall_s = 0;
};

struct CopyRecord {
  std::string kind;  ///< "host_to_device" …
  int stream = 0;
  double start_us = 0, end_us = 0;
  std::uint64_t bytes = 0;
  int device = 0;
  int peer = -1;  ///< The other device of a copy between devices; else -1.
};

/// Where warps of a kernel spend their cycles: a source line, over all launches. Only where profiled.
struct HotLine {
  std::string kernel, file;
  std::uint32_t line = 0, ptx_line = 0;  ///< ptx_line: where the PTX has no line tables.
  std::string text;                      ///< The line, as far as its file is there.
  std::uint64_t warp_cycles = 0, issues = 0, l1_sectors = 0, l2_sectors = 0;
  double share = 0;  ///< Of the kernel's warp cycles.
  std::string top_stall;
  double top_stall_share = 0;  ///< Of the line's warp cycles.
};

struct Run {
  std::string program;
  std::string chip_name, chip_hash, chip_title;
  double chip_assumed_share = 0;
  int chip_dies = 1;
  double price_usd = 0;  ///< 0: no public source
  double board_limit_w = 0;
  double peak_fp32_tflops = 0, peak_bf16_tflops = 0, peak_dram_gbs = 0, d2d_gbs = 0;
  std::string timing_mode;
  std::string timing_note;  ///< e.g. that `fast` equals `full`
  double host_wall_s = 0;
  int host_threads = 0;
  double time_us = 0;  ///< End of the last device work on the device's timeline.
  double busy_us = 0;  ///< Sum of kernel times.
  double energy_j = 0, average_power_w = 0;
  std::string failure;  ///< First device fault, or empty.
  std::vector<KernelRecord> kernels;
  std::vector<CopyRecord> copies;
  std::vector<HotLine> hot_lines;  ///< Hottest first.
};

/// report.json as text.
std::string to_json(const Run& run);
/// Reads what to_json wrote. Errors: place is `name`.
Result<Run> from_json(const std::string& text, const std::string& name);
Result<void> write_json(const Run& run, const std::string& path);
/// The device's timeline as Chrome/Perfetto trace-event JSON.
Result<void> write_timeline(const Run& run, const std::string& path);

/// One screen: kernels grouped by name with time, share, bound, energy, top stalls; then hot lines.
std::string table(const Run& run);

}  // namespace wanren::report
