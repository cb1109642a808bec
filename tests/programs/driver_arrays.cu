// The driver API's arrays, textures and surfaces.

#include <cstring>
#include <vector>

#include <cuda.h>
#include <cuda_runtime.h>

#include "check.h"

namespace {

#define DRIVER(call) EXPECT((call) == CUDA_SUCCESS)

constexpr int width = 20, height = 6, depth = 3;

__global__ void fetch(cudaTextureObject_t texture, float x, float y, float* out) {
  *out = tex2D<float>(texture, x, y);
}
__global__ void fetch_3d(cudaTextureObject_t texture, float x, float y, float z, float* out) {
  *out = tex3D<float>(texture, x, y, z);
}
__global__ void fetch_bytes(cudaTextureObject_t texture, int i, float* fraction) {
  *fraction = tex1Dfetch<float>(texture, i);
}
__global__ void fetch_integer(cudaTextureObject_t texture, int i, int* out) {
  *out = tex1Dfetch<unsigned char>(texture, i);
}
__global__ void store(cudaSurfaceObject_t surface, int x, int y, float value) {
  surf2Dwrite(value, surface, x * 4, y);
}

float* out;

float result() {
  float value = -1;
  CUDA(cudaMemcpy(&value, out, sizeof value, cudaMemcpyDeviceToHost));
  return value;
}

CUDA_RESOURCE_DESC array_resource(CUarray array) {
  CUDA_RESOURCE_DESC resource{};
  resource.resType = CU_RESOURCE_TYPE_ARRAY;
  resource.res.array.hArray = array;
  return resource;
}

/// value(x, y, z) = x + 100 y + 10000 z, copied in by cuMemcpy3D.
CUarray filled(size_t h, size_t d) {
  CUDA_ARRAY3D_DESCRIPTOR p{};
  p.Width = width;
  p.Height = h;
  p.Depth = d;
  p.Format = CU_AD_FORMAT_FLOAT;
  p.NumChannels = 1;
  p.Flags = CUDA_ARRAY3D_SURFACE_LDST;
  CUarray array = nullptr;
  DRIVER(cuArray3DCreate(&array, &p));
  std::vector<float> host(width * h * (d ? d : 1));
  for (size_t i = 0; i < host.size(); ++i)
    host[i] = static_cast<float>(i % width + i / width % h * 100 + i / width / h * 10000);
  CUDA_MEMCPY3D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = host.data();
  copy.srcPitch = width * 4;
  copy.srcHeight = h;
  copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  copy.dstArray = array;
  copy.WidthInBytes = width * 4;
  copy.Height = h;
  copy.Depth = d ? d : 1;
  DRIVER(cuMemcpy3D(&copy));
  copy.WidthInBytes += 4;
  EXPECT(cuMemcpy3D(&copy) == CUDA_ERROR_INVALID_VALUE);  // Past the row.
  return array;
}

void textures() {
  const CUarray array = filled(height, 0);
  CUDA_ARRAY_DESCRIPTOR about{};
  DRIVER(cuArrayGetDescriptor(&about, array));
  EXPECT(about.Width == width && about.Height == height && about.NumChannels == 1);
  EXPECT(about.Format == CU_AD_FORMAT_FLOAT);
  const CUDA_RESOURCE_DESC resource = array_resource(array);
  CUDA_TEXTURE_DESC p{};
  p.addressMode[0] = p.addressMode[1] = CU_TR_ADDRESS_MODE_CLAMP;
  CUtexObject texture;
  DRIVER(cuTexObjectCreate(&texture, &resource, &p, nullptr));
  fetch<<<1, 1>>>(texture, 7.5f, 3.5f, out);
  EXPECT(result() == 307);
  fetch<<<1, 1>>>(texture, 99.5f, 3.5f, out);
  EXPECT(result() == width - 1 + 300);
  CUDA_RESOURCE_DESC back{};
  DRIVER(cuTexObjectGetResourceDesc(&back, texture));
  EXPECT(back.resType == CU_RESOURCE_TYPE_ARRAY && back.res.array.hArray == array);
  DRIVER(cuTexObjectDestroy(texture));
  EXPECT(cuTexObjectDestroy(texture) == CUDA_ERROR_INVALID_VALUE);

  p.filterMode = CU_TR_FILTER_MODE_LINEAR;
  p.flags = CU_TRSF_NORMALIZED_COORDINATES;
  p.addressMode[0] = p.addressMode[1] = CU_TR_ADDRESS_MODE_WRAP;
  DRIVER(cuTexObjectCreate(&texture, &resource, &p, nullptr));
  CUDA_TEXTURE_DESC got{};
  DRIVER(cuTexObjectGetTextureDesc(&got, texture));
  EXPECT((got.flags & CU_TRSF_NORMALIZED_COORDINATES) != 0 && got.filterMode == CU_TR_FILTER_MODE_LINEAR);
  fetch<<<1, 1>>>(texture, 1 + 8.f / width, 2.5f / height, out);  // Halfway from texel 7 to 8, a turn later.
  EXPECT(result() == 207.5f);
  DRIVER(cuTexObjectDestroy(texture));
  p.flags = CU_TRSF_SRGB;
  EXPECT(cuTexObjectCreate(&texture, &resource, &p, nullptr) == CUDA_ERROR_NOT_SUPPORTED);

  // Three dimensions.
  const CUarray solid = filled(height, depth);
  const CUDA_RESOURCE_DESC of_solid = array_resource(solid);
  p = {};
  DRIVER(cuTexObjectCreate(&texture, &of_solid, &p, nullptr));
  fetch_3d<<<1, 1>>>(texture, 4.5f, 5.5f, 2.5f, out);
  EXPECT(result() == 20504);
  DRIVER(cuTexObjectDestroy(texture));
  DRIVER(cuArrayDestroy(solid));

  // A surface writes what copies bring out.
  CUsurfObject surface;
  DRIVER(cuSurfObjectCreate(&surface, &resource));
  store<<<1, 1>>>(surface, 3, 2, -5.f);
  CUDA(cudaDeviceSynchronize());
  float host[height][width];
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_ARRAY;
  copy.srcArray = array;
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = host;
  copy.dstPitch = sizeof host[0];
  copy.WidthInBytes = sizeof host[0];
  copy.Height = height;
  DRIVER(cuMemcpy2D(&copy));
  EXPECT(host[2][3] == -5 && host[2][4] == 204 && host[5][19] == 519);
  // A part of it, from array to array.
  const CUarray other = filled(height, 0);
  copy = {};
  copy.srcMemoryType = copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  copy.srcArray = array;
  copy.dstArray = other;
  copy.srcXInBytes = 12;
  copy.srcY = 2;
  copy.dstXInBytes = 0;
  copy.dstY = 5;
  copy.WidthInBytes = 8;
  copy.Height = 1;
  DRIVER(cuMemcpy2D(&copy));
  CUtexObject seen;
  p = {};
  const CUDA_RESOURCE_DESC of_other = array_resource(other);
  DRIVER(cuTexObjectCreate(&seen, &of_other, &p, nullptr));
  fetch<<<1, 1>>>(seen, 0.5f, 5.5f, out);
  EXPECT(result() == -5);
  DRIVER(cuTexObjectDestroy(seen));
  DRIVER(cuSurfObjectDestroy(surface));
  DRIVER(cuArrayDestroy(other));
  DRIVER(cuArrayDestroy(array));
}

void bytes() {
  // Integers read as fractions unless the flag says otherwise.
  CUdeviceptr memory;
  DRIVER(cuMemAlloc(&memory, 256));
  DRIVER(cuMemsetD8(memory, 51, 256));
  CUDA_RESOURCE_DESC resource{};
  resource.resType = CU_RESOURCE_TYPE_LINEAR;
  resource.res.linear.devPtr = memory;
  resource.res.linear.format = CU_AD_FORMAT_UNSIGNED_INT8;
  resource.res.linear.numChannels = 1;
  resource.res.linear.sizeInBytes = 256;
  CUDA_TEXTURE_DESC p{};
  CUtexObject texture;
  DRIVER(cuTexObjectCreate(&texture, &resource, &p, nullptr));
  fetch_bytes<<<1, 1>>>(texture, 9, out);
  EXPECT(result() == 0.2f);
  DRIVER(cuTexObjectDestroy(texture));
  p.flags = CU_TRSF_READ_AS_INTEGER;
  DRIVER(cuTexObjectCreate(&texture, &resource, &p, nullptr));
  fetch_integer<<<1, 1>>>(texture, 9, reinterpret_cast<int*>(out));
  int integer = 0;
  CUDA(cudaMemcpy(&integer, out, sizeof integer, cudaMemcpyDeviceToHost));
  EXPECT(integer == 51);
  DRIVER(cuTexObjectDestroy(texture));
  DRIVER(cuMemFree(memory));
}

void one_dimension() {
  CUDA_ARRAY_DESCRIPTOR p{};
  p.Width = 64;
  p.Format = CU_AD_FORMAT_SIGNED_INT16;
  p.NumChannels = 2;
  CUarray a, b;
  DRIVER(cuArrayCreate(&a, &p));
  DRIVER(cuArrayCreate(&b, &p));
  std::vector<short> host(128), back(128);
  for (int i = 0; i < 128; ++i) host[i] = static_cast<short>(3 * i);
  DRIVER(cuMemcpyHtoA(a, 0, host.data(), 256));
  DRIVER(cuMemcpyAtoA(b, 128, a, 0, 128));
  DRIVER(cuMemcpyAtoH(back.data(), b, 128, 128));
  EXPECT(std::memcmp(back.data(), host.data(), 128) == 0);
  EXPECT(cuMemcpyHtoA(a, 4, host.data(), 256) == CUDA_ERROR_INVALID_VALUE);
  CUdeviceptr memory;
  DRIVER(cuMemAlloc(&memory, 256));
  DRIVER(cuMemcpyAtoD(memory, a, 64, 64));
  DRIVER(cuMemcpyDtoA(b, 0, memory, 64));
  DRIVER(cuMemcpyAtoHAsync(back.data(), b, 0, 64, nullptr));
  DRIVER(cuCtxSynchronize());
  EXPECT(back[0] == host[32]);
  p.NumChannels = 3;
  EXPECT(cuArrayCreate(&a, &p) == CUDA_ERROR_INVALID_VALUE);
}

}  // namespace

int main() {
  CUDA(cudaMalloc(&out, 64));
  textures();
  bytes();
  one_dimension();
  std::printf("PASS\n");
}
