#include "report/profile.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "timing/profile.h"

namespace wanren::report {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t warp_cycles(const timing::InstructionProfile& counts) {
  std::uint64_t sum = counts.issues;
  for (const std::uint64_t cycles : counts.stall_cycles) sum += cycles;
  return sum;
}

Json line_of(const LaunchProfile& launch, const ProfileRow& row) {
  Json json = {{"launch_id", launch.launch_id},
               {"block", row.block},
               {"instruction", row.instruction},
               {"machine", row.machine},
               {"ptx", row.ptx},
               {"ptx_line", row.ptx_line},
               {"file", row.file},
               {"line", row.line}};
#define WR_PROFILE_COUNTER(id, doc) json[#id] = row.counts->id;
#include "timing/profile.def"
  Json& stalls = json["stall_cycles"] = Json::object();
  for (int i = 0; i < timing::stall_count; ++i)
    if (const std::uint64_t cycles = row.counts->stall_cycles[static_cast<std::size_t>(i)]; cycles != 0)
      stalls[std::string(name(static_cast<timing::Stall>(i)))] = cycles;
  return json;
}

/// The text of a source line, as far as the file is still there.
std::string source_text(const std::string& path, std::uint32_t line) {
  std::ifstream file(path);
  std::string text;
  for (std::uint32_t n = 0; n < line; ++n)
    if (!std::getline(file, text)) return {};
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

}  // namespace

struct ProfileStream::Sum {
  timing::InstructionProfile counts;
};

Result<std::unique_ptr<ProfileStream>> ProfileStream::open(const std::string& path,
                                                           const std::string& program) {
  std::ofstream file(path, std::ios::binary);
  file << Json{{"profile_version", profile_version}, {"program", program}}.dump() << '\n';
  if (!file) return fail(path, "cannot be written", "name a file in a folder that exists and is writable");
  return std::unique_ptr<ProfileStream>(new ProfileStream(std::move(file), path));
}

void ProfileStream::add(const LaunchProfile& launch) {
  const auto dim = [](const Dim3& d) { return Json::array({d.x, d.y, d.z}); };
  file_ << Json{{"launch_id", launch.launch_id}, {"name", launch.name},
                {"chip", launch.chip},           {"device", launch.device},
                {"grid", dim(launch.grid)},      {"block", dim(launch.block)},
                {"cycles", launch.cycles},       {"instructions", launch.rows.size()}}
               .dump()
        << '\n';
  for (const ProfileRow& row : launch.rows) {
    file_ << line_of(launch, row).dump() << '\n';
    std::shared_ptr<Sum>& sum =
        sums_[Place{launch.name, row.file, row.line, row.line == 0 ? row.ptx_line : 0}];
    if (!sum) sum = std::make_shared<Sum>();
    sum->counts.add(*row.counts);
    kernel_cycles_[launch.name] += warp_cycles(*row.counts);
  }
}

std::vector<HotLine> ProfileStream::hottest(std::size_t count) const {
  std::vector<std::pair<std::uint64_t, const Place*>> order;
  order.reserve(sums_.size());
  for (const auto& [place, sum] : sums_) order.emplace_back(warp_cycles(sum->counts), &place);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<HotLine> lines;
  for (const auto& [cycles, place] : order) {
    if (lines.size() == count || cycles == 0) break;
    const timing::InstructionProfile& counts = sums_.at(*place)->counts;
    HotLine& hot = lines.emplace_back();
    hot.kernel = place->kernel;
    hot.file = place->file;
    hot.line = place->line;
    hot.ptx_line = place->ptx_line;
    hot.warp_cycles = cycles;
    hot.share = static_cast<double>(cycles) / static_cast<double>(kernel_cycles_.at(place->kernel));
    hot.issues = counts.issues;
    hot.l1_sectors = counts.l1_sectors;
    hot.l2_sectors = counts.l2_sectors;
    const auto top = std::max_element(counts.stall_cycles.begin(), counts.stall_cycles.end());
    if (*top != 0) hot.top_stall = name(static_cast<timing::Stall>(top - counts.stall_cycles.begin()));
    hot.top_stall_share = static_cast<double>(*top) / static_cast<double>(cycles);
    if (place->line != 0) hot.text = source_text(place->file, place->line);
  }
  return lines;
}

Result<void> ProfileStream::close() {
  file_.close();
  if (!file_) return fail(path_, "cannot be written in full", "free some space");
  return {};
}

}  // namespace wanren::report
