// Streams, events and the flush that executes what has queued.

#include <algorithm>
#include <optional>

#include "driver/device_impl.h"
#include "driver/progress.h"
#include "engine/grid.h"
#include "engine/source.h"
#include "support/log.h"
#include "support/wall_clock.h"

namespace wanren::driver {
namespace {

/// Ops that may wait for the host to ask; a full queue is executed at once.
constexpr std::size_t queue_limit = 1024;

Picoseconds later(Picoseconds a, Picoseconds b) {
  return a < b ? b : a;
}

}  // namespace

void Device::Impl::charge_us(double microseconds) {
  host_now += from_us(microseconds);
}

void Device::Impl::wait_until(Picoseconds time) {
  host_now = later(host_now, time);
  charge_us(device.chip_.host.synchronize);
}

Status Device::Impl::enqueue(Op op) {
  op.stream = resolve(op.stream);
  StreamState& stream = *op.stream;
  Picoseconds not_before = later(host_now, later(stream.done, stream.not_before));
  auto wait_for = [&](const StreamState& other) {
    if (other.last_op != no_op) op.after.push_back(other.last_op);
    not_before = later(not_before, other.done);
  };
  if (stream.last_op != no_op) op.after.push_back(stream.last_op);
  // The legacy default stream and blocking streams wait for each other.
  if (stream.is_default) {
    std::erase_if(streams, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : streams)
      if (Stream other = weak.lock(); other && !other->non_blocking) wait_for(*other);
  } else if (!stream.non_blocking) {
    wait_for(*default_stream);
  }
  op.after.insert(op.after.end(), stream.waits.begin(), stream.waits.end());
  stream.waits.clear();
  std::sort(op.after.begin(), op.after.end());
  op.after.erase(std::unique(op.after.begin(), op.after.end()), op.after.end());
  op.not_before = not_before;
  const auto index = static_cast<std::uint32_t>(queue.size());
  stream.last_op = index;
  if (op.event) op.event->op = index;
  queue.push_back(std::move(op));
  if (queue.size() >= queue_limit) return flush();
  return sticky;
}

Status Device::Impl::flush() {
  if (executing > 0 || queue.empty()) return sticky;
  ++executing;
  std::vector<Op> ops = std::move(queue);
  queue.clear();
  ends.clear();
  if (timing)
    execute_timed(ops);
  else
    execute_untimed(ops);
  auto forget_ops = [this](StreamState& stream) {
    stream.last_op = no_op;
    for (const std::uint32_t op : stream.waits) stream.not_before = later(stream.not_before, ends[op]);
    stream.waits.clear();
  };
  for (const auto& weak : streams)
    if (Stream stream = weak.lock()) forget_ops(*stream);
  forget_ops(*default_stream);
  --executing;
  return sticky;
}

void Device::Impl::settle(Op& op, Picoseconds begin, Picoseconds end) {
  op.stream->done = later(op.stream->done, end);
  device_end = later(device_end, end);
  ends.push_back(end);
  if (op.event) {
    op.event->time = end;
    if (op.event->op != no_op) op.event->op = no_op;
  }
  if (op.kind == Op::Kind::copy && op.copy.kind != timing::CopyKind::none) {
    constexpr const char* names[] = {"host_to_device", "device_to_host", "device_to_device", "fill", ""};
    run.copies.push_back(report::CopyRecord{names[static_cast<int>(op.copy.kind)], op.stream->id,
                                            to_us(begin), to_us(end), op.copy.bytes});
  }
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

void Device::Impl::execute_untimed(std::vector<Op>& ops) {
  for (Op& op : ops) {
    if (sticky == Status::cudaSuccess) {
      if (op.effect) op.effect();
      if (op.kind == Op::Kind::kernel) {
        const engine::Execution execution =
            engine::execute(op.launch, *device.arena_, device.settings_.host_threads());
        if (execution.refused) refuse(*execution.refused);
        note_fault(execution.fault);
        report::KernelRecord record =
            make_record(device.chip_, op.launch, op.program, op.occupancy, execution, nullptr);
        record.stream = op.stream->id;
        record.compile_wall_s = op.compile_wall_s;
        record.functional_wall_s = execution.wall_s;
        record.start_us = record.end_us = to_us(op.not_before);
        run.kernels.push_back(std::move(record));
      }
    }
    settle(op, op.not_before, op.not_before);
  }
}

void Device::Impl::execute_timed(std::vector<Op>& ops) {
  std::vector<std::unique_ptr<engine::TraceSource>> sources(ops.size());
  std::vector<timing::Work> work(ops.size());
  std::optional<Progress> progress;
  if (Progress::wanted(device.settings_.summary != 0)) progress.emplace();
  for (std::size_t i = 0; i < ops.size(); ++i) {
    Op& op = ops[i];
    timing::Work& item = work[i];
    item.after = op.after;
    item.not_before = op.not_before;
    item.copy = op.copy;
    if (op.kind == Op::Kind::kernel) {
      auto source = engine::trace_source(op.launch, *device.arena_);
      if (!source) {
        refuse(source.error());
        break;
      }
      sources[i] = std::move(*source);
      item.kernel.program = op.program;
      item.kernel.source = progress ? progress->watch(sources[i].get(), op.launch.name) : sources[i].get();
      item.kernel.occupancy = op.occupancy;
      item.kernel.dynamic_and_static_shared_bytes = op.static_shared_bytes + op.launch.dynamic_shared_bytes;
      continue;
    }
    item.on_begin = [this, &ops, &sources, i] {
      // Work behind a fault has no effect: the context is lost.
      for (std::size_t j = 0; j < i; ++j)
        if (sources[j] && sources[j]->failed()) return;
      if (sticky == Status::cudaSuccess && ops[i].effect) ops[i].effect();
    };
  }
  if (sticky != Status::cudaSuccess) {
    for (Op& op : ops) settle(op, op.not_before, op.not_before);
    return;
  }
  const double begin_wall_s = wall_seconds();
  const std::vector<timing::Timed> timed = timing->run(work);
  const double total_wall_s = wall_seconds() - begin_wall_s;
  progress.reset();
  double known_wall_s = 0;
  for (const timing::Timed& item : timed) known_wall_s += item.wall_s;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    Op& op = ops[i];
    if (op.kind == Op::Kind::kernel && sticky == Status::cudaSuccess) {
      const engine::Execution execution = sources[i]->execution();
      if (execution.refused) refuse(*execution.refused);
      note_fault(execution.fault);
      report::KernelRecord record =
          make_record(device.chip_, op.launch, op.program, op.occupancy, execution, &timed[i]);
      record.stream = op.stream->id;
      record.compile_wall_s = op.compile_wall_s;
      record.functional_wall_s = execution.wall_s;
      // timing_wall_s is all that is not execution: the simulation and the hand-over of traces.
      const double share = known_wall_s > 0 ? timed[i].wall_s / known_wall_s : 0;
      record.timing_wall_s = std::max(0.0, total_wall_s * share - execution.wall_s);
      run.kernels.push_back(std::move(record));
    }
    settle(op, timed[i].begin, timed[i].end);
  }
}

// Streams.

Stream Device::create_stream(bool non_blocking, int priority) {
  std::lock_guard lock(impl_->mutex);
  auto stream = std::make_shared<StreamState>();
  stream->id = impl_->next_stream++;
  stream->non_blocking = non_blocking;
  stream->priority = priority;
  impl_->streams.push_back(stream);
  return stream;
}

Status Device::destroy_stream(const Stream& stream) {
  std::lock_guard lock(impl_->mutex);
  return impl_->flush();
}

Status Device::synchronize(const Stream& stream) {
  std::lock_guard lock(impl_->mutex);
  const Status status = impl_->flush();
  const Stream target = impl_->resolve(stream);
  impl_->wait_until(target->done);
  if (target->is_default)
    for (const auto& weak : impl_->streams)
      if (Stream other = weak.lock(); other && !other->non_blocking)
        impl_->host_now = later(impl_->host_now, other->done);
  return status;
}

Status Device::query(const Stream& stream) {
  std::lock_guard lock(impl_->mutex);
  const Status status = impl_->flush();
  impl_->charge_us(chip_.host.api_call);
  if (status != Status::cudaSuccess) return status;
  return impl_->resolve(stream)->done > impl_->host_now ? Status::cudaErrorNotReady : Status::cudaSuccess;
}

Status Device::wait_event(const Stream& stream, const Event& event) {
  std::lock_guard lock(impl_->mutex);
  StreamState& target = *impl_->resolve(stream);
  if (event->op != no_op) target.waits.push_back(event->op);
  if (event->recorded) target.not_before = later(target.not_before, event->time);
  return impl_->sticky;
}

Status Device::synchronize_device() {
  std::lock_guard lock(impl_->mutex);
  const Status status = impl_->flush();
  impl_->wait_until(impl_->device_end);
  return status;
}

Event Device::create_event(bool timing, bool blocking) {
  auto event = std::make_shared<EventState>();
  event->timing = timing;
  return event;
}

Status Device::record(const Event& event, const Stream& stream) {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.api_call);
  Op op;
  op.kind = Op::Kind::marker;
  op.stream = stream;
  op.event = event;
  event->recorded = true;
  // A record of the same event further back in the queue no longer counts.
  for (Op& earlier : impl_->queue)
    if (earlier.event == event) earlier.event.reset();
  return impl_->enqueue(std::move(op));
}

