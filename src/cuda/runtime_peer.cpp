// Other devices, attributes of streams, and settings that have no effect on a single virtual GPU.

#include <cstring>

#include "cuda/handles.h"
#include "cuda/runtime.h"

using namespace wanren;
using namespace wanren::cuda;

extern "C" {

// There is one device, and it is no peer of its own.
cudaError_t cudaDeviceEnablePeerAccess(int, unsigned int) {
  return note(cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceDisablePeerAccess(int) {
  return note(cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceGetP2PAttribute(int*, cudaDeviceP2PAttr, int, int) {
  return note(cudaErrorInvalidDevice);
}

cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes, cudaStream_t stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}

cudaError_t cudaDeviceGetByPCIBusId(int* index, const char* id) {
  if (index == nullptr || id == nullptr) return note(cudaErrorInvalidValue);
  char mine[16];
  if (const cudaError_t error = cudaDeviceGetPCIBusId(mine, sizeof mine, 0); error != cudaSuccess)
    return error;
  if (std::strcmp(id, mine) != 0 && std::strcmp(id, mine + 5) != 0) return note(cudaErrorInvalidDevice);
  *index = 0;
  return cudaSuccess;
}

cudaError_t cudaSetValidDevices(int*, int) {
  return cudaSuccess;
}

cudaError_t cudaDeviceGetSharedMemConfig(cudaSharedMemConfig* config) {
  if (config == nullptr) return note(cudaErrorInvalidValue);
  *config = cudaSharedMemBankSizeFourByte;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetTexture1DLinearMaxWidth(size_t* texels, const cudaChannelFormatDesc*, int index) {
  if (texels == nullptr) return note(cudaErrorInvalidValue);
  if (index != 0) return note(cudaErrorInvalidDevice);
  *texels = size_t{1} << 28;
  return cudaSuccess;
}

cudaError_t cudaThreadSetLimit(cudaLimit limit, size_t value) {
  return cudaDeviceSetLimit(limit, value);
}
cudaError_t cudaThreadGetLimit(size_t* value, cudaLimit limit) {
  return cudaDeviceGetLimit(value, limit);
}
cudaError_t cudaThreadSetCacheConfig(cudaFuncCache config) {
  return cudaDeviceSetCacheConfig(config);
}
cudaError_t cudaThreadGetCacheConfig(cudaFuncCache* config) {
  return cudaDeviceGetCacheConfig(config);
}

// Managed memory is one memory: advice and placement change nothing.
cudaError_t cudaMemPrefetchAsync_v2(const void*, size_t, cudaMemLocation, unsigned int, cudaStream_t) {
  return cudaSuccess;
}
cudaError_t cudaMemAdvise_v2(const void*, size_t, cudaMemoryAdvise, cudaMemLocation) {
  return cudaSuccess;
}
cudaError_t cudaStreamAttachMemAsync(cudaStream_t, void*, size_t, unsigned int) {
  return cudaSuccess;
}

// The modelled L2 has no set-aside for persisting lines; asking for one is a hint.
cudaError_t cudaCtxResetPersistingL2Cache(void) {
  return cudaSuccess;
}
cudaError_t cudaStreamSetAttribute(cudaStream_t, cudaLaunchAttributeID,
                                   const cudaLaunchAttributeValue* value) {
  return value != nullptr ? cudaSuccess : note(cudaErrorInvalidValue);
}
cudaError_t cudaStreamCopyAttributes(cudaStream_t, cudaStream_t) {
  return cudaSuccess;
}

cudaError_t cudaStreamGetDevice(cudaStream_t, int* index) {
  if (index == nullptr) return note(cudaErrorInvalidValue);
  *index = 0;
  return cudaSuccess;
}

cudaError_t cudaStreamGetId(cudaStream_t handle, unsigned long long* id) {
  if (id == nullptr) return note(cudaErrorInvalidValue);
  *id = reinterpret_cast<unsigned long long>(handle);
  return cudaSuccess;
}

cudaError_t cudaGetFuncBySymbol(cudaFunction_t* function, const void* symbol) {
  if (function == nullptr) return note(cudaErrorInvalidValue);
  auto found = function_of(symbol);
  if (!found) return note(found.error().status);
  *function = reinterpret_cast<cudaFunction_t>(publish(*found));
  return cudaSuccess;
}

}  // extern "C"
