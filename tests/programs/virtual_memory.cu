// Addresses and memory apart: growing ranges, two addresses of one memory, access, sharing by file, misuse.

#include <cuda.h>
#include <cuda_runtime.h>
#include <unistd.h>

#include <cstring>

#include "check.h"

namespace {

#define DRIVER(call) EXPECT((call) == CUDA_SUCCESS)

__global__ void count_up(unsigned* at, unsigned n, unsigned by) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) at[i] += by + i;
}

size_t granularity;
CUmemAllocationProp properties;

CUmemGenericAllocationHandle memory_of(size_t bytes) {
  CUmemGenericAllocationHandle handle = 0;
  DRIVER(cuMemCreate(&handle, bytes, &properties, 0));
  return handle;
}

void allow(CUdeviceptr at, size_t bytes, CUmemAccess_flags flags) {
  const CUmemAccessDesc access{properties.location, flags};
  DRIVER(cuMemSetAccess(at, bytes, &access, 1));
}

unsigned value_at(CUdeviceptr at, size_t i) {
  unsigned value = 0;
  DRIVER(cuMemcpyDtoH(&value, at + i * sizeof value, sizeof value));
  return value;
}

void run(CUdeviceptr at, size_t bytes, unsigned by) {
  const auto n = static_cast<unsigned>(bytes / sizeof(unsigned));
  count_up<<<(n + 255) / 256, 256>>>(reinterpret_cast<unsigned*>(at), n, by);
  CUDA(cudaDeviceSynchronize());
}

