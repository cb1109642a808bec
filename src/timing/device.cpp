#include "timing/device.h"

#include <algorithm>

#include "support/result.h"
#include "support/wall_clock.h"
#include "timing/device_impl.h"

namespace wanren::timing {

Device::Impl::Impl(const chip::Spec& spec, int host_threads, const ClockGovernor* g, Cycle most,
                   bool sampled_)
    : chip(spec),
      most_quantum(most),
      sampled(sampled_),
      p(parameters_at(spec.clock.core)),
      governor(g),
      clock(p.core_mhz),
      memory(p),
      units(p, clock, host_threads),
      dispatcher(p, units) {
  if (governor) {
    window_end = p.clock_window;
    window_end_cycle = clock.from(window_end);
  }
}

Parameters Device::Impl::parameters_at(double mhz) const {
  Parameters at = parameters(chip, mhz);
  if (most_quantum > 0) at.quantum = std::min(at.quantum, most_quantum);
  return at;
}

bool Device::Impl::busy() const {
  return memory.next_event() < never || units.next_event() < never || units.freed() ||
         dispatcher.next_event() < never;
}

Cycle Device::Impl::next_event() const {
  if (units.freed()) return present;  // The dispatcher has not seen them.
  Cycle next = std::min(units.next_event(), memory.next_event());
  next = std::min(next, dispatcher.next_event());
  for (const ItemRef& item : waiting_to_begin) next = std::min(next, item->first);
  for (const ItemRef& item : copies) next = std::min(next, item->last);
  return std::max(next, present);
}

/// Where the step from `from` ends: units stay alone no longer than the quantum, and no item begins or ends,
/// and the clock does not change, inside a step. That a kernel has ended shows at the end of the step: what
/// follows must not have to begin before that.
Cycle Device::Impl::step_end(Cycle from) const {
  Cycle end = std::min({from + dispatcher.quantum(), window_end_cycle, next_sample()});
  for (const ItemRef& item : kernels)
    if (!item->followers.empty() && item->launch->started == item->launch->ctas)
      end = std::min(end, from + std::max<Cycle>(1, launch_gap()));
  for (const ItemRef& item : waiting_to_begin)
    if (item->first > from) end = std::min(end, item->first);
  for (const ItemRef& item : copies)
    if (item->last > from) end = std::min(end, item->last);
  return end;
}

void Device::Impl::step(Cycle end) {
  units.advance(end, dispatcher.ordered(), memory);
  dispatcher.refill(end);
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
  const Picoseconds before = heard;
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
    if (const Cycle sample = next_sample(); from >= sample) {
      present = std::max(present, sample);
      if (!take_samples(limit)) break;
      continue;
    }
    present = from;
    end_copies(from);
    begin_items(from);
    if (busy()) {
      const Cycle end = step_end(from);
      if (end > last) break;
      step(end);
      charge_wall();
    }
    end_kernels();
  }
  // Not how far the last step has gone: that depends on the quantum.
  heard = std::max(before, until ? until->timed.end : limit ? before : last_end);
  running = false;
}

Device::Device(const chip::Spec& chip, int threads, const ClockGovernor* governor, Cycle most_quantum,
               bool sampled)
    : impl_(std::make_unique<Impl>(chip, threads, governor, most_quantum, sampled)) {}
Device::~Device() = default;

Picoseconds Device::now() const {
  return impl_->clock.at(impl_->present);
}

bool Device::idle() const {
  return impl_->unfinished == 0;
}

void Device::set_peer_memory(std::vector<MemoryRange> ranges) {
  impl_->memory.set_peer_memory(std::move(ranges));
}

JobRef Device::admit(Work work) {
  Impl& d = *impl_;
  auto item = std::make_shared<Item>();
  item->work = std::move(work);
  item->device = &d;
  item->number = d.admitted++;
  item->work.not_before = std::max(item->work.not_before, d.heard);
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
