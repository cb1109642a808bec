// Texture and surface objects: addressing, filtering, normalized reads, layers, copies to and from arrays.
#include <cuda_runtime.h>

#include <cmath>

#include "check.h"

__global__ void fetch(cudaTextureObject_t t, float x, float y, float* out) {
  *out = tex2D<float>(t, x, y);
}

__global__ void fetch_layer(cudaTextureObject_t t, int layer, float4* out) {
  *out = tex2DLayered<float4>(t, 1.5f, 0.5f, layer);
}

__global__ void fetch_linear(cudaTextureObject_t t, int i, int* out) {
  *out = tex1Dfetch<int>(t, i);
}

__global__ void transpose(cudaSurfaceObject_t from, cudaSurfaceObject_t to) {
  const int x = threadIdx.x, y = threadIdx.y;
  surf2Dwrite(surf2Dread<float>(from, x * 4, y), to, y * 4, x);
  float ignored;
  surf2Dread(&ignored, from, -4, y, cudaBoundaryModeZero);
  if (ignored != 0) surf2Dwrite(-1.0f, to, 0, 0);
}

float* result;

float sample(cudaArray_t array, cudaTextureAddressMode mode, cudaTextureFilterMode filter, bool normalized,
             float x, float y) {
  cudaResourceDesc resource = {};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = array;
  cudaTextureDesc texture = {};
  texture.addressMode[0] = texture.addressMode[1] = mode;
  texture.filterMode = filter;
  texture.normalizedCoords = normalized;
  texture.borderColor[0] = 99;
  cudaTextureObject_t t = 0;
  CUDA(cudaCreateTextureObject(&t, &resource, &texture, nullptr));
  fetch<<<1, 1>>>(t, x, y, result);
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaDestroyTextureObject(t));
  return *result;
}

int main() {
  CUDA(cudaMallocManaged(&result, 64));
  // 4x4 texels: value 10 y + x.
  float host[4][4], back[4][4];
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x) host[y][x] = 10.f * y + x;
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
  cudaArray_t array = nullptr, other = nullptr;
  CUDA(cudaMallocArray(&array, &format, 4, 4, cudaArraySurfaceLoadStore));
  CUDA(cudaMallocArray(&other, &format, 4, 4, cudaArraySurfaceLoadStore));
  CUDA(cudaMemcpy2DToArray(array, 0, 0, host, sizeof host[0], sizeof host[0], 4, cudaMemcpyHostToDevice));

  EXPECT(sample(array, cudaAddressModeClamp, cudaFilterModePoint, false, 2.9f, 1.0f) == 12);
  EXPECT(sample(array, cudaAddressModeClamp, cudaFilterModePoint, false, -3.0f, 9.0f) == 30);
  EXPECT(sample(array, cudaAddressModeBorder, cudaFilterModePoint, false, -1.0f, 1.0f) == 99);
  EXPECT(sample(array, cudaAddressModeWrap, cudaFilterModePoint, true, 1.25f, 0.0f) == 1);
  EXPECT(sample(array, cudaAddressModeMirror, cudaFilterModePoint, true, 1.125f, 0.0f) == 3);
  // Halfway between four texels: their mean. A quarter: exact in 8 bits.
  EXPECT(sample(array, cudaAddressModeClamp, cudaFilterModeLinear, false, 2.0f, 2.0f) == 16.5f);
  EXPECT(sample(array, cudaAddressModeClamp, cudaFilterModeLinear, false, 1.75f, 0.5f) == 1.25f);
  // Weights have 8 fractional bits: 1.5 + 1/1024 rounds to 1.5.
  EXPECT(sample(array, cudaAddressModeClamp, cudaFilterModeLinear, false, 1.5f + 1 / 1024.f, 0.5f) == 1.0f);

  cudaResourceDesc resource = {};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = array;
  cudaSurfaceObject_t from = 0, to = 0;
  CUDA(cudaCreateSurfaceObject(&from, &resource));
  resource.res.array.array = other;
  CUDA(cudaCreateSurfaceObject(&to, &resource));
  transpose<<<1, dim3(4, 4)>>>(from, to);
  CUDA(cudaMemcpy2DFromArray(back, sizeof back[0], other, 0, 0, sizeof back[0], 4, cudaMemcpyDeviceToHost));
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x) EXPECT(back[y][x] == host[x][y]);

  // Two layers of 2x1 bytes read as normalized floats.
  const uchar4 bytes[2][2] = {{{1, 2, 3, 4}, {255, 51, 0, 102}}, {{9, 9, 9, 9}, {0, 255, 0, 0}}};
  const cudaChannelFormatDesc byte_format = cudaCreateChannelDesc<uchar4>();
  cudaArray_t layers = nullptr;
  CUDA(cudaMalloc3DArray(&layers, &byte_format, make_cudaExtent(2, 1, 2), cudaArrayLayered));
  cudaMemcpy3DParms copy = {};
  copy.srcPtr = make_cudaPitchedPtr(const_cast<uchar4*>(&bytes[0][0]), 8, 2, 1);
  copy.dstArray = layers;
  copy.extent = make_cudaExtent(2, 1, 2);
  copy.kind = cudaMemcpyHostToDevice;
  CUDA(cudaMemcpy3D(&copy));
  resource.res.array.array = layers;
  cudaTextureDesc texture = {};
  texture.addressMode[0] = texture.addressMode[1] = cudaAddressModeClamp;
  texture.readMode = cudaReadModeNormalizedFloat;
  cudaTextureObject_t t = 0;
  CUDA(cudaCreateTextureObject(&t, &resource, &texture, nullptr));
  auto* four = reinterpret_cast<float4*>(result);
  fetch_layer<<<1, 1>>>(t, 0, four);
  CUDA(cudaDeviceSynchronize());
  EXPECT(four->x == 1 && four->y == 51 / 255.f && four->z == 0 && four->w == 102 / 255.f);
  fetch_layer<<<1, 1>>>(t, 1, four);
  CUDA(cudaDeviceSynchronize());
  EXPECT(four->x == 0 && four->y == 1);

  // Linear memory; outside reads are zero.
  int numbers[8] = {0, -1, -2, -3, -4, -5, -6, -7}, *device = nullptr;
  CUDA(cudaMalloc(&device, sizeof numbers));
  CUDA(cudaMemcpy(device, numbers, sizeof numbers, cudaMemcpyHostToDevice));
  resource = {};
  resource.resType = cudaResourceTypeLinear;
  resource.res.linear.devPtr = device;
  resource.res.linear.desc = cudaCreateChannelDesc<int>();
  resource.res.linear.sizeInBytes = sizeof numbers;
  texture.readMode = cudaReadModeElementType;
  cudaTextureObject_t linear = 0;
  CUDA(cudaCreateTextureObject(&linear, &resource, &texture, nullptr));
  auto* number = reinterpret_cast<int*>(result);
  fetch_linear<<<1, 1>>>(linear, 5, number);
  CUDA(cudaDeviceSynchronize());
  EXPECT(*number == -5);
  fetch_linear<<<1, 1>>>(linear, 8, number);
  CUDA(cudaDeviceSynchronize());
  EXPECT(*number == 0);
  std::printf("PASS\n");
}