// A range that grows where it lies, as allocators of large frameworks make it.
void grows() {
  CUdeviceptr range = 0;
  const size_t all = 4 * granularity;
  DRIVER(cuMemAddressReserve(&range, all, 0, 0, 0));
  EXPECT(range % granularity == 0);
  size_t free_before = 0, free_after = 0, total = 0;
  CUDA(cudaMemGetInfo(&free_before, &total));
  for (size_t bytes = 0; bytes < all; bytes += granularity) {
    const CUmemGenericAllocationHandle handle = memory_of(granularity);
    DRIVER(cuMemMap(range + bytes, granularity, 0, handle, 0));
    DRIVER(cuMemRelease(handle));  // The mapping holds it.
    allow(range + bytes, granularity, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    run(range, bytes + granularity, 1);
  }
  CUDA(cudaMemGetInfo(&free_after, &total));
  EXPECT(free_before - free_after == all);
  const size_t last = all / sizeof(unsigned) - 1, second = granularity / sizeof(unsigned);
  EXPECT(value_at(range, 5) == 4 * (1 + 5));
  EXPECT(value_at(range, second) == 3 * (1 + second));
  EXPECT(value_at(range, last) == 1 + last);
  // Copies and fills cross from one mapping to the next.
  DRIVER(cuMemsetD32(range, 7, all / sizeof(unsigned)));
  run(range, all, 0);
  EXPECT(value_at(range, second) == 7 + second);
  EXPECT(cuMemAddressFree(range, all) == CUDA_ERROR_INVALID_VALUE);  // Still mapped.
  DRIVER(cuMemUnmap(range, all));
  CUDA(cudaMemGetInfo(&free_after, &total));
  EXPECT(free_before == free_after);
  EXPECT(cuMemFree(range) == CUDA_ERROR_INVALID_VALUE);
  DRIVER(cuMemAddressFree(range, all));
}

void one_memory_at_two_addresses() {
  CUdeviceptr first = 0, second = 0;
  DRIVER(cuMemAddressReserve(&first, granularity, 0, 0, 0));
  DRIVER(cuMemAddressReserve(&second, granularity, 16 * granularity, 0, 0));
  EXPECT(second % (16 * granularity) == 0);
  const CUmemGenericAllocationHandle handle = memory_of(granularity);
  for (const CUdeviceptr at : {first, second}) {
    DRIVER(cuMemMap(at, granularity, 0, handle, 0));
    allow(at, granularity, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
  }
  run(first, granularity, 3);
  run(second, granularity, 10);
  EXPECT(value_at(first, 100) == 3 + 10 + 200 && value_at(second, 100) == 213);

  unsigned long long flags = 0;
  allow(second, granularity, CU_MEM_ACCESS_FLAGS_PROT_READ);
  DRIVER(cuMemGetAccess(&flags, &properties.location, second));
  EXPECT(flags == CU_MEM_ACCESS_FLAGS_PROT_READ);
  EXPECT(value_at(second, 100) == 213);

  CUmemGenericAllocationHandle again = 0;
  DRIVER(cuMemRetainAllocationHandle(&again, reinterpret_cast<void*>(first + 64)));
  EXPECT(again == handle);
  DRIVER(cuMemRelease(again));
  CUmemAllocationProp same{};
  DRIVER(cuMemGetAllocationPropertiesFromHandle(&same, handle));
  EXPECT(std::memcmp(&same, &properties, sizeof same) == 0);

  // By its file, as another process would have it.
  int file = -1;
  CUdeviceptr third = 0;
  DRIVER(cuMemExportToShareableHandle(&file, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
  CUmemGenericAllocationHandle imported = 0;
  DRIVER(cuMemImportFromShareableHandle(&imported, reinterpret_cast<void*>(static_cast<size_t>(file)),
                                        CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
  close(file);
  DRIVER(cuMemAddressReserve(&third, granularity, 0, 0, 0));
  DRIVER(cuMemMap(third, granularity, 0, imported, 0));
  allow(third, granularity, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
  EXPECT(value_at(third, 100) == 213);
  run(third, granularity, 0);
  EXPECT(value_at(first, 100) == 313);

  for (const CUdeviceptr at : {first, second, third}) {
    DRIVER(cuMemUnmap(at, granularity));
    DRIVER(cuMemAddressFree(at, granularity));
  }
  DRIVER(cuMemRelease(imported));
  DRIVER(cuMemRelease(handle));
  EXPECT(cuMemRelease(handle) == CUDA_ERROR_INVALID_VALUE);
}

void misuse() {
  CUdeviceptr range = 0;
  CUmemGenericAllocationHandle handle = 0;
  EXPECT(cuMemCreate(&handle, granularity + 1, &properties, 0) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuMemCreate(&handle, size_t{1} << 50, &properties, 0) == CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT(cuMemAddressReserve(&range, 100, 0, 0, 0) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuMemAddressReserve(&range, granularity, 3 * granularity, 0, 0) == CUDA_ERROR_INVALID_VALUE);
  DRIVER(cuMemAddressReserve(&range, 2 * granularity, 0, 0, 0));
  handle = memory_of(2 * granularity);
  EXPECT(cuMemMap(range, 2 * granularity, granularity, handle, 0) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuMemMap(range + granularity, 2 * granularity, 0, handle, 0) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuMemMap(range, 4096, 0, handle, 0) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuMemMap(range, granularity, 0, handle + 8, 0) == CUDA_ERROR_INVALID_VALUE);
  DRIVER(cuMemMap(range, 2 * granularity, 0, handle, 0));
  EXPECT(cuMemMap(range + granularity, granularity, 0, handle, 0) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuMemUnmap(range, granularity) == CUDA_ERROR_INVALID_VALUE);  // Half a mapping.
  unsigned value = 0;
  EXPECT(cuMemcpyDtoH(&value, range, sizeof value) == CUDA_ERROR_INVALID_VALUE);  // No access yet.
  const CUmemAccessDesc elsewhere{{CU_MEM_LOCATION_TYPE_DEVICE, 1}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  EXPECT(cuMemSetAccess(range, 2 * granularity, &elsewhere, 1) == CUDA_ERROR_INVALID_DEVICE);
  EXPECT(cuMemAddressFree(range, granularity) == CUDA_ERROR_INVALID_VALUE);
  // A kernel's write to memory that may be read only is a fault, and the process lives.
  allow(range, 2 * granularity, CU_MEM_ACCESS_FLAGS_PROT_READ);
  count_up<<<1, 32>>>(reinterpret_cast<unsigned*>(range), 32, 1);
  EXPECT(cudaDeviceSynchronize() == cudaErrorIllegalAddress);
}

}  // namespace

int main() {
  CUDA(cudaFree(nullptr));
  int supported = 0;
  DRIVER(cuDeviceGetAttribute(&supported, CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, 0));
  EXPECT(supported == 1);
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  DRIVER(cuMemGetAllocationGranularity(&granularity, &properties, CU_MEM_ALLOC_GRANULARITY_MINIMUM));
  grows();
  one_memory_at_two_addresses();
  misuse();
  std::puts("PASS");
}
