#include "timing/coalesce.h"

#include <algorithm>
#include <bit>

namespace wanren::timing {
namespace {

/// All active lanes have the address of lane xor `other`, where that is active.
bool paired(const std::uint64_t* addresses, LaneMask mask, int other) {
  for (LaneMask m = mask; m; m &= m - 1) {
    const int lane = std::countr_zero(m);
    if (mask >> (lane ^ other) & 1 && addresses[lane] != addresses[lane ^ other]) return false;
  }
  return true;
}

}  // namespace

Coalescer::Coalescer(const Parameters& p)
    : line_shift_(p.line_shift), sector_shift_(p.sector_shift), banks_(p.shared_banks), memo_(memo_slots) {}

void Coalescer::expand(const trace::Record& r, std::span<const simt::LanePattern> patterns,
                       std::array<std::uint64_t, warp_size>& out) {
  switch (r.kind) {
    case trace::Kind::gather:
      for (int l = 0; l < warp_size; ++l) out[l] = r.lanes[l];
      return;
    case trace::Kind::gather32:
      for (int l = 0; l < warp_size; ++l) out[l] = static_cast<std::uint32_t>(r.lanes[l / 2] >> 32 * (l & 1));
      return;
    default: break;
  }
  const simt::LanePattern& pattern = patterns[r.pattern];
  for (int l = 0; l < warp_size; ++l) out[l] = r.base + static_cast<std::uint64_t>(pattern[l]);
  if (r.scaled == 0) return;
  const simt::LanePattern& scaled = patterns[r.scaled];
  for (int l = 0; l < warp_size; ++l) out[l] += static_cast<std::uint64_t>(r.scale * scaled[l]);
}

void Coalescer::compute(const std::uint64_t* addresses, LaneMask mask, std::uint32_t bytes, Use use,
                        Footprint& out) const {
  out.lines = out.wavefronts = out.same = 0;
  out.base_line = 0;
  if (!mask) return;
  bytes = std::max(bytes, 1u);
  const std::uint64_t sector_in_line = (std::uint64_t{1} << (line_shift_ - sector_shift_)) - 1;
  int last = 0;
  for (LaneMask m = mask; m; m &= m - 1) {
    const std::uint64_t a = addresses[std::countr_zero(m)];
    for (std::uint64_t s = a >> sector_shift_; s <= (a + bytes - 1) >> sector_shift_; ++s) {
      const std::uint32_t line = static_cast<std::uint32_t>(s >> (line_shift_ - sector_shift_));
      const std::uint8_t bit = static_cast<std::uint8_t>(1u << (s & sector_in_line));
      if (out.lines == 0 || out.line[last] != line) {
        for (last = 0; last < out.lines && out.line[last] != line; ++last) {
        }
        if (last == out.lines) {
          if (out.lines == Footprint::most) break;
          out.line[out.lines] = line;
          out.sectors[out.lines++] = 0;
        }
      }
      out.sectors[last] |= bit;
    }
  }

  if (use == Use::atomic) {
    for (LaneMask m = mask; m; m &= m - 1) {
      int lanes = 0;
      const std::uint64_t a = addresses[std::countr_zero(m)];
      for (LaneMask k = m; k; k &= k - 1) lanes += addresses[std::countr_zero(k)] == a;
      out.same = std::max(out.same, lanes);
    }
  }

  // Bank passes: a pass moves one word per bank; wide accesses go half or quarter warp by quarter warp. Twice
  // as many lanes share a pass of a wide shared load where neighbours, or next neighbours, want the same: the
  // results of two fit one pass (https://forums.developer.nvidia.com/t/77228).
  const int words = static_cast<int>((bytes + 3) / 4);
  int lanes_per_pass = std::max(1, warp_size / std::max(words, 1));
  if (use == Use::shared_load && words > 1 && (paired(addresses, mask, 1) || paired(addresses, mask, 2)))
    lanes_per_pass = std::min(warp_size, 2 * lanes_per_pass);
  const bool power = std::has_single_bit(static_cast<unsigned>(banks_));
  for (int first = 0; first < warp_size; first += lanes_per_pass) {
    const LaneMask part =
        lanes_per_pass == warp_size ? mask : mask >> first & ((LaneMask{1} << lanes_per_pass) - 1);
    if (!part) continue;
    std::array<std::uint8_t, 128> load{};
    std::array<std::uint64_t, warp_size * 2> seen;
    int distinct = 0, worst = 1;
    // Fast path: strictly ascending words within one row of banks cannot conflict.
    std::uint64_t previous = 0, row = 0;
    bool easy = true, begun = false;
    for (LaneMask m = part; m; m &= m - 1) {
      const std::uint64_t a = addresses[first + std::countr_zero(m)] >> 2;
      if (!begun) {
        row = a / banks_;
        begun = true;
      } else if (a < previous) {
        easy = false;
      }
      if (a / banks_ != row || (a + words - 1) / banks_ != row) easy = false;
      previous = a;
    }
    if (!easy) {
      for (LaneMask m = part; m; m &= m - 1) {
        const std::uint64_t a = addresses[first + std::countr_zero(m)] >> 2;
        for (int w = 0; w < words; ++w) {
          const std::uint64_t word = a + w;
          bool known = false;
          for (int i = distinct; i-- > 0;)
            if (seen[i] == word) {
              known = true;
              break;
            }
          if (known) continue;
          if (distinct < static_cast<int>(seen.size())) seen[distinct++] = word;
          const std::size_t bank = power ? word & (banks_ - 1) : word % banks_;
          worst = std::max<int>(worst, ++load[bank]);
        }
      }
    }
    out.wavefronts += worst;
  }
}

std::int64_t stride_of(const simt::LanePattern& pattern) {
  const std::int64_t stride = pattern[1];
  for (int l = 0; l < warp_size; ++l)
    if (pattern[l] != stride * l) return no_stride;
  return stride;
}

bool Coalescer::simple(const trace::Record& r, std::uint32_t bytes, std::int64_t stride, Use use) {
  if (bytes != 4 && bytes != 8 && bytes != 16) return false;
  if ((stride != 0 && stride != bytes) || r.base & (bytes - 1) || banks_ != 32 || sector_shift_ < 4)
    return false;
  if (r.mask != full_mask && (stride != 0 || bytes != 4 || !r.mask)) return false;
  Footprint& out = scratch_;
  // Each pass of the banks moves 32 words in a row, or one.
  out.wavefronts = static_cast<int>(bytes / 4);
  if (use == Use::shared_load && stride == 0 && bytes > 4) out.wavefronts /= 2;
  out.same = 0;
  out.base_line = static_cast<std::uint32_t>(r.base >> line_shift_);
  const std::uint64_t in_line = r.base & ((std::uint64_t{1} << line_shift_) - 1);
  const std::uint32_t per_line = 1u << (line_shift_ - sector_shift_);
  std::uint32_t sector = static_cast<std::uint32_t>(in_line >> sector_shift_);
  const std::uint32_t last = static_cast<std::uint32_t>(
      (in_line + (stride ? std::uint64_t{bytes} * warp_size : bytes) - 1) >> sector_shift_);
  for (out.lines = 0; sector <= last; ++out.lines) {
    const std::uint32_t end = (static_cast<std::uint32_t>(out.lines) + 1) * per_line;
    const std::uint32_t stop = std::min(last + 1, end);
    const std::uint32_t first = sector & (per_line - 1);
    out.line[out.lines] = static_cast<std::uint32_t>(out.lines);
    out.sectors[out.lines] = static_cast<std::uint8_t>(((1u << (stop - sector)) - 1) << first);
    sector = stop;
  }
  return true;
}

const Footprint& Coalescer::operator()(const trace::Record& r, std::uint32_t bytes,
                                       std::span<const simt::LanePattern> patterns,
                                       std::span<const std::int64_t> strides, std::uint64_t grid, Use use) {
  std::array<std::uint64_t, warp_size> a;
  const bool affine = r.kind == trace::Kind::affine || r.kind == trace::Kind::scaled;
  if (!affine) {
    expand(r, patterns, a);
    compute(a.data(), r.mask, bytes, use, scratch_);
    return scratch_;
  }
  if (r.scaled == 0 && use != Use::atomic && simple(r, bytes, strides[r.pattern], use)) return scratch_;
  const std::uint64_t line_mask = (std::uint64_t{1} << line_shift_) - 1;
  const Key key{(r.base & line_mask) | std::uint64_t{r.pattern} << 16 | std::uint64_t{r.scaled} << 32 |
                    std::uint64_t{bytes & 0xffff} << 48,
                std::uint64_t{r.mask} | std::uint64_t(use) << 62, grid, r.scale};
  const std::uint64_t mixed =
      (key.shape ^ key.lanes * 0x9e3779b97f4a7c15u ^ grid << 20 ^ static_cast<std::uint64_t>(r.scale)) *
      0x9e3779b97f4a7c15u;
  Memo& memo = memo_[mixed >> 58];
  if (!(memo.key == key)) {
    memo.key = key;
    // Addresses relative to the base's line, shifted up so that negative offsets stay positive.
    constexpr std::uint64_t up = std::uint64_t{1} << 52;
    trace::Record relative = r;
    relative.base = up + (r.base & line_mask);
    expand(relative, patterns, a);
    compute(a.data(), r.mask, bytes, use, memo.footprint);
    for (int i = 0; i < memo.footprint.lines; ++i)
      memo.footprint.line[i] -= static_cast<std::uint32_t>(up >> line_shift_);
  }
  memo.footprint.base_line = static_cast<std::uint32_t>(r.base >> line_shift_);
  return memo.footprint;
}

}  // namespace wanren::timing
