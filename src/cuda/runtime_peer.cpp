// Other devices, attributes of streams, and settings that have no effect on a virtual GPU.

#include <string>

#include "cuda/handles.h"
#include "cuda/runtime.h"

using namespace wanren;
using namespace wanren::cuda;

extern "C" {

// Copies go between any two devices, kernels to memory of devices that have links of the same kind.
cudaError_t cudaDeviceCanAccessPeer(int* can, int index, int peer) {
  if (can == nullptr) return note(cudaErrorInvalidValue);
  cudaError_t error = cudaSuccess;
  const driver::Device *from = device_at(index, error), *to = device_at(peer, error);
  if (from == nullptr || to == nullptr) return note(error);
  *can = from->linked_to(*to);
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned int flags) {
  WR_DEVICE_AT(other, peer);
  if (flags != 0) return note(cudaErrorInvalidValue);
  driver::Device* const mine = device(wr_error);
  return other == mine ? note(cudaErrorInvalidDevice) : note(mine->enable_peer(*other));
}
cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  WR_DEVICE_AT(other, peer);
  return note(device(wr_error)->disable_peer(*other));
}
cudaError_t cudaDeviceGetP2PAttribute(int* value, cudaDeviceP2PAttr attribute, int from, int to) {
  if (value == nullptr) return note(cudaErrorInvalidValue);
  cudaError_t error = cudaSuccess;
  const driver::Device *one = device_at(from, error), *other = device_at(to, error);
  if (one == nullptr || other == nullptr) return note(error);
  if (from == to) return note(cudaErrorInvalidDevice);
  if (attribute < cudaDevP2PAttrPerformanceRank || attribute > cudaDevP2PAttrCudaArrayAccessSupported)
    return note(cudaErrorInvalidValue);
  // There is one kind of link, so none ranks behind another.
  *value = attribute != cudaDevP2PAttrPerformanceRank && one->linked_to(*other);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetByPCIBusId(int* index, const char* id) {
  if (index == nullptr || id == nullptr) return note(cudaErrorInvalidValue);
  cudaError_t error = cudaSuccess;
  for (int i = 0;; ++i) {
    const driver::Device* device = device_at(i, error);
    if (device == nullptr) return note(error);
    const std::string mine = pci_bus_id(*device);
    if (id != mine && id != mine.substr(5)) continue;
    *index = i;
    return cudaSuccess;
  }
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
  WR_DEVICE_AT(device, index);
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

cudaError_t cudaStreamGetDevice(cudaStream_t handle, int* index) {
  if (index == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  *index = device_of(handle, *device).index();
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
