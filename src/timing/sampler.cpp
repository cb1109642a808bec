#include "timing/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "support/result.h"

namespace wanren::timing {
namespace {

/// Windows shorter than this see single CTAs rather than a rate.
constexpr Cycle shortest_window = 4096;
/// Waves that a grid must have for sampling to pay.
constexpr std::uint64_t least_waves = 8;
constexpr std::size_t least_windows = 3, windows_after_gap = 2;
/// Of the mean rate, at 95 %.
constexpr double widest_interval = 0.015;
/// Rates before and behind a gap that count as one.
constexpr double same_rate = 0.03;
/// Less than this of DRAM's rate does not decide a grid's own.
constexpr double share_of_dram = 0.05;
/// A gap is this part of the grid at most, and twice that each time that the rate behind one is the same.
constexpr std::uint64_t first_gap_share = 8;

/// Student's t, two-sided 95 %, by degrees of freedom.
double students_t(std::size_t freedom) {
  constexpr std::array<double, 11> t = {0,     12.71, 4.303, 3.182, 2.776, 2.571,
                                        2.447, 2.365, 2.306, 2.262, 2.228};
  return freedom < t.size() ? t[freedom] : 2.2;
}

/// Half the sum of what the shares of the pipes in all instructions differ by: 0 alike, 1 nothing in common.
double difference_of_mix(const Counters& a, const Counters& b) {
  const auto total = [](const Counters& c) {
    double sum = 0;
    for (const std::uint64_t busy : c.pipe_busy_cycles) sum += static_cast<double>(busy);
    return std::max(sum, 1.0);
  };
  const double of_a = total(a), of_b = total(b);
  double difference = 0;
  for (std::size_t i = 0; i < a.pipe_busy_cycles.size(); ++i)
    difference += std::abs(static_cast<double>(a.pipe_busy_cycles[i]) / of_a -
                           static_cast<double>(b.pipe_busy_cycles[i]) / of_b);
  return difference / 2;
}

std::uint64_t scaled(std::uint64_t value, double by) {
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(value) * by));
}

std::uint64_t less(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

/// What units and memory counted for the windows, for work that is `by` times as much and ran `exact`. Sums
/// that hold of every grid hold of it too.
Counters scaled_counters(const Counters& seen, const Counters& exact, double by, std::uint64_t ctas) {
  Counters c = exact;
#define WR_UNIT_COUNTER(id, doc) c.id = scaled(seen.id, by);
#define WR_MEMORY_COUNTER(id, doc) c.id = scaled(seen.id, by);
#include "timing/counters.def"
  c.ctas = ctas;
  c.unit_active_cycles = 0;  // Units count them when they come to rest.
  c.l1_hit_sectors = less(c.l1_sectors + c.bulk_read_sectors, c.l2_read_sectors);
  c.l1_sectors = c.l2_read_sectors + c.l1_hit_sectors - std::min(c.bulk_read_sectors, c.l2_read_sectors);
  c.bulk_read_sectors = std::min(c.bulk_read_sectors, c.l2_read_sectors);
  c.bulk_write_sectors = std::min(c.bulk_write_sectors, c.l2_write_sectors);
  c.l1_store_sectors = c.l2_write_sectors - c.bulk_write_sectors + c.l1_spill_sectors;
  c.l2_hit_sectors = std::min(c.l2_hit_sectors, c.l2_read_sectors + c.l2_write_sectors + c.l2_atomic_sectors);
  if (const std::uint64_t accesses = seen.dram_row_hits + seen.dram_row_misses; accesses > 0) {
    const std::uint64_t bytes = (seen.dram_read_bytes + seen.dram_write_bytes) / accesses;
    c.dram_read_bytes = c.dram_read_bytes / bytes * bytes;
    c.dram_write_bytes = c.dram_write_bytes / bytes * bytes;
    const std::uint64_t all = (c.dram_read_bytes + c.dram_write_bytes) / bytes;
    c.dram_row_hits = std::min(c.dram_row_hits, all);
    c.dram_row_misses = all - c.dram_row_hits;
  }
  c.d2d_link_bytes.clear();
  c.d2d_wire_bytes = 0;
  for (const std::uint64_t bytes : seen.d2d_link_bytes) {
    c.d2d_link_bytes.push_back(scaled(bytes, by));
    c.d2d_wire_bytes += c.d2d_link_bytes.back();
  }
  c.d2d_bytes = std::min(c.d2d_bytes, c.d2d_wire_bytes);
  c.warp_cycles = c.issue_slots;
  for (int i = 0; i < stall_count; ++i) {
    c.stall_cycles[i] = scaled(seen.stall_cycles[i], by);
    c.warp_cycles += c.stall_cycles[i];
  }
  return c;
}

}  // namespace

