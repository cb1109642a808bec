#include "timing/subcore.h"

#include "support/result.h"

namespace wanren::timing {

SubCore::SubCore(const Parameters& p) : scheduler_(p.warp_scheduler), warps_(p.warps_per_subcore) {
  const std::size_t n = warps_.size();
  slots_.ready.assign(n, never);
  slots_.pipe.assign(n, 0);
  slots_.age.assign(n, 0);
  slots_.pipes = Pipes(p.int_shares_fp32);
}

void SubCore::fit(std::uint32_t scoreboard, std::uint32_t records) {
  if (scoreboard <= scoreboard_stride_ && records <= record_stride_) return;
  scoreboard = std::max(scoreboard, scoreboard_stride_);
  records = std::max(records, record_stride_);
  std::vector<Stamp> board(std::size_t{scoreboard} * warps_.size(), 0);
  std::vector<std::uint32_t> rows(std::size_t{records} * warps_.size(), 0);
  for (std::size_t w = 0; w < warps_.size(); ++w) {
    std::copy_n(scoreboard_.begin() + w * scoreboard_stride_, scoreboard_stride_,
                board.begin() + w * scoreboard);
    std::copy_n(records_.begin() + w * record_stride_, record_stride_, rows.begin() + w * records);
  }
  scoreboard_.swap(board);
  records_.swap(rows);
  scoreboard_stride_ = scoreboard;
  record_stride_ = records;
}

int SubCore::begin_warp(std::uint64_t age) {
  WR_CHECK(resident_ < static_cast<int>(warps_.size()));
  int w = 0;
  while (warps_[w].state != Warp::State::empty) ++w;
  ++resident_;
  slots_.top = std::max(slots_.top, w + 1);
  slots_.age[w] = age;
  warps_[w] = Warp{};
  warps_[w].state = Warp::State::running;
  std::fill_n(scoreboard(w), scoreboard_stride_, 0);
  return w;
}

void SubCore::end_warp(int w) {
  warps_[w].state = Warp::State::empty;
  park(w);
  --resident_;
  while (slots_.top > 0 && warps_[slots_.top - 1].state == Warp::State::empty) --slots_.top;
}

void SubCore::prefetch(const Load& load) const {
  const char* const warp = reinterpret_cast<const char*>(&warps_[load.warp]);
  __builtin_prefetch(warp, 1);
  __builtin_prefetch(warp + 64, 1);
  __builtin_prefetch(&scoreboard_[std::size_t{load.warp} * scoreboard_stride_ + load.dst], 1);
  __builtin_prefetch(records(load.warp));
}

}  // namespace wanren::timing
