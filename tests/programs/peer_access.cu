// Kernels that touch another device's memory: br100, br100 and a100, of which the first two are linked.

#include <cstring>
#include <string>
#include <vector>

#include <cuda.h>
#include <cuda_runtime.h>

#include "check.h"

namespace {

constexpr int n = 1 << 18;
constexpr size_t bytes = n * sizeof(int);

__device__ int of_module = 40;

__global__ void add(int* to, const int* from, int by, int count = n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) to[i] = from[i] + by;
}
__global__ void count(int* total) {
  atomicAdd(total, 1);
}
__global__ void chase(const int* next, int* end, int steps) {
  int at = 0;
  for (int i = 0; i < steps; ++i) at = next[at];
  *end = at;
}

bool all(const int* memory, int wanted) {
  std::vector<int> host(n);
  CUDA(cudaMemcpy(host.data(), memory, bytes, cudaMemcpyDefault));
  for (const int value : host)
    if (value != wanted) return false;
  return true;
}

int* ints_on(int device, int value, int count = n) {
  int* memory = nullptr;
  CUDA(cudaSetDevice(device));
  CUDA(cudaMalloc(&memory, count * sizeof(int)));
  const std::vector<int> host(count, value);
  CUDA(cudaMemcpy(memory, host.data(), count * sizeof(int), cudaMemcpyHostToDevice));
  return memory;
}

void who_may() {
  int can = -1, value = -1;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      CUDA(cudaDeviceCanAccessPeer(&can, i, j));
      EXPECT(can == (i != j && i < 2 && j < 2));
    }
  CUDA(cudaDeviceGetP2PAttribute(&value, cudaDevP2PAttrAccessSupported, 0, 1));
  EXPECT(value == 1);
  CUDA(cudaDeviceGetP2PAttribute(&value, cudaDevP2PAttrNativeAtomicSupported, 0, 2));
  EXPECT(value == 0);
  CUDA(cudaSetDevice(0));
  EXPECT(cudaDeviceEnablePeerAccess(0, 0) == cudaErrorInvalidDevice);
  EXPECT(cudaDeviceEnablePeerAccess(2, 0) == cudaErrorPeerAccessUnsupported);
  EXPECT(cudaDeviceEnablePeerAccess(1, 1) == cudaErrorInvalidValue);
  EXPECT(cudaDeviceDisablePeerAccess(1) == cudaErrorPeerAccessNotEnabled);
  CUDA(cudaDeviceEnablePeerAccess(1, 0));
  EXPECT(cudaDeviceEnablePeerAccess(1, 0) == cudaErrorPeerAccessAlreadyEnabled);
  CUDA(cudaDeviceDisablePeerAccess(1));
  (void)cudaGetLastError();
}

void reads_and_writes() {
  int *a = ints_on(0, 1), *b = ints_on(1, 10);
  CUDA(cudaSetDevice(0));
  CUDA(cudaDeviceEnablePeerAccess(1, 0));
  add<<<n / 256, 256>>>(a, b, 5);
  CUDA(cudaDeviceSynchronize());
  EXPECT(all(a, 15) && all(b, 10));
  add<<<n / 256, 256>>>(b, a, 2);
  CUDA(cudaDeviceSynchronize());
  EXPECT(all(b, 17));

  // What the other device does next sees it, ordered by an event.
  cudaEvent_t done;
  CUDA(cudaEventCreateWithFlags(&done, cudaEventDisableTiming));
  add<<<n / 256, 256>>>(b, b, 3);
  CUDA(cudaEventRecord(done));
  CUDA(cudaSetDevice(1));
  CUDA(cudaStreamWaitEvent(nullptr, done, 0));
  add<<<n / 256, 256>>>(b, b, 4);
  CUDA(cudaDeviceSynchronize());
  EXPECT(all(b, 24));
  CUDA(cudaEventDestroy(done));

  // Atomics, and a variable of the other device's module.
  CUDA(cudaSetDevice(0));
  CUDA(cudaMemset(b, 0, bytes));
  CUDA(cudaDeviceSynchronize());
  count<<<64, 128>>>(b);
  CUDA(cudaDeviceSynchronize());
  int total = 0;
  CUDA(cudaMemcpy(&total, b, sizeof total, cudaMemcpyDeviceToHost));
  EXPECT(total == 64 * 128);
  void* variable = nullptr;
  CUDA(cudaSetDevice(1));
  CUDA(cudaGetSymbolAddress(&variable, of_module));
  CUDA(cudaSetDevice(0));
  count<<<1, 2>>>(static_cast<int*>(variable));
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaMemcpy(&total, variable, sizeof total, cudaMemcpyDeviceToHost));
  EXPECT(total == 42);

  // Small blocks of both devices do not share what protects them.
  int *mine = nullptr, *theirs = nullptr;
  CUDA(cudaMalloc(&mine, 256));
  CUDA(cudaSetDevice(1));
  CUDA(cudaMalloc(&theirs, 256));
  count<<<1, 1>>>(theirs);
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaFree(theirs));
  CUDA(cudaFree(mine));

  CUDA(cudaSetDevice(0));
  CUDA(cudaDeviceDisablePeerAccess(1));
  CUDA(cudaFree(a));
  CUDA(cudaFree(b));
}

