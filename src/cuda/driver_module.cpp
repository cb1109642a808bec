// The driver API: modules, libraries, linking, functions and their launches.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "cuda/device_code.h"
#include "cuda/driver_api.h"
#include "cuda/function_info.h"
#include "cuda/handles.h"

using namespace wanren;
using namespace wanren::cuda;

namespace wanren::cuda {

CUresult launch_request(const void* handle, Dim3 grid, Dim3 block, unsigned shared_bytes, CUstream stream,
                        void** arguments, void** extra, driver::LaunchRequest& request) {
  WR_CURRENT(device);
  const auto found = function_at(handle, *device);
  if (!found) return CUDA_ERROR_INVALID_HANDLE;
  if (!*found) return code(found->error().status);
  // A kernel is its context's: it runs on streams of the same device only.
  if (&device_of(stream, *device) != device) return CUDA_ERROR_INVALID_HANDLE;
  request.function = **found;
  request.handle = handle;
  request.grid = grid;
  request.block = block;
  request.dynamic_shared_bytes = shared_bytes;
  request.stream = stream_of(stream);
  request.arguments = arguments;
  read_packed(extra, request);
  if (arguments == nullptr && request.packed == nullptr && !request.function->kernel->parameters.empty())
    return invalid_value;
  return CUDA_SUCCESS;
}

}  // namespace wanren::cuda

namespace {

driver::Module* module_of(CUmodule handle) {
  return reinterpret_cast<driver::Module*>(handle);
}
driver::Function* function_of(CUfunction handle) {
  return published(handle);
}

CUresult give(driver::Loaded<driver::Module*> loaded, CUmodule* module) {
  if (!loaded) return code(loaded.error().status);
  *module = reinterpret_cast<CUmodule>(*loaded);
  return CUDA_SUCCESS;
}

CUresult variable(driver::Module& module, const char* name, CUdeviceptr* pointer, size_t* bytes) {
  std::uint64_t where = 0, size = 0;
  if (name == nullptr) return invalid_value;
  if (!module.variable(name, where, size)) return CUDA_ERROR_NOT_FOUND;
  if (pointer != nullptr) *pointer = where;
  if (bytes != nullptr) *bytes = size;
  return CUDA_SUCCESS;
}

CUresult parameter(const driver::Function& function, size_t index, size_t* offset, size_t* bytes) {
  const auto& parameters = function.kernel->parameters;
  if (offset == nullptr || index >= parameters.size()) return invalid_value;
  *offset = parameters[index].offset;
  if (bytes != nullptr) *bytes = parameters[index].bytes;
  return CUDA_SUCCESS;
}

CUresult launch(const void* handle, Dim3 grid, Dim3 block, unsigned shared_bytes, CUstream stream,
                void** arguments, void** extra, const LaunchAttributes& attributes) {
  driver::LaunchRequest request;
  if (const CUresult error =
          launch_request(handle, grid, block, shared_bytes, stream, arguments, extra, request);
      error != CUDA_SUCCESS)
    return error;
  attributes.give(request);
  return code(driver::current_context()->device.launch(request));
}

CUresult clusters_of(const CUlaunchConfig* config, CUfunction function, int* answer,
                     driver::Status (*ask)(driver::Device&, driver::Function&, const cudaLaunchConfig_t&,
                                           int&)) {
  if (answer == nullptr || config == nullptr) return invalid_value;
  WR_CURRENT(device);
  const auto found = function_at(function, *device);
  if (!found || !*found) return CUDA_ERROR_INVALID_HANDLE;
  cudaLaunchConfig_t same{};
  same.gridDim = dim3{config->gridDimX, config->gridDimY, config->gridDimZ};
  same.blockDim = dim3{config->blockDimX, config->blockDimY, config->blockDimZ};
  same.dynamicSmemBytes = config->sharedMemBytes;
  same.attrs = reinterpret_cast<cudaLaunchAttribute*>(config->attrs);
  same.numAttrs = config->numAttrs;
  return code(ask(*device, ***found, same, *answer));
}

}  // namespace

