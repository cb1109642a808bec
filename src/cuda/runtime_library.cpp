// Libraries of device code that a program loads itself. A cudaLibrary_t is a module, a cudaKernel_t of it a
// kernel.

#include <algorithm>

#include "cuda/device_code.h"
#include "cuda/entry_points.h"
#include "cuda/handles.h"
#include "cuda/runtime.h"

using namespace wanren;
using namespace wanren::cuda;

namespace {

driver::Module* module_of(cudaLibrary_t library) {
  return reinterpret_cast<driver::Module*>(library);
}

cudaError_t give(driver::Loaded<driver::Module*> loaded, cudaLibrary_t* library) {
  if (!loaded) return note(loaded.error().status);
  *library = reinterpret_cast<cudaLibrary_t>(*loaded);
  return cudaSuccess;
}

std::vector<std::string> kernels_of(const driver::Module& module) {
  std::vector<std::string> names;
  for (const ptx::Function& function : module.ptx().functions)
    if (function.is_kernel && function.has_body) names.push_back(function.name);
  return names;
}

}  // namespace

extern "C" {

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code, cudaJitOption*, void**,
                                unsigned int, cudaLibraryOption*, void**, unsigned int) {
  if (library == nullptr || code == nullptr) return note(cudaErrorInvalidValue);
  return give(load_image(images_at(code), "library"), library);
}

cudaError_t cudaLibraryLoadFromFile(cudaLibrary_t* library, const char* path, cudaJitOption*, void**,
                                    unsigned int, cudaLibraryOption*, void**, unsigned int) {
  if (library == nullptr || path == nullptr) return note(cudaErrorInvalidValue);
  return give(load_file(path), library);
}

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  WR_DEVICE(device);
  if (library == nullptr) return note(cudaErrorInvalidResourceHandle);
  withdraw(module_of(library));
  device->unload_module(module_of(library));
  return cudaSuccess;
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  if (kernel == nullptr || name == nullptr) return note(cudaErrorInvalidValue);
  if (library == nullptr) return note(cudaErrorInvalidResourceHandle);
  auto found = module_of(library)->function(name);
  if (!found) return note(found.error().status);
  *kernel = reinterpret_cast<cudaKernel_t>(publish(*found));
  return cudaSuccess;
}

cudaError_t cudaLibraryGetGlobal(void** pointer, size_t* bytes, cudaLibrary_t library, const char* name) {
  if (name == nullptr) return note(cudaErrorInvalidValue);
  if (library == nullptr) return note(cudaErrorInvalidResourceHandle);
  std::uint64_t address = 0, size = 0;
  if (!module_of(library)->variable(name, address, size)) return note(cudaErrorSymbolNotFound);
  if (pointer != nullptr) *pointer = reinterpret_cast<void*>(address);
  if (bytes != nullptr) *bytes = size;
  return cudaSuccess;
}

// Managed variables are refused when a module that has them is loaded.
cudaError_t cudaLibraryGetManaged(void**, size_t*, cudaLibrary_t library, const char*) {
  return note(library == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorSymbolNotFound);
}

// Device code is not callable from the host, so there are no unified functions.
cudaError_t cudaLibraryGetUnifiedFunction(void**, cudaLibrary_t library, const char*) {
  return note(library == nullptr ? cudaErrorInvalidResourceHandle : cudaErrorSymbolNotFound);
}

cudaError_t cudaLibraryGetKernelCount(unsigned int* count, cudaLibrary_t library) {
  if (count == nullptr) return note(cudaErrorInvalidValue);
  if (library == nullptr) return note(cudaErrorInvalidResourceHandle);
  *count = static_cast<unsigned>(kernels_of(*module_of(library)).size());
  return cudaSuccess;
}

cudaError_t cudaLibraryEnumerateKernels(cudaKernel_t* kernels, unsigned int count, cudaLibrary_t library) {
  if (kernels == nullptr) return note(cudaErrorInvalidValue);
  if (library == nullptr) return note(cudaErrorInvalidResourceHandle);
  const std::vector<std::string> names = kernels_of(*module_of(library));
  for (size_t i = 0; i < std::min<size_t>(count, names.size()); ++i)
    if (const cudaError_t error = cudaLibraryGetKernel(&kernels[i], library, names[i].c_str());
        error != cudaSuccess)
      return error;
  return cudaSuccess;
}

cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t kernel, cudaFuncAttribute attribute, int value,
                                            int index) {
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) return error;
  if (index < 0 || index >= count) return note(cudaErrorInvalidDevice);
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
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
