#include "driver/context.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace wanren::driver {
namespace {

struct Contexts {
  std::mutex mutex;
  std::map<const Device*, std::unique_ptr<Context>> primary;
  std::set<const void*> live;
  unsigned long long next_id = 1;
};
Contexts& all() {
  static auto* contexts = new Contexts;  // Outlives static destructors.
  return *contexts;
}

thread_local std::vector<Context*> stack;

}  // namespace

Context& primary_context(Device& device) {
  std::lock_guard lock(all().mutex);
  std::unique_ptr<Context>& context = all().primary[&device];
  if (!context) {
    context.reset(new Context{device, 0, all().next_id++, true});
    all().live.insert(context.get());
  }
  return *context;
}

Context* create_context(Device& device, unsigned flags) {
  auto* context = new Context{device, flags};
  {
    std::lock_guard lock(all().mutex);
    context->id = all().next_id++;
    all().live.insert(context);
  }
  push_context(context);
  return context;
}

bool destroy_context(Context* context) {
  {
    std::lock_guard lock(all().mutex);
    if (!all().live.contains(context) || context->primary) return false;
    all().live.erase(context);
  }
  // Other threads that have it on their stacks find it dead; its storage stays, so that they may look.
  std::erase(stack, context);
  return true;
}

bool is_context(const void* handle) {
  std::lock_guard lock(all().mutex);
  return all().live.contains(handle);
}

Context* current_context() {
  return stack.empty() ? nullptr : stack.back();
}

void set_current_context(Context* context) {
  if (!stack.empty()) stack.pop_back();
  if (context != nullptr) stack.push_back(context);
}

void push_context(Context* context) {
  stack.push_back(context);
}

Context* pop_context() {
  if (stack.empty()) return nullptr;
  Context* top = stack.back();
  stack.pop_back();
  return top;
}

}  // namespace wanren::driver
