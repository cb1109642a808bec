#pragma once
// Private to src/cuda: kernels of loaded modules whose handles programs hold (CUfunction, CUkernel,
// cudaKernel_t).

#include "driver/module.h"
#include "ptx/fatbinary.h"

namespace wanren::cuda {

/// Makes the kernel's address a valid handle until its module is unloaded.
driver::Function* publish(driver::Function* function);
/// The published kernel at this address, or null.
driver::Function* published(const void* handle);
/// Forgets the module's kernels.
void withdraw(const driver::Module* module);

/// Loads an image as cuModuleLoadData does; every kernel must be executable.
driver::Loaded<driver::Module*> load_image(Result<std::vector<ptx::PtxImage>> images,
                                           const std::string& name);
driver::Loaded<driver::Module*> load_file(const char* path);

}  // namespace wanren::cuda
