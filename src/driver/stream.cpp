// Streams and events as the host sees them.

#include <algorithm>

#include "driver/device_impl.h"

namespace wanren::driver {

Stream Device::create_stream(bool non_blocking, int priority) {
  std::lock_guard lock(impl_->mutex);
  auto stream = std::make_shared<StreamState>();
  stream->id = impl_->next_stream++;
  stream->non_blocking = non_blocking;
  stream->priority = priority;
  impl_->streams.push_back(stream);
  return stream;
}

/// What is in it goes on; the state lives as long as its ops.
Status Device::destroy_stream(const Stream&) {
  std::lock_guard lock(impl_->mutex);
  return impl_->sticky;
}

Status Device::synchronize(const Stream& stream) {
  std::lock_guard lock(impl_->mutex);
  if (capturing(stream)) return Status::cudaErrorStreamCaptureUnsupported;
  const Stream target = impl_->resolve(stream);
  impl_->wait_for(target->last);
  if (target->is_default)
    for (const auto& weak : impl_->streams)
      if (Stream other = weak.lock(); other && !other->non_blocking) impl_->wait_for(other->last);
  impl_->charge_us(chip_.host.synchronize);
  return impl_->sticky;
}

Status Device::query(const Stream& stream) {
  std::lock_guard lock(impl_->mutex);
  if (capturing(stream)) return Status::cudaErrorStreamCaptureUnsupported;
  impl_->charge_poll();
  impl_->look();
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  return impl_->over(impl_->resolve(stream)->last) ? Status::cudaSuccess : Status::cudaErrorNotReady;
}

Status Device::wait_event(const Stream& stream, const Event& event) {
  std::lock_guard lock(impl_->mutex);
  if (Status status; join_capture(stream, event, status)) return status;
  // An event of outside the capture has nothing that the graph could wait for.
  if (capturing(stream)) return Status::cudaErrorStreamCaptureIsolation;
  if (!event->op) return impl_->sticky;
  const Stream target = impl_->resolve(stream);
  if (event->op->device == this) {
    target->waits.push_back(event->op);
  } else {
    // The other device's simulation is its own: it goes on to the event, and this one takes the time.
    event->op->device->impl_->complete(event->op);
    target->not_before = later(target->not_before, event->op->end);
  }
  return impl_->sticky;
}

Status Device::synchronize_device() {
  std::lock_guard lock(impl_->mutex);
  impl_->wait_for_all();
  impl_->charge_us(chip_.host.synchronize);
  return impl_->sticky;
}

Event Device::create_event(bool timing, bool blocking) {
  auto event = std::make_shared<EventState>();
  event->timing = timing;
  return event;
}

Status Device::record(const Event& event, const Stream& stream) {
  std::lock_guard lock(impl_->mutex);
  if (const CapturePoint* point = capturing(stream)) {
    event->captured = *point;
    return Status::cudaSuccess;
  }
  event->captured = {};
  impl_->charge_us(chip_.host.api_call);
  Op op;
  op.kind = Op::Kind::marker;
  op.stream = stream;
  event->op = impl_->submit(std::move(op));
  return impl_->sticky;
}

Status Device::synchronize(const Event& event) {
  std::lock_guard lock(impl_->mutex);
  if (event->op && event->op->device != this) return event->op->device->synchronize(event);
  impl_->wait_for(event->op);
  impl_->charge_us(chip_.host.synchronize);
  return impl_->sticky;
}

Status Device::query(const Event& event) {
  std::lock_guard lock(impl_->mutex);
  if (event->op && event->op->device != this) return event->op->device->query(event);
  impl_->charge_poll();
  impl_->look();
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  return impl_->over(event->op) ? Status::cudaSuccess : Status::cudaErrorNotReady;
}

Status Device::elapsed_ms(const Event& begin, const Event& end, float& milliseconds) {
  std::lock_guard lock(impl_->mutex);
  if (!begin->timing || !end->timing || !begin->op || !end->op) return Status::cudaErrorInvalidResourceHandle;
  if (begin->op->device != end->op->device) return Status::cudaErrorInvalidResourceHandle;
  if (end->op->device != this) return end->op->device->elapsed_ms(begin, end, milliseconds);
  impl_->look();
  if (impl_->sticky != Status::cudaSuccess) return impl_->sticky;
  // As on hardware: NotReady until the host has waited or time has passed.
  if (!impl_->over(end->op) || !impl_->over(begin->op)) return Status::cudaErrorNotReady;
  milliseconds = static_cast<float>(to_us(end->op->end - begin->op->end) * 1e-3);
  return Status::cudaSuccess;
}

Status Device::host_function(const Stream& stream, std::function<void()> function) {
  std::lock_guard lock(impl_->mutex);
  if (CapturePoint* point = capturing(stream)) {
    point->add(HostCall{std::move(function)});
    return Status::cudaSuccess;
  }
  impl_->charge_us(chip_.host.api_call);
  Op op;
  op.kind = Op::Kind::host_function;
  op.stream = stream;
  op.abroad = true;
  op.effect = std::move(function);
  const OpRef submitted = impl_->submit(std::move(op));
  // The program may wait for what the function signals instead of calling CUDA again.
  impl_->complete(submitted);
  return impl_->sticky;
}

std::uint64_t Device::host_clock_ns() {
  std::lock_guard lock(impl_->mutex);
  impl_->charge_us(chip_.host.clock_read);
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
