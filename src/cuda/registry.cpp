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
  unit->data = wrapper.data;
  unit->relocatable = wrapper.version == 2;
  units_.push_back(std::move(unit));
  return units_.back().get();
}

void Registry::remove_unit(Unit* unit) {
  std::lock_guard lock(mutex_);
  unit->unloaded = true;
}

void Registry::add_function(Unit* unit, const void* host, const char* name) {
  std::lock_guard lock(mutex_);
  functions_[host] = Symbol{unit, name};
}

void Registry::add_variable(Unit* unit, const void* host, const char* name, std::size_t bytes) {
  std::lock_guard lock(mutex_);
  variables_[host] = Symbol{unit, name, bytes};
}

driver::Loaded<driver::Module*> Registry::module_of(Unit* unit) {
  if (auto it = modules_.find(unit); it != modules_.end()) return it->second;
  driver::Status why = driver::Status::cudaSuccess;
  driver::Device* device = driver::Device::get(&why);
  if (device == nullptr) return std::unexpected(driver::Failure{why, Error{"", driver::text(why), ""}});

  auto pick = [&](const Unit& from) {
    return pick_image(images_at(from.data), device->chip(), program_name());
  };
  driver::Loaded<std::string> text = pick(*unit);
  if (!text) return std::unexpected(text.error());
  auto is_marked = [](const std::string& ptx) { return ptx.starts_with(relocatable_mark); };
  if (!unit->relocatable && !is_marked(*text)) {
    auto module = device->load_module({std::move(*text)}, program_name());
    if (!module) return std::unexpected(module.error());
    return modules_[unit] = *module;
  }
  std::vector<std::string> texts;
  std::vector<Unit*> linked;
  for (const auto& other : units_) {
    if (other->unloaded) continue;
    driver::Loaded<std::string> part = pick(*other);
    if (!part) return std::unexpected(part.error());
    if (!other->relocatable && !is_marked(*part)) continue;
    texts.push_back(std::move(*part));
    linked.push_back(other.get());
  }
  auto module = device->load_module(std::move(texts), program_name());
  if (!module) return std::unexpected(module.error());
  for (Unit* other : linked) modules_[other] = *module;
  return *module;
}

driver::Loaded<driver::Function*> Registry::function(const void* host) {
  std::lock_guard lock(mutex_);
  auto it = functions_.find(host);
  if (it == functions_.end())
    return std::unexpected(
        driver::Failure{driver::Status::cudaErrorInvalidDeviceFunction,
                        Error{program_name(), "launch of something that is not a kernel", ""}});
  Symbol& symbol = it->second;
  if (symbol.function != nullptr) return symbol.function;
  auto module = module_of(symbol.unit);
  if (!module) return std::unexpected(module.error());
  auto function = (*module)->function(symbol.name);
  if (!function) {
    log::error(function.error().error.message());
    return function;
  }
  return symbol.function = *function;
}

bool Registry::variable(const void* host, void** address, std::size_t* bytes) {
  std::lock_guard lock(mutex_);
  auto it = variables_.find(host);
  if (it == variables_.end()) return false;
  auto module = module_of(it->second.unit);
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