/// What cuLink* gathers: the texts, and the image that cuLinkComplete made of them.
struct CUlinkState_st {
  std::vector<std::string> texts;
  std::vector<std::byte> image;
};

extern "C" {

// Modules.

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  if (image == nullptr || module == nullptr) return invalid_value;
  WR_CURRENT(device);
  if (auto texts = linked_texts(image); !texts.empty())
    return give(device->load_module(std::move(texts), "linked"), module);
  return give(load_image(images_at(image), "module", *device), module);
}
CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int, CUjit_option*, void**) {
  return cuModuleLoadData(module, image);
}
CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) {
  return cuModuleLoadData(module, image);
}

CUresult cuModuleLoad(CUmodule* module, const char* path) {
  if (module == nullptr || path == nullptr) return invalid_value;
  WR_CURRENT(device);
  auto images = images_in(path);
  if (!images) return code(images.error().status);
  return give(load_image(std::move(*images), path, *device), module);
}

CUresult cuModuleUnload(CUmodule module) {
  WR_CURRENT(device);
  if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  unload(module_of(module), *device);
  return CUDA_SUCCESS;
}

CUresult cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
  if (mode == nullptr) return invalid_value;
  *mode = CU_MODULE_EAGER_LOADING;
  return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  if (function == nullptr || name == nullptr) return invalid_value;
  if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  auto found = module_of(module)->function(name);
  if (!found) return code(found.error().status);
  *function = reinterpret_cast<CUfunction>(publish(*found));
  return CUDA_SUCCESS;
}

CUresult cuModuleGetFunctionCount(unsigned int* count, CUmodule module) {
  if (count == nullptr) return invalid_value;
  if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *count = static_cast<unsigned>(kernel_names(*module_of(module)).size());
  return CUDA_SUCCESS;
}

CUresult cuModuleEnumerateFunctions(CUfunction* functions, unsigned int count, CUmodule module) {
  if (functions == nullptr) return invalid_value;
  if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const auto names = kernel_names(*module_of(module));
  for (size_t i = 0; i < std::min<size_t>(count, names.size()); ++i)
    if (const CUresult error = cuModuleGetFunction(&functions[i], module, names[i].c_str());
        error != CUDA_SUCCESS)
      return error;
  return CUDA_SUCCESS;
}

CUresult cuModuleGetGlobal_v2(CUdeviceptr* pointer, size_t* bytes, CUmodule module, const char* name) {
  if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  return variable(*module_of(module), name, pointer, bytes);
}

// Libraries.

CUresult cuLibraryLoadData(CUlibrary* library, const void* image, CUjit_option*, void**, unsigned int,
                           CUlibraryOption*, void**, unsigned int) {
  if (library == nullptr || image == nullptr) return invalid_value;
  WR_CURRENT(device);
  auto loaded = load_library(images_at(image), "library", *device);
  if (!loaded) return code(loaded.error().status);
  *library = reinterpret_cast<CUlibrary>(*loaded);
  return CUDA_SUCCESS;
}

CUresult cuLibraryLoadFromFile(CUlibrary* library, const char* path, CUjit_option*, void**, unsigned int,
                               CUlibraryOption*, void**, unsigned int) {
  if (library == nullptr || path == nullptr) return invalid_value;
  WR_CURRENT(device);
  auto images = images_in(path);
  if (!images) return code(images.error().status);
  auto loaded = load_library(std::move(*images), path, *device);
  if (!loaded) return code(loaded.error().status);
  *library = reinterpret_cast<CUlibrary>(*loaded);
  return CUDA_SUCCESS;
}

