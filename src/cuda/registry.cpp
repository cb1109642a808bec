#include "cuda/registry.h"

#include <algorithm>
#include <cstring>

#include "ptx/fatbinary.h"
#include "support/log.h"

namespace wanren::cuda {
namespace {

/// `wanren cc` marks PTX that other files' device code links with.
constexpr std::string_view relocatable_mark = "// wanren: relocatable";

/// The PTX texts of embedded device code: a fat binary, or PTX text that a zero byte ends.
Result<std::vector<ptx::PtxImage>> images_at(const void* data) {
  const auto* bytes = static_cast<const std::byte*>(data);
  constexpr unsigned char fat_binary_magic[] = {0x50, 0xed, 0x55, 0xba};
  if (std::memcmp(data, fat_binary_magic, sizeof fat_binary_magic) != 0)
    return ptx::extract({bytes, std::strlen(static_cast<const char*>(data))});
  const auto size =
      ptx::fat_binary_bytes(std::span<const std::byte, ptx::fat_binary_header_bytes>(bytes, ptx::fat_binary_header_bytes));
  if (!size) return std::unexpected(size.error());
  return ptx::extract({bytes, *size});
}

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

  auto refuse = [](driver::Status status, Error error) {
    log::error(error.message());
    return std::unexpected(driver::Failure{status, std::move(error)});
  };
  const int target = static_cast<int>(device->chip().identity.ptx_target);
  // The best PTX that the chip runs; a unit may carry several targets.
  auto pick = [&](const Unit& from) -> driver::Loaded<std::string> {
    Result<std::vector<ptx::PtxImage>> images = images_at(from.data);
    if (!images) return refuse(driver::Status::cudaErrorInvalidKernelImage, images.error());
    const ptx::PtxImage* best = nullptr;
    int lowest = 1 << 20;
    for (const ptx::PtxImage& image : *images) {
      lowest = std::min(lowest, image.target_sm);
      if (image.target_sm <= target && (best == nullptr || image.target_sm > best->target_sm)) best = &image;
    }
    if (best == nullptr)
      return refuse(
          driver::Status::cudaErrorNoKernelImageForDevice,
          images->empty()
              ? Error{program_name(),
                      "its device code is machine code for another vendor's chip, without PTX",
                      "recompile with wanren cc, or with nvcc -gencode arch=compute_80,code=compute_80"}
              : Error{program_name(),
                      "its PTX is for sm_" + std::to_string(lowest) + "; chip " + device->chip().name +
                          " runs PTX up to sm_" + std::to_string(target),
                      "recompile with -arch=sm_" + std::to_string(target) + " or choose another chip"});
    return best->text;
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
