#pragma once
// One warp's asynchronous copies in the order of issue: the groups that it forms of them, and the mbarriers
// that arrivals are owed to once all copies so far are there.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "timing/time.h"

namespace wanren::timing {

class CopyGroups {
 public:
  struct Arrival {
    std::uint32_t mbarrier, count;
    Cycle at;
  };

  /// A copy is issued. Returns its stretch, which end_copy() takes.
  std::uint32_t begin_copy(Cycle now) {
    now_ = now;
    if (stretches_.empty()) stretches_.emplace_back();
    ++stretches_.back().under_way;
    return first_ + static_cast<std::uint32_t>(stretches_.size()) - 1;
  }
  /// It is known that all its data are there at `at`. Arrivals whose time that settles are appended to `due`.
  void end_copy(std::uint32_t stretch, Cycle at, std::vector<Arrival>& due) {
    Stretch& s = stretches_[stretch - first_];
    --s.under_way;
    s.done = std::max(s.done, at);
    settle(due);
  }
  /// The open group ends.
  void commit() { close().commits = true; }
  /// Owes `count` arrivals once the copies so far are there; that may be settled at once.
  void owe(std::uint32_t mbarrier, std::uint32_t count, Cycle now, std::vector<Arrival>& due) {
    now_ = now;
    Stretch& s = close();
    s.done = std::max(s.done, now);
    s.arrivals.push_back({mbarrier, count, 0});
    settle(due);
  }
  /// When all groups but the `newest` newest are there; never: not known yet.
  Cycle groups_done(std::uint64_t newest) const {
    std::size_t count = stretches_.size();
    for (std::uint64_t seen = 0; count > 0; --count)
      if (stretches_[count - 1].commits && ++seen > newest) break;
    return done_before(count);
  }
  Cycle all_done() const { return done_before(stretches_.size()); }

 private:
  /// Copies between two ends of groups, or a group's end and an owed arrival.
  struct Stretch {
    std::uint32_t under_way = 0;
    bool commits = false;  ///< A group ends with it.
    Cycle done = 0;
    std::vector<Arrival> arrivals;
  };

  Stretch& close() {
    if (stretches_.empty()) stretches_.emplace_back();
    stretches_.emplace_back();
    return stretches_[stretches_.size() - 2];
  }
  void settle(std::vector<Arrival>& due) {
    Cycle done = done_;
    std::size_t past = 0;
    for (std::size_t i = 0; i + 1 < stretches_.size() && stretches_[i].under_way == 0; ++i) {
      Stretch& s = stretches_[i];
      done = std::max(done, s.done);
      for (const Arrival& a : s.arrivals) due.push_back({a.mbarrier, a.count, done});
      s.arrivals.clear();
      if (done > now_) continue;
      done_ = done;
      past = i + 1;
    }
    stretches_.erase(stretches_.begin(), stretches_.begin() + static_cast<std::ptrdiff_t>(past));
    first_ += static_cast<std::uint32_t>(past);
  }
  Cycle done_before(std::size_t count) const {
    Cycle done = done_;
    for (std::size_t i = 0; i < count; ++i) {
      if (stretches_[i].under_way != 0) return never;
      done = std::max(done, stretches_[i].done);
    }
    return done;
  }

  std::vector<Stretch> stretches_;  ///< The last one is open; those that are over and past are dropped.
  std::uint32_t first_ = 0;         ///< Number of the first.
  Cycle done_ = 0;                  ///< Of those dropped.
  Cycle now_ = 0;                   ///< When the warp last issued a copy.
};

}  // namespace wanren::timing
