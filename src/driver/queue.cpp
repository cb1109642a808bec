// From an op in a stream to its end: order, execution, and how far the device goes before the host.

#include <algorithm>

#include "driver/device_impl.h"
#include "engine/grid.h"
#include "engine/verify.h"
#include "support/log.h"

namespace wanren::driver {
namespace {

/// Ops of one stream that the device holds before the host has to wait, about what CUDA's driver allows.
constexpr std::size_t stream_depth = 1024;

}  // namespace

void Device::Impl::charge_us(double microseconds) {
  if (free_of_charge == 0) host_now += from_us(microseconds);
}

OpRef Device::Impl::submit(Op new_op) {
  auto op = std::make_shared<Op>(std::move(new_op));
  op->stream = resolve(op->stream);
  op->device = &device;
  op->number = next_op++;
  StreamState& stream = *op->stream;
  while (!stream.pending.empty() && stream.pending.front()->ended) stream.pending.pop_front();
  if (stream.pending.size() >= stream_depth) {
    const OpRef oldest = stream.pending.front();
    complete(oldest);
    if (oldest->ended) host_now = later(host_now, oldest->end);
  }
  const auto wait_for = [&](const StreamState& other) {
    if (other.last) op->after.push_back(other.last);
  };
  wait_for(stream);
  // The legacy default stream and blocking streams wait for each other.
  if (stream.is_default) {
    std::erase_if(streams, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : streams)
      if (Stream other = weak.lock(); other && !other->non_blocking) wait_for(*other);
  } else if (!stream.non_blocking) {
    wait_for(*default_stream);
  }
  op->after.insert(op->after.end(), stream.waits.begin(), stream.waits.end());
  stream.waits.clear();
  std::sort(op->after.begin(), op->after.end());
  op->after.erase(std::unique(op->after.begin(), op->after.end()), op->after.end());
  op->not_before = later(host_now, stream.not_before);
  stream.last = op;
  stream.pending.push_back(op);
  if (!timing)
    queue.push_back(op);
  else if (waits_at_gate(*op))
    held.push_back(op);
  else
    admit(op);
  return op;
}

void Device::Impl::run_effect(const Op& op) {
  if (!op.abroad) return op.effect();
  const Reach everything = Reach::everything(*shared.peers);
  op.effect();
}

/// For the time in which the device goes on; open() narrows it when a kernel begins.
Reach Device::Impl::reach_of_running() const {
  return running.empty() ? Reach::as_before(*shared.peers) : Reach(*shared.peers, device.index_);
}

bool Device::Impl::lost() const {
  return sticky != Status::cudaSuccess ||
         std::any_of(running.begin(), running.end(), [](const Op* op) { return op->source->failed(); });
}

void Device::Impl::admit(const OpRef& op) {
  timing::Work work;
  work.not_before = op->not_before;
  for (const OpRef& before : op->after)
    if (before->job)
      work.after.push_back(before->job);
    else  // A gate.
      work.not_before = later(work.not_before, before->end);
  op->after.clear();
  if (op->kind == Op::Kind::kernel) {
    work.kernel.program = op->program;
    work.kernel.occupancy = op->occupancy;
    work.kernel.profiled = shared.profile != nullptr;
    work.kernel.dynamic_and_static_shared_bytes = op->static_shared_bytes + op->launch.dynamic_shared_bytes;
    work.kernel.open = [this, op] { return open(*op); };
    if (progress) progress->expect(op->launch.grid.count());
  } else {
    work.copy = op->copy;
    work.on_begin = [this, op] {
      if (op->effect && !lost()) run_effect(*op);
    };
  }
  work.on_end = [this, op](const timing::Timed& timed) { settle(*op, timed.begin, timed.end, &timed); };
  op->job = timing->admit(std::move(work));
}

trace::WarpSource* Device::Impl::open(Op& op) {
  if (lost()) return nullptr;
  Reach::become(*shared.peers, device.index_);
  if (shared.devices.size() > 1) {
    std::vector<timing::MemoryRange> remote;
    for (const engine::Arena::Region& region : shared.peers->remote(device.index_))
      if (!region.physical || shared.physical.at(region.physical.get()) != &device)
        remote.push_back({DeviceAddress(region.begin), region.bytes});
    timing->set_peer_memory(std::move(remote));
  }
  auto source = engine::trace_source(op.launch, device.arena());
  if (!source) {
    refuse(source.error());
    return nullptr;
  }
  op.source = engine::watched(std::move(*source), op.launch.name);
  running.push_back(&op);
  if (progress) op.watched = progress->watch(op.source.get(), op.launch.name);
  return op.watched ? op.watched : op.source.get();
}

void Device::Impl::record_kernel(Op& op, const engine::Execution& execution, const timing::Timed* timed) {
  if (execution.refused) refuse(*execution.refused);
  note_fault(execution.fault);
  report::KernelRecord record =
      make_record(device.chip_, op.launch, op.program, op.occupancy, execution, timed);
  if (shared.profile && timed)
    shared.profile->add(make_profile(device.chip_, device.index(), op.launch, *op.program, *timed));
  record.stream = op.stream->id;
  record.device = device.index();
  record.compile_wall_s = op.compile_wall_s;
  record.functional_wall_s = execution.wall_s;
  // timing_wall_s is all that is not execution: the simulation and the hand-over of traces.
  if (timed)
    record.timing_wall_s = std::max(0.0, timed->wall_s - execution.wall_s);
  else
    record.start_us = record.end_us = to_us(op.not_before);
  run.kernels.push_back(std::move(record));
}

void Device::Impl::settle(Op& op, Picoseconds begin, Picoseconds end, const timing::Timed* timed) {
  if (op.source) {
    std::erase(running, &op);
    if (sticky == Status::cudaSuccess) record_kernel(op, op.source->execution(), timed);
    if (op.watched) progress->forget(op.watched);
    op.watched = nullptr;
    op.source.reset();
  }
  op.ended = true;
  op.begin = begin;
  op.end = end;
  device_end = later(device_end, end);
  if (op.kind == Op::Kind::copy && op.copy.kind != timing::CopyKind::none) {
    constexpr const char* names[] = {"host_to_device", "device_to_host", "device_to_device", "fill", "",
                                     "peer_to_peer"};
    report::CopyRecord record{names[static_cast<int>(op.copy.kind)], op.stream->id, to_us(begin), to_us(end),
                              op.copy.bytes};
    record.device = device.index();
    if (op.peer >= 0) record.kind = "peer_to_peer";
    record.peer = op.peer;
    copies.emplace_back(op.number, std::move(record));
  }
  // Whoever still asks when it ended does not need what it was made of.
  op.launch = {};
  op.effect = nullptr;
  op.gate = nullptr;
  op.after.clear();
  op.stream.reset();
  if (!held.empty()) ask_gates(end);
}

void Device::Impl::note_fault(const engine::FaultReport& fault) {
  if (fault.fault == simt::Fault::none || sticky != Status::cudaSuccess) return;
  sticky = status_of(fault.fault);
  failure = fault.message;
  log::error(fault.message);
}

void Device::Impl::refuse(const Error& error) {
  log::error(error.message());
  if (sticky != Status::cudaSuccess) return;
  sticky = Status::cudaErrorLaunchOutOfResources;
  failure = error.message();
}

void Device::Impl::execute_queue() {
  for (;;) {
    // In the order of submission, but for what waits at a gate.
    // A gate that is asked may submit more.
    std::size_t next = 0;
    while (next < queue.size() && !passes(*OpRef(queue[next]), queue[next]->not_before)) ++next;
    if (next == queue.size()) return;
    const OpRef op = queue[next];
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(next));
    if (sticky == Status::cudaSuccess) {
      if (op->effect) run_effect(*op);
      if (op->kind == Op::Kind::kernel) {
        const Reach reach(*shared.peers, device.index_);
        record_kernel(*op, engine::execute(op->launch, device.arena(), device.settings().host_threads()),
                      nullptr);
      }
    }
    settle(*op, op->not_before, op->not_before, nullptr);
  }
}

