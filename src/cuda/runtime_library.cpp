// Libraries of device code that a program loads itself. A cudaLibrary_t is a module, a cudaKernel_t of it a
// kernel.

#include <algorithm>

#include "cuda/device_code.h"
#include "cuda/entry_points.h"
#include "cuda/function_info.h"
#include "cuda/handles.h"
#include "cuda/runtime.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

cudaError_t give(driver::Loaded<Library*> loaded, cudaLibrary_t* library) {
  if (!loaded) return note(loaded.error().status);
  *library = reinterpret_cast<cudaLibrary_t>(*loaded);
  return cudaSuccess;
}

cudaError_t module_of(cudaLibrary_t library, driver::Module** module) {
  WR_DEVICE(device);
  if (library_at(library) == nullptr) return note(cudaErrorInvalidResourceHandle);
  auto loaded = library_at(library)->module(*device);
  if (!loaded) return note(loaded.error().status);
  *module = *loaded;
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code, cudaJitOption*, void**,
                                unsigned int, cudaLibraryOption*, void**, unsigned int) {
  if (library == nullptr || code == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return give(load_library(images_at(code), "library", *device), library);
}

cudaError_t cudaLibraryLoadFromFile(cudaLibrary_t* library, const char* path, cudaJitOption*, void**,
                                    unsigned int, cudaLibraryOption*, void**, unsigned int) {
  if (library == nullptr || path == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  auto images = images_in(path);
  if (!images) return note(images.error().status);
  return give(load_library(std::move(*images), path, *device), library);
}

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  if (library_at(library) == nullptr) return note(cudaErrorInvalidResourceHandle);
  unload(library_at(library));
  return cudaSuccess;
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  if (kernel == nullptr || name == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  if (library_at(library) == nullptr) return note(cudaErrorInvalidResourceHandle);
  auto found = library_at(library)->kernel(name, *device);
  if (!found) return note(found.error().status);
  *kernel = reinterpret_cast<cudaKernel_t>(*found);
  return cudaSuccess;
}

cudaError_t cudaLibraryGetGlobal(void** pointer, size_t* bytes, cudaLibrary_t library, const char* name) {
  if (name == nullptr) return note(cudaErrorInvalidValue);
  driver::Module* module = nullptr;
  if (const cudaError_t error = module_of(library, &module); error != cudaSuccess) return error;
  std::uint64_t address = 0, size = 0;
  if (!module->variable(name, address, size)) return note(cudaErrorSymbolNotFound);
  if (pointer != nullptr) *pointer = reinterpret_cast<void*>(address);
  if (bytes != nullptr) *bytes = size;
  return cudaSuccess;
}

// Managed variables are refused when a module that has them is loaded.
cudaError_t cudaLibraryGetManaged(void**, size_t*, cudaLibrary_t library, const char*) {
  return note(library_at(library) == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorSymbolNotFound);
}

// Device code is not callable from the host, so there are no unified functions.
cudaError_t cudaLibraryGetUnifiedFunction(void**, cudaLibrary_t library, const char*) {
  return note(library_at(library) == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorSymbolNotFound);
}

cudaError_t cudaLibraryGetKernelCount(unsigned int* count, cudaLibrary_t library) {
  if (count == nullptr) return note(cudaErrorInvalidValue);
  driver::Module* module = nullptr;
  if (const cudaError_t error = module_of(library, &module); error != cudaSuccess) return error;
  *count = static_cast<unsigned>(kernel_names(*module).size());
  return cudaSuccess;
}

cudaError_t cudaLibraryEnumerateKernels(cudaKernel_t* kernels, unsigned int count, cudaLibrary_t library) {
  if (kernels == nullptr) return note(cudaErrorInvalidValue);
  driver::Module* module = nullptr;
  if (const cudaError_t error = module_of(library, &module); error != cudaSuccess) return error;
  const std::vector<std::string> names = kernel_names(*module);
  for (size_t i = 0; i < std::min<size_t>(count, names.size()); ++i)
    if (const cudaError_t error = cudaLibraryGetKernel(&kernels[i], library, names[i].c_str());
        error != cudaSuccess)
      return error;
  return cudaSuccess;
}

cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t kernel, cudaFuncAttribute attribute, int value,
                                            int index) {
  WR_DEVICE_AT(device, index);
  const auto found = function_at(kernel, *device);
  if (!found) return note(cudaErrorInvalidResourceHandle);
  if (!*found) return note(found->error().status);
  return note(set_attribute(*device, ***found, attribute, value));
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned int version,
                                             unsigned long long flags,
                                             cudaDriverEntryPointQueryResult* status) {
  if (symbol == nullptr || function == nullptr) return note(cudaErrorInvalidValue);
  const bool per_thread = flags == cudaEnablePerThreadDefaultStream ||
                          (flags == cudaEnableDefault && NullStreamPerThread::is_active());
  const Search found = find_entry_point(symbol, static_cast<int>(version), per_thread, function);
  // The two enumerations have the same order.
  if (status != nullptr) *status = static_cast<cudaDriverEntryPointQueryResult>(found);
  if (found != Search::found && status == nullptr) return note(cudaErrorSymbolNotFound);
  return cudaSuccess;
}

cudaError_t cudaGetDriverEntryPoint(const char* symbol, void** function, unsigned long long flags,
                                    cudaDriverEntryPointQueryResult* status) {
  return cudaGetDriverEntryPointByVersion(symbol, function, CUDART_VERSION, flags, status);
}

// The vendor's private tables are not part of CUDA's interface.
cudaError_t cudaGetExportTable(const void** table, const cudaUUID_t*) {
  if (table != nullptr) *table = nullptr;
  return note(cudaErrorNotSupported);
}

}  // extern "C"