/// While a kernel runs and another device's memory is out of its reach, copies and callbacks go on.
void copies_beside_kernels() {
  int *a = ints_on(0, 1), *b = ints_on(1, 2), *c = ints_on(0, 3);
  cudaStream_t stream;
  CUDA(cudaSetDevice(0));
  CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  static int seen;
  seen = 0;
  const std::vector<int> host(n, 9);
  for (int i = 0; i < 8; ++i) {
    add<<<n / 256, 256>>>(a, a, 1);
    CUDA(cudaMemcpyPeerAsync(b, 1, c, 0, bytes, stream));
    CUDA(cudaMemcpyAsync(b, host.data(), bytes / 2, cudaMemcpyHostToDevice, stream));
    CUDA(cudaMemsetAsync(static_cast<void*>(b + n / 2), 0, bytes / 2, stream));
    CUDA(cudaLaunchHostFunc(
        stream, [](void* at) { seen += *static_cast<int*>(at) == 9; }, const_cast<int*>(host.data())));
  }
  CUDA(cudaDeviceSynchronize());
  EXPECT(seen == 8 && all(a, 9));
  std::vector<int> result(n);
  CUDA(cudaMemcpy(result.data(), b, bytes, cudaMemcpyDefault));
  EXPECT(result[0] == 9 && result[n - 1] == 0);

  // A copy that the host waits for comes behind what the other device has still to do.
  CUDA(cudaSetDevice(1));
  add<<<n / 256, 256>>>(b, b, 100);
  CUDA(cudaSetDevice(0));
  CUDA(cudaMemcpy(c, b, bytes, cudaMemcpyDefault));
  CUDA(cudaMemcpy(result.data(), c, bytes, cudaMemcpyDefault));
  EXPECT(result[0] == 109 && result[n - 1] == 100);
  CUDA(cudaStreamDestroy(stream));
  for (int* memory : {a, b, c}) CUDA(cudaFree(memory));
}

void pools() {
  cudaMemPool_t pool;
  int* memory = nullptr;
  CUDA(cudaSetDevice(1));
  CUDA(cudaDeviceGetDefaultMemPool(&pool, 1));
  CUDA(cudaMallocAsync(reinterpret_cast<void**>(&memory), bytes, nullptr));
  CUDA(cudaMemset(memory, 0, bytes));
  cudaMemAccessDesc access{};
  access.location = {cudaMemLocationTypeDevice, 0};
  access.flags = cudaMemAccessFlagsProtReadWrite;
  cudaMemAccessFlags flags{};
  CUDA(cudaMemPoolGetAccess(&flags, pool, &access.location));
  EXPECT(flags == cudaMemAccessFlagsProtNone);
  CUDA(cudaMemPoolSetAccess(pool, &access, 1));
  CUDA(cudaMemPoolGetAccess(&flags, pool, &access.location));
  EXPECT(flags == cudaMemAccessFlagsProtReadWrite);
  CUDA(cudaSetDevice(0));
  count<<<2, 32>>>(memory);
  CUDA(cudaDeviceSynchronize());
  int total = 0;
  CUDA(cudaMemcpy(&total, memory, sizeof total, cudaMemcpyDefault));
  EXPECT(total == 64);
  access.location.id = 2;
  EXPECT(cudaMemPoolSetAccess(pool, &access, 1) == cudaErrorInvalidDevice);
  (void)cudaGetLastError();
  CUDA(cudaSetDevice(1));
  CUDA(cudaFreeAsync(memory, nullptr));
  CUDA(cudaDeviceSynchronize());
}