void Device::Impl::complete(const OpRef& op) {
  // From a host function: the device stands still until it returns.
  if (executing > 0 || (op && op->ended)) return;
  ++executing;
  if (progress) progress->resume();
  const Reach reach = reach_of_running();
  // At the process's end nobody waits for what will not come.
  for (int pauses = 0; !go_on(op) && !shared.finished && sticky == Status::cudaSuccess; ++pauses)
    wait_at_gate(pauses);
  if (progress) progress->pause();
  --executing;
}

void Device::Impl::look() {
  if (executing > 0) return;
  ++executing;
  const Reach reach = reach_of_running();
  if (!timing)
    execute_queue();
  else if (held.empty())
    timing->advance_to(host_now);
  else
    look_at_gates();
  --executing;
}

void Device::Impl::wait_for(const OpRef& op) {
  if (!op) return;
  complete(op);
  if (op->ended) host_now = later(host_now, op->end);
  release_freed();
}

void Device::Impl::wait_for_all() {
  complete(nullptr);
  host_now = later(host_now, device_end);
  release_freed();
}

void Device::Impl::release_freed() {
  std::erase_if(freed, [&](const FreedBlock& block) {
    if (!over(block.free)) return false;
    WR_CHECK(release(block.pointer).has_value());
    return true;
  });
}

}  // namespace wanren::driver
