#pragma once
// Private to src/cuda: device code that programs load themselves, and the handles that they hold of it. A
// CUmodule is a driver::Module and a CUfunction a driver::Function, both of one device. A CUlibrary is a
// Library and a CUkernel one of its Kernels: code for any device, loaded on each when first asked for there.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/device.h"
#include "driver/module.h"
#include "ptx/fatbinary.h"

namespace wanren::cuda {

class Library;

struct Kernel {
  Library* library;
  std::string name;
};

class Library {
 public:
  Library(std::vector<ptx::PtxImage> images, std::string name)
      : images_(std::move(images)), name_(std::move(name)) {}

  /// On this device. Errors: as driver::Device::load_module.
  driver::Loaded<driver::Module*> module(driver::Device& device);
  /// Errors: no kernel of this name on the device.
  driver::Loaded<Kernel*> kernel(const std::string& name, driver::Device& device);
  void unload();

 private:
  std::vector<ptx::PtxImage> images_;
  std::string name_;
  std::map<driver::Device*, driver::Module*> modules_;
  std::map<std::string, std::unique_ptr<Kernel>> kernels_;
};

/// Makes the kernel's address a valid handle until its module is unloaded.
driver::Function* publish(driver::Function* function);
/// The published function at this address, or null.
driver::Function* published(const void* handle);
/// The library's kernel at this address, or null.
Kernel* kernel_at(const void* handle);
Library* library_at(const void* handle);
/// The function on `device` behind a CUfunction or CUkernel; no value: the handle is neither.
std::optional<driver::Loaded<driver::Function*>> function_at(const void* handle, driver::Device& device);

/// Names of the kernels that the module has.
std::vector<std::string> kernel_names(const driver::Module& module);

/// Loads an image as cuModuleLoadData does; every kernel must be executable.
driver::Loaded<driver::Module*> load_image(Result<std::vector<ptx::PtxImage>> images, const std::string& name,
                                           driver::Device& device);
/// The images in a file. Errors: unreadable; logged.
driver::Loaded<std::vector<ptx::PtxImage>> images_in(const char* path);
void unload(driver::Module* module, driver::Device& device);
driver::Loaded<Library*> load_library(Result<std::vector<ptx::PtxImage>> images, const std::string& name,
                                      driver::Device& device);
void unload(Library* library);

}  // namespace wanren::cuda
