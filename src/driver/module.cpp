#include "driver/module.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "driver/link.h"

namespace wanren::driver {
namespace {

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

bool lives_in_device_memory(const ptx::Variable& variable) {
  return (variable.space == ptx::Space::global || variable.space == ptx::Space::constant) &&
         !variable.is_extern;
}

}  // namespace

std::string demangle(const std::string& name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  if (status != 0 || text == nullptr) return name;
  std::string result = text;
  std::free(text);
  return result;
}

Module::Module(ptx::Module ptx, std::string name, engine::Arena& arena, int domain)
    : ptx_(std::move(ptx)), name_(std::move(name)), arena_(arena), domain_(domain) {}

Module::~Module() {
  if (storage_ != nullptr) (void)arena_.release(storage_);
}

Loaded<std::unique_ptr<Module>> Module::load(std::vector<std::string> ptx_texts, const std::string& name,
                                             const chip::Spec& chip, engine::Arena& arena, int domain) {
  const auto ptx_target = static_cast<int>(chip.identity.ptx_target);
  std::vector<ptx::Module> parsed;
  for (std::size_t i = 0; i < ptx_texts.size(); ++i) {
    const std::string part = ptx_texts.size() == 1 ? name : name + "#" + std::to_string(i);
    Result<ptx::Module> module = ptx::parse(ptx_texts[i], part);
    if (!module) return std::unexpected(Failure{Status::cudaErrorInvalidPtx, module.error()});
    if (module->target_sm > ptx_target)
      return std::unexpected(
          Failure{Status::cudaErrorNoKernelImageForDevice,
                  Error{part,
                        "PTX for " + module->target + " does not run on this chip, which runs PTX up to sm_" +
                            std::to_string(ptx_target),
                        "compile with -arch=sm_" + std::to_string(ptx_target) + " or pick another chip"}});
    if (module->target.ends_with('a') && !chip.identity.ptx_arch_features)
      return std::unexpected(Failure{
          Status::cudaErrorNoKernelImageForDevice,
          Error{part,
                "PTX for " + module->target +
                    " needs instructions of one architecture, which this chip has not",
                "compile with -arch=sm_" + std::to_string(module->target_sm) + " or pick another chip"}});
    parsed.push_back(std::move(*module));
  }
  Result<ptx::Module> linked = link_modules(std::move(parsed));
  if (!linked) return std::unexpected(Failure{Status::cudaErrorInvalidPtx, linked.error()});
  std::unique_ptr<Module> module(new Module(std::move(*linked), name, arena, domain));
  if (Loaded<void> placed = module->place_variables(); !placed) return std::unexpected(placed.error());
  return module;
}

Loaded<void> Module::place_variables() {
  std::uint64_t total = 0;
  for (const ptx::Variable& variable : ptx_.variables) {
    if (!lives_in_device_memory(variable)) continue;
    const std::uint64_t alignment = std::max<std::uint64_t>(variable.align, 16);
    total = align_up(total, alignment);
    variables_[variable.name] = {total, variable.bytes()};
    total += std::max<std::uint64_t>(variable.bytes(), 1);
  }
  if (total == 0) return {};
  auto storage = arena_.allocate(total, domain_);
  if (!storage) return std::unexpected(Failure{Status::cudaErrorMemoryAllocation, storage.error()});
  storage_ = *storage;
  storage_bytes_ = total;
  for (auto& [name, placed] : variables_) placed.address += reinterpret_cast<std::uint64_t>(storage_);
  return initialise();
}

Loaded<void> Module::initialise() {
  if (storage_ == nullptr) return {};
  std::memset(storage_, 0, storage_bytes_);
  const simt::FunctionAddresses functions(ptx_);
  for (const ptx::Variable& variable : ptx_.variables) {
    if (!lives_in_device_memory(variable)) continue;
    auto* to = reinterpret_cast<std::uint8_t*>(variables_[variable.name].address);
    std::copy(variable.initial.begin(), variable.initial.end(), to);
    // clang's list of what other files use; nothing reads it.
    if (variable.name == "__clang_gpu_used_external") continue;
    for (const ptx::Variable::Relocation& relocation : variable.relocations) {
      auto target = variables_.find(relocation.symbol);
      if (const std::uint64_t function = functions.of(relocation.symbol);
          target == variables_.end() && function != 0) {
        std::memcpy(to + relocation.offset, &function, sizeof function);
        continue;
      }
      // Declared and never defined, as pure virtual functions are: stays null, and a call of it faults.
      if (target == variables_.end() &&
          std::any_of(ptx_.functions.begin(), ptx_.functions.end(),
                      [&](const ptx::Function& f) { return f.name == relocation.symbol; }))
        continue;
      if (target == variables_.end())
        return std::unexpected(
            Failure{Status::cudaErrorInvalidPtx,
                    Error{name_ + ":" + std::to_string(variable.location.ptx_line),
                          "initial value of '" + variable.name + "' names '" + relocation.symbol +
                              "', which is not a variable in device memory",
                          "link the file that defines it"}});
      const std::uint64_t value = target->second.address + static_cast<std::uint64_t>(relocation.addend);
      std::memcpy(to + relocation.offset, &value, sizeof value);
    }
  }
  return {};
}

Loaded<Function*> Module::function(const std::string& name) {
  if (auto it = functions_.find(name); it != functions_.end()) return it->second.get();
  const bool exists = std::any_of(ptx_.functions.begin(), ptx_.functions.end(), [&](const ptx::Function& f) {
    return f.is_kernel && f.has_body && f.name == name;
  });
  if (!exists)
    return std::unexpected(Failure{Status::cudaErrorSymbolNotFound,
                                   Error{name_, "there is no kernel '" + demangle(name) + "'", ""}});
  Result<simt::Kernel> built = simt::build(ptx_, name, name_);
  if (!built) return std::unexpected(Failure{Status::cudaErrorInvalidPtx, built.error()});
  auto function = std::make_unique<Function>();
  function->module = this;
  function->name = name;
  function->display_name = demangle(name);
  for (const std::string& global : built->globals) {
    auto variable = variables_.find(global);
    if (variable == variables_.end())
      return std::unexpected(Failure{Status::cudaErrorInvalidPtx,
                                     Error{name_, "variable '" + global + "' is declared but not defined",
                                           "link the file that defines it"}});
    function->global_addresses.push_back(variable->second.address);
  }
  function->kernel = std::make_shared<const simt::Kernel>(std::move(*built));
  return (functions_[name] = std::move(function)).get();
}

void fit_stack(Function& function, std::uint32_t bytes) {
  if (!function.kernel->recursive || function.stack_bytes == bytes) return;
  function.kernel = std::make_shared<const simt::Kernel>(simt::with_stack(*function.kernel, bytes));
  function.stack_bytes = bytes;
}

bool Module::variable(const std::string& name, std::uint64_t& address, std::uint64_t& bytes) const {
  auto it = variables_.find(name);
  if (it == variables_.end()) return false;
  address = it->second.address;
  bytes = it->second.bytes;
  return true;
}

}  // namespace wanren::driver
