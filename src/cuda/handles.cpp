#include "cuda/handles.h"

#include <fstream>
#include <iterator>
#include <mutex>
#include <unordered_set>

#include "cuda/device_code.h"
#include "driver/device.h"
#include "support/log.h"

namespace wanren::cuda {
namespace {

struct Published {
  std::mutex mutex;
  std::unordered_set<const void*> functions;
};
Published& all() {
  static auto* published = new Published;  // Outlives static destructors.
  return *published;
}

}  // namespace

driver::Function* publish(driver::Function* function) {
  std::lock_guard lock(all().mutex);
  all().functions.insert(function);
  return function;
}

driver::Function* published(const void* handle) {
  std::lock_guard lock(all().mutex);
  if (!all().functions.contains(handle)) return nullptr;
  return static_cast<driver::Function*>(const_cast<void*>(handle));
}

void withdraw(const driver::Module* module) {
  std::lock_guard lock(all().mutex);
  std::erase_if(all().functions, [&](const void* function) {
    return static_cast<const driver::Function*>(function)->module == module;
  });
}

driver::Loaded<driver::Module*> load_image(Result<std::vector<ptx::PtxImage>> images,
                                           const std::string& name) {
  driver::Status why = driver::Status::cudaSuccess;
  driver::Device* device = driver::Device::get(&why);
  if (device == nullptr) return std::unexpected(driver::Failure{why, Error{name, driver::text(why), ""}});
  driver::Loaded<std::string> text = pick_image(std::move(images), device->chip(), name);
  if (!text) return std::unexpected(text.error());
  auto loaded = device->load_module({std::move(*text)}, name);
  if (!loaded) return loaded;
  for (const ptx::Function& function : (*loaded)->ptx().functions) {
    if (!function.is_kernel || !function.has_body) continue;
    if (auto built = (*loaded)->function(function.name); !built) {
      log::error(built.error().error.message());
      driver::Failure failure = built.error();
      device->unload_module(*loaded);
      return std::unexpected(std::move(failure));
    }
  }
  return loaded;
}

driver::Loaded<driver::Module*> load_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    Error error{path, "cannot be read", "name an existing PTX or fat binary file"};
    log::error(error.message());
    return std::unexpected(driver::Failure{driver::Status::cudaErrorFileNotFound, std::move(error)});
  }
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return load_image(ptx::extract(std::as_bytes(std::span(bytes))), path);
}

}  // namespace wanren::cuda
