#include "timing/local_frames.h"

#include <algorithm>

namespace wanren::timing {
namespace {

/// Line numbers that no device address has.
constexpr std::uint32_t local_lines = 0x80000000u;

}  // namespace

void local_footprint(const trace::Record& record, const DecodedInst& inst, const Decoded& program,
                     std::span<const simt::LanePattern> patterns, int warp, const Parameters& p,
                     Footprint& out) {
  // Frames of a warp's lanes are interleaved word by word: the same variable of all lanes is one line.
  const std::uint32_t frame = local_lines + static_cast<std::uint32_t>(warp) * program.frame_lines;
  out.lines = out.same = 0;
  out.base_line = 0;
  const auto add = [&](std::uint32_t word, std::uint8_t sectors) {
    for (int i = 0; i < out.lines; ++i)
      if (out.line[i] == frame + word) {
        out.sectors[i] |= sectors;
        return;
      }
    if (out.lines == Footprint::most) return;
    out.line[out.lines] = frame + word;
    out.sectors[out.lines++] = sectors;
  };
  const int lane_bytes_shift = p.line_shift - 5;
  const auto sector_of = [&](int lane) {
    return static_cast<std::uint8_t>(1u << ((lane << lane_bytes_shift) >> p.sector_shift));
  };
  if (inst.spill) {
    for (std::uint32_t word = 0; 4 * word < inst.bytes; ++word)
      for (int lane = 0; lane < warp_size; ++lane)
        if (record.mask >> lane & 1) add(program.spill_first + inst.spill_word + word, sector_of(lane));
  } else {
    std::array<std::uint64_t, warp_size> addresses;
    Coalescer::expand(record, patterns, addresses);
    for (int lane = 0; lane < warp_size; ++lane) {
      if (!(record.mask >> lane & 1)) continue;
      const std::uint64_t offset = addresses[lane] - std::uint64_t(lane) * program.local_bytes;
      for (std::uint64_t word = offset / 4; word <= (offset + std::max<int>(1, inst.bytes) - 1) / 4; ++word)
        add(static_cast<std::uint32_t>(word % program.frame_lines), sector_of(lane));
    }
  }
  out.wavefronts = std::max(1, out.lines);
}

}  // namespace wanren::timing