CUresult cuLibraryUnload(CUlibrary library) {
  if (library_at(library) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  unload(library_at(library));
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetModule(CUmodule* module, CUlibrary library) {
  if (module == nullptr) return invalid_value;
  WR_CURRENT(device);
  if (library_at(library) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  return give(library_at(library)->module(*device), module);
}

CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
  if (kernel == nullptr || name == nullptr) return invalid_value;
  WR_CURRENT(device);
  if (library_at(library) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  auto found = library_at(library)->kernel(name, *device);
  if (!found) return code(found.error().status);
  *kernel = reinterpret_cast<CUkernel>(*found);
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetKernelCount(unsigned int* count, CUlibrary library) {
  CUmodule module = nullptr;
  if (const CUresult error = cuLibraryGetModule(&module, library); error != CUDA_SUCCESS) return error;
  return cuModuleGetFunctionCount(count, module);
}

CUresult cuLibraryEnumerateKernels(CUkernel* kernels, unsigned int count, CUlibrary library) {
  if (kernels == nullptr) return invalid_value;
  CUmodule module = nullptr;
  if (const CUresult error = cuLibraryGetModule(&module, library); error != CUDA_SUCCESS) return error;
  const auto names = kernel_names(*module_of(module));
  for (size_t i = 0; i < std::min<size_t>(count, names.size()); ++i)
    if (const CUresult error = cuLibraryGetKernel(&kernels[i], library, names[i].c_str());
        error != CUDA_SUCCESS)
      return error;
  return CUDA_SUCCESS;
}

CUresult cuLibraryGetGlobal(CUdeviceptr* pointer, size_t* bytes, CUlibrary library, const char* name) {
  CUmodule module = nullptr;
  if (const CUresult error = cuLibraryGetModule(&module, library); error != CUDA_SUCCESS) return error;
  return variable(*module_of(module), name, pointer, bytes);
}

// Managed variables are refused when a module that has them is loaded; device code is not callable from the
// host.
CUresult cuLibraryGetManaged(CUdeviceptr*, size_t*, CUlibrary library, const char*) {
  return library_at(library) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_NOT_FOUND;
}
CUresult cuLibraryGetUnifiedFunction(void**, CUlibrary library, const char*) {
  return library_at(library) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_NOT_FOUND;
}

CUresult cuKernelGetFunction(CUfunction* function, CUkernel kernel) {
  if (function == nullptr) return invalid_value;
  WR_CURRENT(device);
  if (kernel_at(kernel) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const auto found = function_at(kernel, *device);
  if (!*found) return code(found->error().status);
  *function = reinterpret_cast<CUfunction>(publish(**found));
  return CUDA_SUCCESS;
}

CUresult cuKernelGetLibrary(CUlibrary* library, CUkernel kernel) {
  if (library == nullptr) return invalid_value;
  if (kernel_at(kernel) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *library = reinterpret_cast<CUlibrary>(kernel_at(kernel)->library);
  return CUDA_SUCCESS;
}

CUresult cuKernelGetName(const char** name, CUkernel kernel) {
  if (name == nullptr) return invalid_value;
  if (kernel_at(kernel) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *name = kernel_at(kernel)->name.c_str();
  return CUDA_SUCCESS;
}

CUresult cuKernelGetParamInfo(CUkernel kernel, size_t index, size_t* offset, size_t* bytes) {
  CUfunction function = nullptr;
  if (const CUresult error = cuKernelGetFunction(&function, kernel); error != CUDA_SUCCESS) return error;
  return parameter(*function_of(function), index, offset, bytes);
}

CUresult cuKernelGetAttribute(int* value, CUfunction_attribute attribute, CUkernel kernel, CUdevice number) {
  if (value == nullptr) return invalid_value;
  WR_NUMBER(device, number);
  if (kernel_at(kernel) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const auto found = function_at(kernel, *device);
  if (!*found) return code(found->error().status);
  return code(get_attribute(*device, ***found, attribute, *value));
}

CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel kernel, CUdevice number) {
  WR_NUMBER(device, number);
  if (kernel_at(kernel) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const auto found = function_at(kernel, *device);
  if (!*found) return code(found->error().status);
  return code(set_attribute(*device, ***found, attribute, value));
}

CUresult cuKernelSetCacheConfig(CUkernel kernel, CUfunc_cache, CUdevice number) {
  WR_NUMBER(device, number);
  return kernel_at(kernel) != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

// Linking: PTX stays PTX; the modules meet when the image is loaded.

CUresult cuLinkCreate_v2(unsigned int, CUjit_option*, void**, CUlinkState* state) {
  if (state == nullptr) return invalid_value;
  WR_CURRENT(device);
  *state = new CUlinkState_st;
  return CUDA_SUCCESS;
}

CUresult cuLinkAddData_v2(CUlinkState state, CUjitInputType type, void* data, size_t bytes, const char* name,
                          unsigned int, CUjit_option*, void**) {
  if (state == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (data == nullptr || bytes == 0) return invalid_value;
  WR_CURRENT(device);
  const char* const what = name != nullptr ? name : "linker input";
  auto text = pick_image(ptx::extract({static_cast<const std::byte*>(data), bytes}), device->chip(), what);
  if (!text) return code(text.error().status);
  state->texts.push_back(std::move(*text));
  return CUDA_SUCCESS;
}

CUresult cuLinkAddFile_v2(CUlinkState state, CUjitInputType type, const char* path, unsigned int count,
                          CUjit_option* options, void** values) {
  if (state == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (path == nullptr) return invalid_value;
  std::ifstream file(path, std::ios::binary);
  if (!file) return CUDA_ERROR_FILE_NOT_FOUND;
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return cuLinkAddData_v2(state, type, bytes.data(), bytes.size(), path, count, options, values);
}

CUresult cuLinkComplete(CUlinkState state, void** image, size_t* bytes) {
  if (state == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (image == nullptr || state->texts.empty()) return invalid_value;
  state->image = linked_image(state->texts);
  *image = state->image.data();
  if (bytes != nullptr) *bytes = state->image.size();
  return CUDA_SUCCESS;
}

CUresult cuLinkDestroy(CUlinkState state) {
  if (state == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  delete state;
  return CUDA_SUCCESS;
}

// Functions.

CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction function) {
  if (value == nullptr) return invalid_value;
  WR_CURRENT(device);
  const auto found = function_at(function, *device);
  if (!found) return CUDA_ERROR_INVALID_HANDLE;
  return !*found ? code(found->error().status) : code(get_attribute(*device, ***found, attribute, *value));
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  WR_CURRENT(device);
  const auto found = function_at(function, *device);
  if (!found) return CUDA_ERROR_INVALID_HANDLE;
  return !*found ? code(found->error().status) : code(set_attribute(*device, ***found, attribute, value));
}

CUresult cuFuncSetCacheConfig(CUfunction, CUfunc_cache) {
  return CUDA_SUCCESS;
}
CUresult cuFuncSetSharedMemConfig(CUfunction, CUsharedconfig) {
  return CUDA_SUCCESS;
}

CUresult cuFuncGetModule(CUmodule* module, CUfunction function) {
  if (module == nullptr) return invalid_value;
  if (function_of(function) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *module = reinterpret_cast<CUmodule>(function_of(function)->module);
  return CUDA_SUCCESS;
}

CUresult cuFuncGetName(const char** name, CUfunction function) {
  if (name == nullptr) return invalid_value;
  if (function_of(function) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *name = function_of(function)->name.c_str();
  return CUDA_SUCCESS;
}

CUresult cuFuncGetParamInfo(CUfunction function, size_t index, size_t* offset, size_t* bytes) {
  if (function_of(function) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  return parameter(*function_of(function), index, offset, bytes);
}

CUresult cuFuncIsLoaded(CUfunctionLoadingState* state, CUfunction function) {
  if (state == nullptr) return invalid_value;
  if (function_of(function) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *state = CU_FUNCTION_LOADING_STATE_LOADED;
  return CUDA_SUCCESS;
}
CUresult cuFuncLoad(CUfunction function) {
  return function_of(function) != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

// Launches.

CUresult cuLaunchKernel(CUfunction function, unsigned int gx, unsigned int gy, unsigned int gz,
                        unsigned int bx, unsigned int by, unsigned int bz, unsigned int shared_bytes,
                        CUstream stream, void** arguments, void** extra) {
  return launch(function, {gx, gy, gz}, {bx, by, bz}, shared_bytes, stream, arguments, extra, {});
}

CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned int gx, unsigned int gy, unsigned int gz,
                                   unsigned int bx, unsigned int by, unsigned int bz,
                                   unsigned int shared_bytes, CUstream stream, void** arguments) {
  return launch(function, {gx, gy, gz}, {bx, by, bz}, shared_bytes, stream, arguments, nullptr,
                {.cooperative = true});
}

CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function, void** arguments, void** extra) {
  if (config == nullptr || (config->attrs == nullptr && config->numAttrs != 0)) return invalid_value;
  LaunchAttributes attributes;
  // The two APIs' attributes have one layout.
  static_assert(sizeof(CUlaunchAttribute) == sizeof(cudaLaunchAttribute));
  if (const driver::Status status = read_attributes(
          reinterpret_cast<const cudaLaunchAttribute*>(config->attrs), config->numAttrs, attributes);
      status != driver::Status::cudaSuccess)
    return code(status);
  return launch(function, {config->gridDimX, config->gridDimY, config->gridDimZ},
                {config->blockDimX, config->blockDimY, config->blockDimZ}, config->sharedMemBytes,
                config->hStream, arguments, extra, attributes);
}

// Occupancy.

CUresult cuOccupancyMaxActiveClusters(int* clusters, CUfunction function, const CUlaunchConfig* config) {
  return clusters_of(config, function, clusters, &max_active_clusters);
}

CUresult cuOccupancyMaxPotentialClusterSize(int* size, CUfunction function, const CUlaunchConfig* config) {
  return clusters_of(config, function, size, &max_cluster_size);
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction function, int threads,
                                                              size_t shared_bytes, unsigned int) {
  if (blocks == nullptr || threads <= 0) return invalid_value;
  WR_CURRENT(device);
  const auto found = function_at(function, *device);
  if (!found || !*found) return CUDA_ERROR_INVALID_HANDLE;
  *blocks = device->occupancy(***found, static_cast<unsigned>(threads), static_cast<unsigned>(shared_bytes))
                .ctas_per_unit;
  return CUDA_SUCCESS;
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int threads,
                                                     size_t shared_bytes) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads, shared_bytes, 0);
}

CUresult cuOccupancyMaxPotentialBlockSizeWithFlags(int* grid, int* block, CUfunction function,
                                                   CUoccupancyB2DSize shared_of_block, size_t shared_bytes,
                                                   int limit, unsigned int) {
  if (grid == nullptr || block == nullptr) return invalid_value;
  WR_CURRENT(device);
  const auto found = function_at(function, *device);
  if (!found || !*found) return CUDA_ERROR_INVALID_HANDLE;
  int most = 0;
  if (const driver::Status status = get_attribute(*device, ***found, 0, most);
      status != driver::Status::cudaSuccess)
    return code(status);
  if (limit > 0) most = std::min(most, limit);
  int best_threads = 0, best_blocks = 0;
  for (int threads = (most + 31) / 32 * 32; threads > 0; threads -= 32) {
    const int real = std::min(threads, most);
    const size_t shared = shared_of_block != nullptr ? shared_of_block(real) : shared_bytes;
    const int blocks =
        device->occupancy(***found, static_cast<unsigned>(real), static_cast<unsigned>(shared)).ctas_per_unit;
    if (blocks * real > best_threads * best_blocks) {
      best_threads = real;
      best_blocks = blocks;
    }
  }
  *block = best_threads;
  *grid = best_blocks * device->chip().units();
  return CUDA_SUCCESS;
}

CUresult cuOccupancyMaxPotentialBlockSize(int* grid, int* block, CUfunction function,
                                          CUoccupancyB2DSize shared_of_block, size_t shared_bytes,
                                          int limit) {
  return cuOccupancyMaxPotentialBlockSizeWithFlags(grid, block, function, shared_of_block, shared_bytes,
                                                   limit, 0);
}

CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, CUfunction function, int blocks, int) {
  if (bytes == nullptr || blocks <= 0) return invalid_value;
  WR_CURRENT(device);
  const auto found = function_at(function, *device);
  if (!found || !*found) return CUDA_ERROR_INVALID_HANDLE;
  *bytes = available_shared_bytes(*device, ***found, blocks);
  return CUDA_SUCCESS;
}

}  // extern "C"