Sampler::Sampler(std::uint64_t ctas, Cycle begin, const Memory& memory)
    : ctas_(ctas), begin_(begin), next_(begin + shortest_window), memory_(memory) {}

void Sampler::observe(const Seen& seen) {
  WR_CHECK(wanted_ == 0 && seen.at == next_);
  if (length_ == 0) return first_wave(seen);
  Window window{seen.at - mark_.at, seen.ended - mark_.ended, seen.counters};
  window.counters.subtract(mark_.counters);
  mark_ = seen;
  next_ = seen.at + length_;
  remaining_ = ctas_ - seen.started;
  if (std::exchange(disturbed_, false)) {
    windows_.clear();
    after_gap_ = false;
    confirmed_ = 0;
    discard_ = 1;
    return;
  }
  if (discard_ > 0) {
    --discard_;
    // The first wave behind a gap finds less in the caches than it would have.
    if (after_gap_)
      gap_.slow_start = static_cast<double>(window.cycles) -
                        static_cast<double>(window.counters.warp_instructions) / gap_.rate;
    return;
  }
  windows_.push_back(std::move(window));
  if (after_gap_) {
    if (windows_.size() < windows_after_gap) return;
    close_gap();
  }
  if (!memory_is_steady() || !steady()) return;
  const std::uint64_t tail = 2 * std::max(resident_, sum().ctas / windows_.size());
  if (remaining_ < tail + least()) {
    next_ = never;
    return;
  }
  const std::uint64_t most = std::max<std::uint64_t>(ctas_ / first_gap_share << std::min(confirmed_, 3), 1);
  wanted_ = std::min(remaining_ - tail, most);
  // A rest that would not be worth another gap.
  if (remaining_ - tail - wanted_ < 2 * least()) wanted_ = remaining_ - tail;
  last_ = wanted_ == remaining_ - tail;
  next_ = seen.at;
}

/// Until as many CTAs have ended as are resident: caches are cold, and all begin at once.
void Sampler::first_wave(const Seen& seen) {
  resident_ = seen.started - seen.ended;
  next_ = seen.at + std::max(shortest_window / 4, (seen.at - begin_) / 4);
  if (resident_ == 0 || ctas_ < least_waves * resident_ || seen.started == ctas_) {
    next_ = never;
    return;
  }
  if (seen.ended < resident_) return;
  const double wave = static_cast<double>(seen.at - begin_) * static_cast<double>(resident_) /
                      static_cast<double>(seen.ended);
  length_ = std::max(shortest_window, static_cast<Cycle>(wave));
  mark_ = seen;
  next_ = seen.at + length_;
  disturbed_ = false;
  discard_ = 1;
}

Sampler::Window Sampler::sum() const {
  Window all;
  for (const Window& w : windows_) {
    all.cycles += w.cycles;
    all.ctas += w.ctas;
    all.counters.add(w.counters);
  }
  return all;
}

/// The windows behind a gap say whether the rate in it was right.
void Sampler::close_gap() {
  const Window behind = sum();
  const double change = behind.rate() / gap_.rate - 1;
  after_gap_ = false;
  error_cycles_ += std::max(gap_.error, gap_.cycles * std::abs(change) / 2);
  owed_ += gap_.instructions * (1 / behind.rate() - 1 / gap_.rate) / 2;
  if (std::abs(change) <= same_rate) {
    owed_ -= gap_.slow_start;
    windows_.insert(windows_.begin(), before_.begin(), before_.end());
    ++confirmed_;
  } else {
    confirmed_ = 0;
  }
  before_.clear();
}

