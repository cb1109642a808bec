#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "report/record.h"
#include "report/text.h"

namespace wanren::report {
namespace {

/// Launches of one kernel, summed.
struct Group {
  std::string name;
  std::size_t launches = 0;
  double time_us = 0, energy_j = 0, roof_time = 0;
  std::uint64_t warp_instructions = 0;
  const KernelRecord* longest = nullptr;
};

std::vector<Group> grouped(const Run& run) {
  std::vector<Group> groups;
  for (const KernelRecord& kernel : run.kernels) {
    auto it =
        std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.name == kernel.name; });
    if (it == groups.end()) it = groups.insert(groups.end(), Group{kernel.name});
    ++it->launches;
    it->time_us += kernel.time_us;
    it->energy_j += kernel.energy_j;
    it->roof_time += kernel.roof_pct * kernel.time_us;
    it->warp_instructions += kernel.warp_instructions;
    if (it->longest == nullptr || kernel.time_us > it->longest->time_us) it->longest = &kernel;
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return a.time_us != b.time_us ? a.time_us > b.time_us : a.warp_instructions > b.warp_instructions;
  });
  return groups;
}

std::string top_stalls(const KernelRecord& kernel) {
  std::vector<std::pair<double, std::string>> stalls;
  stalls.reserve(kernel.stalls.size());
  for (const auto& [name, share] : kernel.stalls) stalls.emplace_back(share, name);
  std::sort(stalls.rbegin(), stalls.rend());
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, stalls.size()); ++i)
    text += fmt::format("{}{} {:.0f}%", i == 0 ? "" : ", ", stalls[i].second, 100 * stalls[i].first);
  return text;
}

std::string hot_line_table(const std::vector<HotLine>& lines) {
  std::string out = fmt::format("  {:<20} {:<26} {:>6} {:>12} {:>12}  {:<26} {}\n", "hot line of", "where",
                                "share", "issues", "L2 sectors", "waits for", "text");
  for (const HotLine& h : lines) {
    const std::string where = h.line != 0
                                  ? fmt::format("{}:{}", h.file.substr(h.file.find_last_of('/') + 1), h.line)
                                  : fmt::format("PTX line {}", h.ptx_line);
    out += fmt::format(
        "  {:<20} {:<26} {:>5.1f}% {:>12} {:>12}  {:<26} {}\n", short_name(h.kernel, 20), where,
        100 * h.share, h.issues, h.l2_sectors,
        h.top_stall.empty() ? "" : fmt::format("{} {:.0f}%", h.top_stall, 100 * h.top_stall_share),
        h.text.substr(0, 60));
  }
  return out;
}

}  // namespace

std::string short_name(const std::string& name, std::size_t width) {
  // Without parameters: "saxpy(int, float, ...)" reads as saxpy.
  std::string text = name.substr(0, name.find('('));
  if (text.starts_with("void ")) text.erase(0, 5);
  if (text.size() > width) text = text.substr(0, width - 1) + "…";
  return text;
}

std::string time_text(double us) {
  if (us >= 1e6) return fmt::format("{:.3g} s", us * 1e-6);
  if (us >= 1e3) return fmt::format("{:.4g} ms", us * 1e-3);
  return fmt::format("{:.4g} us", us);
}

std::string energy_text(double j) {
  if (j >= 1) return fmt::format("{:.3g} J", j);
  if (j >= 1e-3) return fmt::format("{:.3g} mJ", j * 1e3);
  return fmt::format("{:.3g} uJ", j * 1e6);
}

/// What part of the kernels' time rests on sampling, and how far that may be off.
std::string sampling_text(const Run& run) {
  std::size_t sampled = 0;
  double error_us = 0;
  for (const KernelRecord& k : run.kernels)
    if (k.sampled) ++sampled, error_us += k.time_us * k.sampling_error_pct / 100;
  if (sampled == 0) return "";
  return fmt::format(
      "  {} of {} launches sampled: time within {:.1f}%; --timing full simulates all of each\n", sampled,
      run.kernels.size(), 100 * error_us / std::max(run.busy_us, 1e-9));
}

std::string table(const Run& run) {
  std::string out;
  const bool timed = run.timing_mode != "off";
  out += fmt::format("wanren: {} on {} ({}), timing {}{}\n", run.program, run.chip_name, run.chip_title,
                     run.timing_mode, run.timing_note.empty() ? "" : " — " + run.timing_note);
  if (!run.failure.empty()) out += fmt::format("  failed: {}\n", run.failure);
  if (timed)
    out += fmt::format("  {:<28} {:>6} {:>11} {:>6} {:>6} {:>8} {:>9}  {:<26} {}\n", "kernel", "calls",
                       "time", "share", "roof", "power", "energy", "bound by", "top stalls");
  else
    out += fmt::format("  {:<28} {:>6} {:>18} {:>12}\n", "kernel", "calls", "warp instructions", "registers");
  constexpr std::size_t rows = 20;
  const std::vector<Group> groups = grouped(run);
  for (std::size_t i = 0; i < std::min(rows, groups.size()); ++i) {
    const Group& g = groups[i];
    if (!timed) {
      out += fmt::format("  {:<28} {:>6} {:>18} {:>12}\n", short_name(g.name, 28), g.launches,
                         g.warp_instructions, g.longest->registers_per_thread);
      continue;
    }
    const double watts = g.time_us > 0 ? g.energy_j / (g.time_us * 1e-6) : 0;
    out += fmt::format("  {:<28} {:>6} {:>11} {:>5.1f}% {:>5.1f}% {:>6.0f} W {:>9}  {:<26} {}\n",
                       short_name(g.name, 28), g.launches, time_text(g.time_us),
                       run.busy_us > 0 ? 100 * g.time_us / run.busy_us : 0,
                       g.time_us > 0 ? g.roof_time / g.time_us : 0, watts, energy_text(g.energy_j),
                       g.longest->bound_by, top_stalls(*g.longest));
  }
  if (groups.size() > rows) out += fmt::format("  … and {} more kernels\n", groups.size() - rows);
  if (timed)
    out += fmt::format(
        "  device {} ({} in kernels), {}, {:.0f} W of {:.0f} W; {:.0f}% of the chip's figures are assumed\n",
        time_text(run.time_us), time_text(run.busy_us), energy_text(run.energy_j), run.average_power_w,
        run.board_limit_w, 100 * run.chip_assumed_share);
  out += sampling_text(run);
  if (!run.hot_lines.empty()) out += hot_line_table(run.hot_lines);
  return out;
}

}  // namespace wanren::report
