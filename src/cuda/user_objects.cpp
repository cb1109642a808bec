#include "cuda/user_objects.h"

#include <algorithm>
#include <mutex>

#include "cuda/graphs.h"

namespace wanren::cuda {
namespace {

using driver::Status;
constexpr Status invalid = Status::cudaErrorInvalidValue;

std::recursive_mutex& references() {
  static auto* mutex = new std::recursive_mutex;  // Outlives static destructors.
  return *mutex;
}

}  // namespace

Status user_object_create(CUuserObject_st** made, void* object, void (*destroy)(void*), unsigned count,
                          unsigned flags) {
  constexpr unsigned no_destructor_sync = 1;  // The only one there is, and it must be given.
  if (made == nullptr || destroy == nullptr || count == 0 || flags != no_destructor_sync) return invalid;
  auto owner = std::make_shared<CUuserObject_st>(object, destroy);
  owner->self = owner;
  owner->held = owner;
  owner->program = count;
  *made = owner.get();
  return Status::cudaSuccess;
}

Status user_object_retain(CUuserObject_st* object, unsigned count) {
  if (object == nullptr || count == 0) return invalid;
  std::lock_guard lock(references());
  object->program += count;
  object->held = object->self.lock();
  return Status::cudaSuccess;
}

Status user_object_release(CUuserObject_st* object, unsigned count) {
  if (object == nullptr || count == 0) return invalid;
  std::shared_ptr<CUuserObject_st> last;  // Ends without the lock.
  std::lock_guard lock(references());
  if (count > object->program) return invalid;
  object->program -= count;
  if (object->program == 0) last = std::move(object->held);
  return Status::cudaSuccess;
}

Status graph_retain(CUgraph_st* graph, CUuserObject_st* object, unsigned count, unsigned flags) {
  constexpr unsigned move = 1;
  if (graph == nullptr || object == nullptr || count == 0 || flags > move) return invalid;
  std::lock_guard lock(references());
  if (flags == move && count > object->program) return invalid;
  auto& kept = graph_of(graph)->kept;
  kept.insert(kept.end(), count, object->self.lock());
  return flags == move ? user_object_release(object, count) : Status::cudaSuccess;
}

Status graph_release(CUgraph_st* graph, CUuserObject_st* object, unsigned count) {
  if (graph == nullptr || object == nullptr || count == 0) return invalid;
  std::vector<std::shared_ptr<void>> gone;
  std::lock_guard lock(references());
  auto& kept = graph_of(graph)->kept;
  if (std::count_if(kept.begin(), kept.end(), [&](const auto& one) { return one.get() == object; }) < count)
    return invalid;
  for (auto it = kept.begin(); gone.size() < count;)
    if (it->get() == object) {
      gone.push_back(std::move(*it));
      it = kept.erase(it);
    } else {
      ++it;
    }
  return Status::cudaSuccess;
}

}  // namespace wanren::cuda