/// Memory of device 1 that the program maps, for device 0 to read.
CUdeviceptr mapped(size_t size) {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 1};
  CUmemGenericAllocationHandle handle;
  CUdeviceptr at = 0;
  EXPECT(cuMemCreate(&handle, size, &properties, 0) == CUDA_SUCCESS);
  EXPECT(cuMemAddressReserve(&at, size, 0, 0, 0) == CUDA_SUCCESS);
  EXPECT(cuMemMap(at, size, 0, handle, 0) == CUDA_SUCCESS);
  EXPECT(cuMemRelease(handle) == CUDA_SUCCESS);
  CUmemAccessDesc access[2]{};
  access[0].location = {CU_MEM_LOCATION_TYPE_DEVICE, 1};
  access[0].flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  access[1].location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  access[1].flags = CU_MEM_ACCESS_FLAGS_PROT_READ;
  EXPECT(cuMemSetAccess(at, size, access, 2) == CUDA_SUCCESS);
  for (int device = 0; device < 3; ++device) {
    unsigned long long flags = 99;
    const CUmemLocation where{CU_MEM_LOCATION_TYPE_DEVICE, device};
    EXPECT(cuMemGetAccess(&flags, &where, at) == CUDA_SUCCESS);
    EXPECT(flags == (device == 0   ? CU_MEM_ACCESS_FLAGS_PROT_READ
                     : device == 1 ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE
                                   : CU_MEM_ACCESS_FLAGS_PROT_NONE));
  }
  access[1].location.id = 2;
  EXPECT(cuMemSetAccess(at, size, access + 1, 1) == CUDA_ERROR_INVALID_DEVICE);
  return at;
}

void mappings() {
  CUDA(cudaSetDevice(1));
  CUDA(cudaFree(nullptr));
  int* memory = reinterpret_cast<int*>(mapped(2 << 20));
  CUDA(cudaMemset(memory, 0, 2 << 20));
  add<<<n / 256, 256>>>(memory, memory, 6);
  CUDA(cudaDeviceSynchronize());
  int* mine = ints_on(0, 0);
  add<<<n / 256, 256>>>(mine, memory, 1);
  CUDA(cudaDeviceSynchronize());
  EXPECT(all(mine, 7));
}

/// Ends the device: what is not allowed faults.
void refused(const std::string& what) {
  int *a = ints_on(0, 1), *b = ints_on(1, 2);
  CUDA(cudaSetDevice(0));
  if (what == "disabled") {
    CUDA(cudaDeviceEnablePeerAccess(1, 0));
    add<<<n / 256, 256>>>(a, b, 0);
    CUDA(cudaDeviceDisablePeerAccess(1));
    EXPECT(all(a, 2));
  } else if (what == "wrong_way") {
    CUDA(cudaSetDevice(1));
    CUDA(cudaDeviceEnablePeerAccess(0, 0));
    CUDA(cudaSetDevice(0));
  } else if (what == "pool") {
    CUDA(cudaDeviceEnablePeerAccess(1, 0));  // Not for pools.
    CUDA(cudaSetDevice(1));
    CUDA(cudaMallocAsync(reinterpret_cast<void**>(&b), bytes, nullptr));
    CUDA(cudaDeviceSynchronize());
    CUDA(cudaSetDevice(0));
  } else if (what == "read_only") {
    CUDA(cudaSetDevice(1));
    b = reinterpret_cast<int*>(mapped(2 << 20));
    CUDA(cudaSetDevice(0));
    add<<<n / 256, 256>>>(a, b, 0);
    CUDA(cudaDeviceSynchronize());
    std::swap(a, b);
  }
  add<<<n / 256, 256>>>(a, b, 1);
  EXPECT(cudaDeviceSynchronize() == cudaErrorIllegalAddress);
  // The other device goes on.
  CUDA(cudaSetDevice(1));
  int* own = ints_on(1, 4);
  add<<<n / 256, 256>>>(own, own, 1);
  CUDA(cudaDeviceSynchronize());
  EXPECT(all(own, 5));
}

