#include "cuda/handles.h"

#include <fstream>
#include <iterator>
#include <mutex>
#include <set>

#include "cuda/device_code.h"
#include "support/log.h"

namespace wanren::cuda {
namespace {

struct Handles {
  std::recursive_mutex mutex;
  std::set<const void*> functions, kernels, libraries;
};
Handles& all() {
  static auto* handles = new Handles;  // Outlives static destructors.
  return *handles;
}

bool holds(const std::set<const void*>& set, const void* handle) {
  std::lock_guard lock(all().mutex);
  return set.contains(handle);
}

}  // namespace

driver::Loaded<driver::Module*> Library::module(driver::Device& device) {
  std::lock_guard lock(all().mutex);
  if (const auto it = modules_.find(&device); it != modules_.end()) return it->second;
  auto loaded = load_image(images_, name_, device);
  if (loaded) modules_[&device] = *loaded;
  return loaded;
}

driver::Loaded<Kernel*> Library::kernel(const std::string& name, driver::Device& device) {
  std::lock_guard lock(all().mutex);
  auto loaded = module(device);
  if (!loaded) return std::unexpected(loaded.error());
  if (auto found = (*loaded)->function(name); !found) return std::unexpected(found.error());
  std::unique_ptr<Kernel>& kernel = kernels_[name];
  if (!kernel) {
    kernel = std::make_unique<Kernel>(Kernel{this, name});
    all().kernels.insert(kernel.get());
  }
  return kernel.get();
}

void Library::unload() {
  std::lock_guard lock(all().mutex);
  for (const auto& [name, kernel] : kernels_) all().kernels.erase(kernel.get());
  for (const auto& [device, module] : modules_) cuda::unload(module, *device);
}

driver::Function* publish(driver::Function* function) {
  std::lock_guard lock(all().mutex);
  all().functions.insert(function);
  return function;
}

driver::Function* published(const void* handle) {
  return holds(all().functions, handle) ? static_cast<driver::Function*>(const_cast<void*>(handle)) : nullptr;
}

Kernel* kernel_at(const void* handle) {
  return holds(all().kernels, handle) ? static_cast<Kernel*>(const_cast<void*>(handle)) : nullptr;
}

Library* library_at(const void* handle) {
  return holds(all().libraries, handle) ? static_cast<Library*>(const_cast<void*>(handle)) : nullptr;
}

std::optional<driver::Loaded<driver::Function*>> function_at(const void* handle, driver::Device& device) {
  if (driver::Function* function = published(handle)) return function;
  const Kernel* kernel = kernel_at(handle);
  if (kernel == nullptr) return std::nullopt;
  auto module = kernel->library->module(device);
  if (!module) return std::unexpected(module.error());
  return (*module)->function(kernel->name);
}

std::vector<std::string> kernel_names(const driver::Module& module) {
  std::vector<std::string> names;
  for (const ptx::Function& function : module.ptx().functions)
    if (function.is_kernel && function.has_body) names.push_back(function.name);
  return names;
}

driver::Loaded<driver::Module*> load_image(Result<std::vector<ptx::PtxImage>> images, const std::string& name,
                                           driver::Device& device) {
  driver::Loaded<std::string> text = pick_image(std::move(images), device.chip(), name);
  if (!text) return std::unexpected(text.error());
  auto loaded = device.load_module({std::move(*text)}, name);
  if (!loaded) return loaded;
  // As real drivers do when asked eagerly: every kernel must be executable.
  for (const std::string& kernel : kernel_names(**loaded)) {
    if (auto built = (*loaded)->function(kernel); !built) {
      log::error(built.error().error.message());
      driver::Failure failure = built.error();
      device.unload_module(*loaded);
      return std::unexpected(std::move(failure));
    }
  }
  return loaded;
}

driver::Loaded<std::vector<ptx::PtxImage>> images_in(const char* path) {
  auto refuse = [](driver::Status status, Error error) {
    log::error(error.message());
    return std::unexpected(driver::Failure{status, std::move(error)});
  };
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return refuse(driver::Status::cudaErrorFileNotFound,
                  Error{path, "cannot be read", "name an existing PTX or fat binary file"});
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto images = ptx::extract(std::as_bytes(std::span(bytes)));
  if (!images) return refuse(driver::Status::cudaErrorInvalidKernelImage, images.error());
  return std::move(*images);
}

void unload(driver::Module* module, driver::Device& device) {
  std::lock_guard lock(all().mutex);
  std::erase_if(all().functions, [&](const void* function) {
    return static_cast<const driver::Function*>(function)->module == module;
  });
  device.unload_module(module);
}

driver::Loaded<Library*> load_library(Result<std::vector<ptx::PtxImage>> images, const std::string& name,
                                      driver::Device& device) {
  std::vector<ptx::PtxImage> copy;
  if (images) copy = *images;
  auto library = std::make_unique<Library>(std::move(copy), name);
  // Loaded here at once, so that what cannot run is refused now.
  auto loaded = images ? library->module(device) : load_image(std::move(images), name, device);
  if (!loaded) return std::unexpected(loaded.error());
  std::lock_guard lock(all().mutex);
  all().libraries.insert(library.get());
  return library.release();
}

void unload(Library* library) {
  std::lock_guard lock(all().mutex);
  all().libraries.erase(library);
  library->unload();
  delete library;
}

}  // namespace wanren::cuda
