#include "timing/device.h"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>

#include "support/result.h"
#include "support/wall_clock.h"
#include "timing/device_impl.h"

namespace wanren::timing {

Device::Impl::Impl(const chip::Spec& spec, int host_threads, const ClockGovernor* g)
    : chip(spec),
      p(parameters(spec)),
      governor(g),
      threads(std::max(1, host_threads)),
      clock(p.core_mhz),
      memory(p),
      arena(threads) {
  for (int u = 0; u < p.units; ++u) units.push_back(std::make_unique<Unit>(p, clock, u));
  dispatcher = std::make_unique<Dispatcher>(p, units);
  for (int t = 0; t < threads; ++t) workspaces.push_back(std::make_unique<Workspace>(p));
  if (governor) {
    window_end = p.clock_window;
    window_end_cycle = clock.from(window_end);
  }
}

bool Device::Impl::busy() const {
  if (memory.next_event() < never) return true;
  return std::any_of(units.begin(), units.end(),
                     [](const auto& unit) { return unit->next_event() < never || !unit->freed().empty(); });
}

Cycle Device::Impl::next_event() const {
  Cycle next = never;
  for (const auto& unit : units) {
    next = std::min(next, unit->next_event());
    if (!unit->freed().empty()) return present;  // The dispatcher has not seen them.
  }
  next = std::min(next, memory.next_event());
  for (const ItemRef& item : waiting_to_begin) next = std::min(next, item->first);
  for (const ItemRef& item : copies) next = std::min(next, item->last);
  return std::max(next, present);
}

/// Where the step from `from` ends: units stay alone no longer than the quantum, and no item begins or ends,
/// and the clock does not change, inside a step.
Cycle Device::Impl::step_end(Cycle from) const {
  // What warps of a coupled grid see of each other is ordered by time: one cycle at a time.
  Cycle end = std::min(from + (dispatcher->coupled() ? 1 : dispatcher->quantum()), window_end_cycle);
  for (const ItemRef& item : waiting_to_begin)
    if (item->first > from) end = std::min(end, item->first);
  for (const ItemRef& item : copies)
    if (item->last > from) end = std::min(end, item->last);
  return end;
}

void Device::Impl::step(Cycle from, Cycle end) {
  active.clear();
  for (int u = 0; u < p.units; ++u)
    if (units[u]->next_event() < end) active.push_back(u);
  if (threads > 1 && end > from + 1 && active.size() > 3) {
    arena.execute([&] {
      tbb::parallel_for(std::size_t{0}, active.size(), [&](std::size_t i) {
        const int thread = tbb::this_task_arena::current_thread_index();
        units[active[i]]->advance(end, *workspaces[static_cast<std::size_t>(thread)]);
      });
    });
  } else {
    for (const int u : active) units[u]->advance(end, *workspaces[0]);
  }
  for (const int u : active) {
    memory.accept(u, units[u]->outbox());
    units[u]->outbox().clear();
  }
  memory.advance(end);
  for (const std::uint16_t u : memory.touched()) {
    units[u]->receive(memory.replies(u));
    memory.replies(u).clear();
  }
  memory.touched().clear();
  dispatcher->refill(end);
  present = end;
}

/// Host time goes to the kernels running, in equal parts.
void Device::Impl::charge_wall() {
  const double now = wall_seconds();
  for (const ItemRef& item : kernels)
    item->timed.wall_s += (now - wall_mark_s) / static_cast<double>(kernels.size());
  wall_mark_s = now;
}

/// Simulates until `until` (null: everything) has ended, or up to `limit`. Steps do not depend on either:
/// where the limit falls inside one, it is left for later.
void Device::Impl::run(const Job* until, const Picoseconds* limit) {
  WR_CHECK(!running);
  running = true;
  wall_mark_s = wall_seconds();
  while (until ? !until->ended : unfinished > 0) {
    const Cycle from = next_event();
    const Cycle last = limit ? clock.upto(*limit) : never;
    if (limit && from > last) break;
    WR_CHECK(from < never / 2);  // nothing can happen, yet work is left: a warp waits for ever
    if (from >= window_end_cycle) {
      present = std::max(present, window_end_cycle);
      close_window();
      continue;
    }
    present = from;
    end_copies(from);
    begin_items(from);
    if (busy()) {
      const Cycle end = step_end(from);
      if (end > last) break;
      step(from, end);
      charge_wall();
    }
    end_kernels();
  }
  running = false;
}

Device::Device(const chip::Spec& chip, int threads, const ClockGovernor* governor)
    : impl_(std::make_unique<Impl>(chip, threads, governor)) {}
Device::~Device() = default;

Picoseconds Device::now() const {
  return impl_->clock.at(impl_->present);
}

JobRef Device::admit(Work work) {
  Impl& d = *impl_;
  auto item = std::make_shared<Item>();
  item->work = std::move(work);
  item->device = &d;
  item->number = d.admitted++;
  item->work.not_before = std::max(item->work.not_before, now());
  ++d.unfinished;
  for (const JobRef& before : item->work.after) {
    item->follows = true;
    auto other = std::static_pointer_cast<Item>(before);
    WR_CHECK(other->device == &d);
    if (other->ended) {
      item->after = std::max(item->after, other->end);
      continue;
    }
    ++item->open;
    other->followers.push_back(item);
  }
  // Whoever holds a job does not hold all that came before it.
  item->work.after.clear();
  if (item->open == 0) d.ready(item);
  return item;
}

void Device::advance_until(const JobRef& job) {
  impl_->run(job.get(), nullptr);
}

void Device::advance_to(Picoseconds time) {
  impl_->run(nullptr, &time);
}

void Device::advance_all() {
  impl_->run(nullptr, nullptr);
}

}  // namespace wanren::timing
