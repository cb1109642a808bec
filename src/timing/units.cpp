#include "timing/units.h"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <functional>

namespace wanren::timing {
namespace {

/// Fewer active units than this are not worth waking other threads for.
constexpr std::size_t few = 4;

}  // namespace

struct Units::Host {
  Host(const Parameters& p, int threads) : arena(threads), threads(threads) {
    for (int t = 0; t < threads; ++t) workspaces.push_back(std::make_unique<Workspace>(p));
  }
  tbb::task_arena arena;
  int threads;
  std::vector<std::unique_ptr<Workspace>> workspaces;
};

Units::Units(const Parameters& p, const CoreClock& clock, int threads)
    : host_(std::make_unique<Host>(p, std::max(1, threads))), clusters_(p) {
  for (int u = 0; u < p.units; ++u) units_.push_back(std::make_unique<Unit>(p, clock, u));
}
Units::~Units() = default;

Cycle Units::next_event() const {
  Cycle next = never;
  for (const auto& unit : units_) next = std::min(next, unit->next_event());
  return next;
}

bool Units::freed() const {
  return std::any_of(units_.begin(), units_.end(), [](const auto& unit) { return !unit->freed().empty(); });
}

/// The units that have stopped go on, the earliest first. One that goes on may stop again, later.
void Units::take_turns(Cycle end) {
  const auto add = [this](int u) {
    turns_.emplace_back(units_[u]->next_event(), u);
    std::push_heap(turns_.begin(), turns_.end(), std::greater<>());
  };
  for (const int u : active_)
    if (units_[u]->waits_for_turn()) add(u);
  while (!turns_.empty()) {
    const int u = turns_.front().second;
    std::pop_heap(turns_.begin(), turns_.end(), std::greater<>());
    turns_.pop_back();
    units_[u]->take_turn();
    units_[u]->advance(end, *host_->workspaces[0], true);
    if (units_[u]->waits_for_turn()) add(u);
  }
}

void Units::advance(Cycle end, bool ordered, MemorySystem& memory) {
  active_.clear();
  for (std::size_t u = 0; u < units_.size(); ++u)
    if (units_[u]->next_event() < end) active_.push_back(static_cast<int>(u));
  if (host_->threads > 1 && active_.size() >= few) {
    host_->arena.execute([&] {
      tbb::parallel_for(std::size_t{0}, active_.size(), [&](std::size_t i) {
        const int thread = tbb::this_task_arena::current_thread_index();
        units_[active_[i]]->advance(end, *host_->workspaces[static_cast<std::size_t>(thread)], ordered);
      });
    });
  } else {
    for (const int u : active_) units_[u]->advance(end, *host_->workspaces[0], ordered);
  }
  if (ordered) take_turns(end);
  for (const int u : active_) memory.accept(u, units_[u]->outbox());
  memory.advance(end);
  for (const std::uint16_t u : memory.touched()) {
    units_[u]->receive(memory.replies(u));
    memory.replies(u).clear();
  }
  memory.touched().clear();
  for (const int u : active_) clusters_.accept(u, units_[u]->messages());
  clusters_.pass_on([this](int u, const ClusterNews& news) { units_[u]->tell(news); });
}

}  // namespace wanren::timing
