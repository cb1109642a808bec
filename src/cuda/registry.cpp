#include "cuda/registry.h"

#include <algorithm>
#include <cstring>

#include "cuda/device_code.h"
#include "support/log.h"

namespace wanren::cuda {
namespace {

/// `wanren cc` marks PTX that other files' device code links with.
constexpr std::string_view relocatable_mark = "// wanren: relocatable";

std::string program_name() {
  return program_invocation_short_name;
}

}  // namespace

Registry& Registry::instance() {
  // Leaked on purpose: static destructors of programs unregister late.
  static Registry* registry = new Registry;
  return *registry;
}

Registry::Unit* Registry::add_unit(const FatBinaryWrapper& wrapper) {
  std::lock_guard lock(mutex_);
  auto unit = std::make_unique<Unit>();
  unit->relocatable = wrapper.version == 2;
  // What the vendor's linker made is machine code; the parts still have their PTX.
  if (unit->relocatable)
    for (const void* const* part = wrapper.parts; part != nullptr && *part != nullptr; ++part)
      unit->data.push_back(*part);
  if (unit->data.empty()) unit->data = {wrapper.data};
  units_.push_back(std::move(unit));
  return units_.back().get();
}

void Registry::remove_unit(Unit* unit) {
  std::lock_guard lock(mutex_);
  unit->unloaded = true;
}

void Registry::add_function(Unit* unit, const void* host, const char* name) {
  std::lock_guard lock(mutex_);
  functions_[host] = Symbol{unit, name, 0, {}};
}

void Registry::add_variable(Unit* unit, const void* host, const char* name, std::size_t bytes) {
  std::lock_guard lock(mutex_);
  variables_[host] = Symbol{unit, name, bytes, {}};
}

driver::Loaded<driver::Module*> Registry::module_of(Unit* unit, driver::Device& device) {
  if (auto it = modules_.find({unit, &device}); it != modules_.end()) return it->second;
  auto pick = [&](const Unit& from) -> driver::Loaded<std::vector<std::string>> {
    std::vector<std::string> texts;
    for (const void* data : from.data) {
      // The vendor's own device library is a part too, for its newest chips; code that calls it does not
      // link.
      const auto images = images_at(data);
      if (from.data.size() > 1 && images && best_image(*images, device.chip()) == nullptr) continue;
      driver::Loaded<std::string> text = pick_image(images_at(data), device.chip(), program_name());
      if (!text) return std::unexpected(text.error());
      texts.push_back(std::move(*text));
    }
    if (texts.empty()) {
      driver::Loaded<std::string> why =
          pick_image(images_at(from.data.front()), device.chip(), program_name());
      if (!why) return std::unexpected(why.error());
    }
    return texts;
  };
  auto text = pick(*unit);
  if (!text) return std::unexpected(text.error());
  auto is_marked = [](const std::vector<std::string>& ptx) {
    return ptx.front().starts_with(relocatable_mark);
  };
  if (!unit->relocatable && !is_marked(*text)) {
    auto module = device.load_module(std::move(*text), program_name());
    if (!module) return std::unexpected(module.error());
    return modules_[{unit, &device}] = *module;
  }
  std::vector<std::string> texts;
  std::vector<Unit*> linked;
  for (const auto& other : units_) {
    if (other->unloaded) continue;
    auto part = pick(*other);
    if (!part) return std::unexpected(part.error());
    if (!other->relocatable && !is_marked(*part)) continue;
    std::move(part->begin(), part->end(), std::back_inserter(texts));
    linked.push_back(other.get());
  }
  auto module = device.load_module(std::move(texts), program_name());
  if (!module) return std::unexpected(module.error());
  for (Unit* other : linked) modules_[{other, &device}] = *module;
  return *module;
}

driver::Loaded<driver::Function*> Registry::function(const void* host, driver::Device& device) {
  std::lock_guard lock(mutex_);
  auto it = functions_.find(host);
  if (it == functions_.end())
    return std::unexpected(
        driver::Failure{driver::Status::cudaErrorInvalidDeviceFunction,
                        Error{program_name(), "launch of something that is not a kernel", ""}});
  Symbol& symbol = it->second;
  driver::Function*& known = symbol.function[&device];
  if (known != nullptr) return known;
  auto module = module_of(symbol.unit, device);
  if (!module) return std::unexpected(module.error());
  auto function = (*module)->function(symbol.name);
  if (!function) {
    log::error(function.error().error.message());
    return function;
  }
  return known = *function;
}

bool Registry::variable(const void* host, driver::Device& device, void** address, std::size_t* bytes) {
  std::lock_guard lock(mutex_);
  auto it = variables_.find(host);
  if (it == variables_.end()) return false;
  auto module = module_of(it->second.unit, device);
  if (!module) return false;
  std::uint64_t where = 0, size = 0;
  if (!(*module)->variable(it->second.name, where, size)) return false;
  *address = reinterpret_cast<void*>(where);
  *bytes = size;
  return true;
}

const char* Registry::name_of(const void* host) const {
  std::lock_guard lock(mutex_);
  auto it = functions_.find(host);
  return it != functions_.end() ? it->second.name.c_str() : nullptr;
}

}  // namespace wanren::cuda
