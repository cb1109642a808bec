// Gates: places in a stream where the device finds out whether to go on, from what memory holds when it gets
// there. Nothing behind a closed gate is admitted to the simulation.

#include <algorithm>
#include <chrono>
#include <thread>

#include "driver/device_impl.h"
#include "support/log.h"

namespace wanren::driver {
namespace {

/// A closed gate is asked again whenever an operation of the device ends, and at multiples of this: device
/// code that goes on may open it.
constexpr Picoseconds gate_period{2'000'000};
/// Of the host, while only the program itself can open it.
constexpr std::chrono::microseconds host_pause{50};
constexpr int pauses_until_warning = 40'000;

}  // namespace

Status Device::gate(const Stream& stream, std::function<bool(Picoseconds)> open) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  impl_->charge_us(chip_.host.api_call);
  Op op;
  op.stream = stream;
  op.gate = std::move(open);
  impl_->submit(std::move(op));
  return impl_->sticky;
}

bool Device::Impl::waits_at_gate(const Op& op) const {
  return op.gate || std::any_of(op.after.begin(), op.after.end(),
                                [](const OpRef& before) { return !before->ended && before->job == nullptr; });
}

bool Device::Impl::passes(Op& op, Picoseconds at) {
  if (!std::all_of(op.after.begin(), op.after.end(), [](const OpRef& before) { return before->ended; }))
    return false;
  if (!op.gate || lost()) return true;
  Picoseconds reached = op.not_before;
  for (const OpRef& before : op.after) reached = later(reached, before->end);
  const Reach everything = Reach::everything(*shared.peers);
  return op.gate(later(reached, at));
}

void Device::Impl::ask_gates(Picoseconds at) {
  if (asking) {
    ask_again = true;
    return;
  }
  asking = true;
  do {
    ask_again = false;
    for (std::size_t i = 0; i < held.size();) {
      const OpRef op = held[i];
      if (op->gate ? !passes(*op, at) : waits_at_gate(*op)) {
        ++i;
        continue;
      }
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
      if (op->gate) {
        Picoseconds end = later(op->not_before, at);
        for (const OpRef& before : op->after) end = later(end, before->end);
        settle(*op, end, end, nullptr);
      } else {
        admit(op);
      }
      ask_again = true;
    }
  } while (ask_again);
  asking = false;
}

bool Device::Impl::go_on(const OpRef& op) {
  const auto there = [&] { return op ? op->ended : held.empty(); };
  if (!timing) {
    execute_queue();
    return op ? op->ended : queue.empty();
  }
  // What runs on the device is seen at moments that do not depend on who looks when.
  if (timing->idle()) ask_gates(later(timing->now(), host_now));
  Picoseconds at = timing->now();
  while (!held.empty() && !there()) {
    if (timing->idle()) return false;
    at = Picoseconds((at.value / gate_period.value + 1) * gate_period.value);
    timing->advance_to(at);
    ask_gates(at);
  }
  if (op && op->ended) return true;
  if (op)
    timing->advance_until(op->job);
  else
    timing->advance_all();
  return true;
}

void Device::Impl::look_at_gates() {
  Picoseconds at = timing->now();
  while (!held.empty() && !timing->idle()) {
    at = Picoseconds((at.value / gate_period.value + 1) * gate_period.value);
    if (host_now < at) break;
    timing->advance_to(at);
    ask_gates(at);
  }
  timing->advance_to(host_now);
  if (timing->idle()) ask_gates(host_now);
}

void Device::Impl::wait_at_gate(int pauses) {
  // Other devices may be to open it, or another thread of the program.
  for (Device* other : shared.devices)
    if (Impl& its = *other->impl_; &its != this && its.executing == 0) {
      ++its.executing;
      {
        const Reach reach = its.reach_of_running();
        (void)its.go_on(nullptr);
      }
      --its.executing;
    }
  if (pauses == pauses_until_warning)
    log::warn("a stream of device " + std::to_string(device.index()) +
              " waits for a value that nothing under way writes");
  if (progress) progress->pause();
  --executing;
  mutex.unlock();
  std::this_thread::sleep_for(host_pause);
  mutex.lock();
  ++executing;
  if (progress) progress->resume();
}

namespace {

std::uint64_t read_value(const Device::ValueOp& op) {
  return op.bytes == 4 ? __atomic_load_n(static_cast<const std::uint32_t*>(op.at), __ATOMIC_ACQUIRE)
                       : __atomic_load_n(static_cast<const std::uint64_t*>(op.at), __ATOMIC_ACQUIRE);
}

void write_value(const Device::ValueOp& op) {
  if (op.bytes == 4)
    __atomic_store_n(static_cast<std::uint32_t*>(op.at), static_cast<std::uint32_t>(op.value),
                     __ATOMIC_RELEASE);
  else
    __atomic_store_n(static_cast<std::uint64_t*>(op.at), op.value, __ATOMIC_RELEASE);
}

bool arrived(const Device::ValueOp& op) {
  const unsigned unused_bits = 64 - 8 * op.bytes;
  const std::uint64_t all = ~std::uint64_t{0} >> unused_bits, seen = read_value(op), wanted = op.value & all;
  switch (op.wait) {
    // The difference is signed, so that counters may wrap.
    case ValueWait::at_least: return static_cast<std::int64_t>((seen - wanted) << unused_bits) >= 0;
    case ValueWait::equal: return seen == wanted;
    case ValueWait::any_bit: return (seen & wanted) != 0;
    case ValueWait::any_bit_off: return (~(seen | wanted) & all) != 0;
  }
  return true;
}

}  // namespace

Status Device::values(const Stream& stream, std::vector<ValueOp> ops) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  for (const ValueOp& op : ops) {
    const auto at = reinterpret_cast<std::uintptr_t>(op.at);
    if (at % op.bytes != 0 || !arena().find(op.at) || !arena().find(static_cast<char*>(op.at) + op.bytes - 1))
      return Status::cudaErrorInvalidValue;
  }
  if (CapturePoint* point = capturing(stream)) {
    point->add(ValueCall{std::move(ops)});
    return Status::cudaSuccess;
  }
  for (const ValueOp& op : ops) {
    if (!op.write) {
      if (const Status status = gate(stream, [op](Picoseconds) { return arrived(op); });
          status != Status::cudaSuccess)
        return status;
      continue;
    }
    impl_->charge_us(chip_.host.api_call);
    Op written;
    written.stream = stream;
    written.abroad = true;
    written.effect = [op] { write_value(op); };
    impl_->submit(std::move(written));
  }
  return impl_->sticky;
}

Status Device::from_device(Picoseconds at, const std::function<Status()>& submit) {
  std::lock_guard lock(impl_->mutex);
  const Picoseconds host_now = impl_->host_now;
  impl_->host_now = at;
  ++impl_->free_of_charge;
  const Status status = submit();
  --impl_->free_of_charge;
  impl_->host_now = host_now;
  return status;
}

}  // namespace wanren::driver