/// By events, the second time: of a chase of so many steps, or an addition where there are none.
constexpr int many = 1 << 21;
float microseconds(const std::vector<int*>& arguments, int steps) {
  cudaEvent_t begin, end;
  float ms = 0;
  CUDA(cudaEventCreate(&begin));
  CUDA(cudaEventCreate(&end));
  for (int run = 0; run < 2; ++run) {
    CUDA(cudaEventRecord(begin));
    if (steps > 0)
      chase<<<1, 1>>>(arguments[0], arguments[1], steps);
    else
      add<<<many / 256, 256>>>(arguments[1], arguments[0], 1, many);
    CUDA(cudaEventRecord(end));
    CUDA(cudaEventSynchronize(end));
  }
  CUDA(cudaEventElapsedTime(&ms, begin, end));
  return ms * 1000;
}

/// In modelled time: BR100's link brings 256 GB/s each way, 128 of 144 bytes being data, and 300 ns each way.
void rates() {
  int *a = ints_on(0, 0, many), *far = ints_on(1, 0, many), *out = ints_on(0, 0, many);
  CUDA(cudaSetDevice(0));
  CUDA(cudaDeviceEnablePeerAccess(1, 0));
  // A pointer chase over lines of its own, so that L1 and L2 have none of them.
  constexpr int steps = 2000;
  std::vector<int> next(n);
  for (int i = 0; i < n; ++i) next[i] = (i + 32 * 37) % n;
  CUDA(cudaMemcpy(far, next.data(), bytes, cudaMemcpyDefault));
  CUDA(cudaMemcpy(a, next.data(), bytes, cudaMemcpyDefault));
  const float near_ns = microseconds({a, out}, steps) * 1000 / steps;
  const float far_ns = microseconds({far, out}, steps) * 1000 / steps;
  std::printf("a step of a pointer chase: %.0f ns here, %.0f ns there\n", near_ns, far_ns);
  EXPECT(far_ns > 600 && far_ns < 1400 && far_ns > 2 * near_ns);

  const double data = many * 4e-3;  // KB
  const double read_gbs = data / microseconds({far, out}, 0), write_gbs = data / microseconds({a, far}, 0);
  const double here_gbs = data / microseconds({a, out}, 0);
  std::printf("a kernel reads %.0f GB/s from there, writes %.0f, %.0f GB/s here\n", read_gbs, write_gbs,
              here_gbs);
  const double payload = 256.0 * 128 / 144;
  EXPECT(read_gbs < payload && read_gbs > 0.5 * payload);
  EXPECT(write_gbs < payload && write_gbs > 0.5 * payload);
  EXPECT(here_gbs > 1.5 * read_gbs);

  const auto copy_us = [&](void* to, const void* from, int device) {
    cudaEvent_t begin, end;
    float ms = 0;
    CUDA(cudaEventCreate(&begin));
    CUDA(cudaEventCreate(&end));
    CUDA(cudaEventRecord(begin));
    CUDA(cudaMemcpyPeerAsync(to, device, from, 0, many * sizeof(int), nullptr));
    CUDA(cudaEventRecord(end));
    CUDA(cudaEventSynchronize(end));
    CUDA(cudaEventElapsedTime(&ms, begin, end));
    return ms * 1000;
  };
  int* unlike = ints_on(2, 0, many);
  CUDA(cudaSetDevice(0));
  const float linked_us = copy_us(far, a, 1), host_us = copy_us(unlike, a, 2);
  std::printf("a copy takes %.1f us over the link, %.1f us over the host\n", linked_us, host_us);
  const double wanted_us = 0.3 + data / payload;
  EXPECT(linked_us > wanted_us && linked_us < wanted_us + 1);  // The host takes a while between the calls.
  EXPECT(host_us > data / 25);                                 // A100's PCIe is the slower.
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count > 1 ? arguments[1] : "";
  if (what == "rates") {
    rates();
  } else if (!what.empty()) {
    refused(what);
  } else {
    who_may();
    reads_and_writes();
    copies_beside_kernels();
    pools();
    mappings();
  }
  std::printf("PASS\n");
}