/// As many of the latest windows as give a rate with a narrow interval.
bool Sampler::steady() {
  for (std::size_t n = windows_.size(); n >= least_windows; --n) {
    double mean = 0, square = 0;
    for (auto w = windows_.end() - static_cast<std::ptrdiff_t>(n); w != windows_.end(); ++w)
      mean += w->rate();
    mean /= static_cast<double>(n);
    for (auto w = windows_.end() - static_cast<std::ptrdiff_t>(n); w != windows_.end(); ++w)
      square += (w->rate() - mean) * (w->rate() - mean);
    const double deviation = std::sqrt(square / static_cast<double>(n - 1));
    const double half = students_t(n - 1) * deviation / std::sqrt(static_cast<double>(n)) / mean;
    if (!(half <= widest_interval)) continue;
    windows_.erase(windows_.begin(), windows_.end() - static_cast<std::ptrdiff_t>(n));
    half_width_ = half;
    return true;
  }
  return false;
}

std::uint64_t Sampler::least() const {
  return 2 * resident_;
}

Cycle Sampler::estimate(std::uint64_t ctas) const {
  const Window all = sum();
  return static_cast<Cycle>(static_cast<double>(all.cycles) * static_cast<double>(ctas) /
                            static_cast<double>(std::max<std::uint64_t>(all.ctas, 1)));
}

double Sampler::filled_bytes(const Counters& c) const {
  const std::uint64_t sectors =
      less(c.l2_read_sectors + c.l2_write_sectors + c.l2_atomic_sectors, c.l2_hit_sectors);
  return static_cast<double>(sectors) * memory_.sector_bytes;
}

/// While a grid fills L2 for the first time, what it drops is another's: the rate of write-backs, and with it
/// that of all, changes when the grid meets its own lines.
bool Sampler::memory_is_steady() const {
  const Window all = sum();
  if (filled_bytes(all.counters) <
      share_of_dram * memory_.dram_bytes_per_cycle * static_cast<double>(all.cycles))
    return true;
  const double filled = filled_bytes(mark_.counters);
  return filled >= memory_.l2_bytes ||
         filled + fill_per_cta(all) * static_cast<double>(remaining_) < memory_.l2_bytes;
}

double Sampler::fill_per_cta(const Window& of) const {
  return filled_bytes(of.counters) / static_cast<double>(std::max<std::uint64_t>(of.ctas, 1));
}

/// What they bring into L2 is still there at the end of the grid.
std::uint64_t Sampler::warming() const {
  const double per_cta = fill_per_cta(sum());
  // Less than a hundredth of L2: it holds already what the grid needs.
  if (per_cta * static_cast<double>(remaining_) < memory_.l2_bytes / 100) return 0;
  const double last = std::ceil(memory_.l2_bytes / per_cta),
               behind = static_cast<double>(remaining_ - wanted_);
  return static_cast<std::uint64_t>(std::clamp(last - behind, 0.0, static_cast<double>(wanted_)));
}

void Sampler::decline() {
  wanted_ = 0;
  next_ = mark_.at + length_;
}

void Sampler::stop() {
  wanted_ = 0;
  next_ = never;
}

Sampler::Passed Sampler::passed(std::uint64_t ctas, const Counters& exact, Cycle least_cycles) {
  const Window all = sum();
  gap_ = {};
  gap_.rate = all.rate();
  gap_.instructions = static_cast<double>(exact.warp_instructions);
  gap_.cycles = gap_.instructions / gap_.rate;
  gap_.error = gap_.cycles * (half_width_ + difference_of_mix(exact, all.counters));
  Passed passed;
  passed.cycles = std::llround(std::max(gap_.cycles + owed_, static_cast<double>(least_cycles)));
  owed_ = std::min(0.0, gap_.cycles + owed_);
  const double by = gap_.instructions / static_cast<double>(all.counters.warp_instructions);
  passed.counters = scaled_counters(all.counters, exact, by, ctas);
  before_ = std::move(windows_);
  windows_.clear();
  after_gap_ = true;
  discard_ = 1;
  wanted_ = 0;
  ctas_passed_ += ctas;
  mark_.started += ctas;
  mark_.ended += ctas;
  next_ = last_ ? never : mark_.at + length_;
  return passed;
}

double Sampler::error_cycles() const {
  return error_cycles_ + (after_gap_ ? gap_.error : 0);
}

}  // namespace wanren::timing