Status Device::synchronize(const Event& event) {
  std::lock_guard lock(impl_->mutex);
  if (event->op != no_op)
    if (const Status status = impl_->flush(); status != Status::cudaSuccess) return status;
  impl_->wait_until(event->time);
  return impl_->sticky;
}

Status Device::query(const Event& event) {
  std::lock_guard lock(impl_->mutex);
  if (event->op != no_op)
    if (const Status status = impl_->flush(); status != Status::cudaSuccess) return status;
  impl_->charge_us(chip_.host.api_call);
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  return event->recorded && event->time > impl_->host_now ? Status::cudaErrorNotReady : Status::cudaSuccess;
}

Status Device::elapsed_ms(const Event& begin, const Event& end, float& milliseconds) {
  std::lock_guard lock(impl_->mutex);
  if (!begin->timing || !end->timing || !begin->recorded || !end->recorded)
    return Status::cudaErrorInvalidResourceHandle;
  if (const Status status = impl_->flush(); status != Status::cudaSuccess) return status;
  if (end->time > impl_->host_now || begin->time > impl_->host_now) {
    // Real hardware answers NotReady until the host has waited; so does the modelled timeline.
    return Status::cudaErrorNotReady;
  }
  milliseconds = static_cast<float>(to_us(end->time - begin->time) * 1e-3);
  return Status::cudaSuccess;
}

Status Device::host_function(const Stream& stream, std::function<void()> function) {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.api_call);
  Op op;
  op.kind = Op::Kind::host_function;
  op.stream = stream;
  op.effect = std::move(function);
  if (const Status status = impl_->enqueue(std::move(op)); status != Status::cudaSuccess) return status;
  // The program may wait for what the function signals instead of calling CUDA again.
  return impl_->flush();
}

Status Device::flush() {
  std::lock_guard lock(impl_->mutex);
  return impl_->flush();
}

std::uint64_t Device::host_clock_ns() {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(0.025);  // A clock read on a current CPU.
  return static_cast<std::uint64_t>(impl_->host_now.value / 1000);
}

void Device::api_call() {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.api_call);
}

Status Device::sticky() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->sticky;
}

}  // namespace wanren::driver
