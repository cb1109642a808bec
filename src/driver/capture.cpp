// Capture: streams whose work becomes nodes of a graph instead of running.

#include <algorithm>
#include <atomic>
#include <mutex>

#include "driver/device_impl.h"
#include "driver/graph.h"

namespace wanren::driver {

namespace {

struct Active {
  std::mutex mutex;
  std::vector<std::weak_ptr<Capture>> captures;  ///< Not ended.
};
Active& active() {
  static auto* all = new Active;  // Outlives static destructors.
  return *all;
}

}  // namespace

CaptureMode& thread_capture_mode() {
  thread_local CaptureMode mode = CaptureMode::global;
  return mode;
}

Status unsafe_in_capture() {
  const CaptureMode mine = thread_capture_mode();
  if (mine == CaptureMode::relaxed) return Status::cudaSuccess;
  std::lock_guard lock(active().mutex);
  Status status = Status::cudaSuccess;
  for (const auto& weak : active().captures) {
    const std::shared_ptr<Capture> capture = weak.lock();
    if (!capture || capture->mode == CaptureMode::relaxed) continue;
    if (capture->thread != std::this_thread::get_id() &&
        (mine != CaptureMode::global || capture->mode != CaptureMode::global))
      continue;
    capture->invalid = true;
    status = Status::cudaErrorStreamCaptureUnsupported;
  }
  return status;
}

Status implicit_in_capture(const Stream& stream, std::span<const std::weak_ptr<StreamState>> streams) {
  if (stream && !stream->is_default) return Status::cudaSuccess;
  Status status = Status::cudaSuccess;
  for (const auto& weak : streams)
    if (const Stream other = weak.lock(); other && !other->non_blocking && other->captured.capture) {
      other->captured.capture->invalid = true;
      status = Status::cudaErrorStreamCaptureImplicit;
    }
  return status;
}

CapturePoint* capturing(const Stream& stream) {
  return stream && stream->captured.capture ? &stream->captured : nullptr;
}

Status begin_capture(const Stream& stream, CaptureMode mode, Graph* graph,
                     std::span<GraphNode* const> after) {
  if (!stream || stream->is_default) return Status::cudaErrorStreamCaptureUnsupported;
  if (stream->captured.capture) return Status::cudaErrorIllegalState;
  for (const GraphNode* node : after)
    if (graph == nullptr || !graph->owns(node)) return Status::cudaErrorInvalidValue;
  static std::atomic<unsigned long long> next_id{0};
  auto capture = std::make_shared<Capture>();
  if (graph != nullptr) {
    capture->owned.reset();
    capture->graph = graph;
  }
  capture->origin = stream.get();
  capture->id = ++next_id;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->streams = {stream};
  {
    std::lock_guard lock(active().mutex);
    std::erase_if(active().captures, [](const auto& weak) { return weak.expired(); });
    active().captures.push_back(capture);
  }
  stream->captured = {std::move(capture), {after.begin(), after.end()}};
  return Status::cudaSuccess;
}

Status end_capture(const Stream& stream, Graph** graph) {
  *graph = nullptr;
  CapturePoint* point = capturing(stream);
  if (point == nullptr) return Status::cudaErrorIllegalState;
  const std::shared_ptr<Capture> capture = point->capture;
  if (capture->origin != stream.get()) return Status::cudaErrorStreamCaptureUnmatched;
  if (capture->mode != CaptureMode::relaxed && capture->thread != std::this_thread::get_id())
    return Status::cudaErrorStreamCaptureWrongThread;
  {
    std::lock_guard lock(active().mutex);
    std::erase_if(active().captures, [&](const auto& weak) { return weak.lock() == capture; });
  }
  // Work of other streams that the origin has not waited for is lost to it.
  std::vector<GraphNode*> reached = point->tail;
  for (std::size_t i = 0; i < reached.size(); ++i)
    for (GraphNode* before : reached[i]->after)
      if (std::find(reached.begin(), reached.end(), before) == reached.end()) reached.push_back(before);
  bool joined = !capture->owned || reached.size() == capture->owned->nodes().size();
  for (const auto& weak : capture->streams)
    if (const Stream other = weak.lock())
      for (GraphNode* node : other->captured.tail)
        joined = joined && std::find(reached.begin(), reached.end(), node) != reached.end();
  for (const auto& weak : capture->streams)
    if (const Stream other = weak.lock()) other->captured = {};
  if (capture->invalid) return Status::cudaErrorStreamCaptureInvalidated;
  if (!joined) return Status::cudaErrorStreamCaptureUnjoined;
  *graph = capture->owned ? capture->owned.release() : capture->graph;
  return Status::cudaSuccess;
}

bool join_capture(const Stream& stream, const Event& event, Status& status) {
  status = Status::cudaSuccess;
  const std::shared_ptr<Capture>& capture = event->captured.capture;
  if (!capture) return false;
  // Once the capture has ended the event has nothing to wait for.
  const bool alive = std::any_of(capture->streams.begin(), capture->streams.end(), [&](const auto& weak) {
    const Stream other = weak.lock();
    return other && other->captured.capture == capture;
  });
  if (!alive) return false;
  if (!stream || stream->is_default) {
    status = Status::cudaErrorStreamCaptureImplicit;
    return true;
  }
  CapturePoint& point = stream->captured;
  if (!point.capture) {
    point.capture = capture;
    capture->streams.push_back(stream);
  }
  if (point.capture != capture) {
    status = Status::cudaErrorStreamCaptureMerge;
    return true;
  }
  for (GraphNode* node : event->captured.tail)
    if (std::find(point.tail.begin(), point.tail.end(), node) == point.tail.end()) point.tail.push_back(node);
  return true;
}

}  // namespace wanren::driver
