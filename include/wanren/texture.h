// Texture and surface fetches as loads and arithmetic (CUDA C++ Programming Guide, "Texture Fetching"): a
// handle is the device address of a __wanren_texture, which the runtime fills in. Linear filtering weighs
// with 8 fractional bits, as hardware does. Mipmaps have one level.
#ifndef WANREN_TEXTURE_H
#define WANREN_TEXTURE_H

#include "texture_descriptor.h"

#if defined(__CUDA__) && defined(__clang__)

#define WANREN_TEX static __device__ __forceinline__

struct __wanren_texel {
  unsigned int c[4];
};

// Index of texel `i` of `n` under an address mode; -1: the border.
WANREN_TEX int __wanren_wrapped(int i, int n, unsigned int mode) {
  if (mode == cudaAddressModeClamp) return i < 0 ? 0 : i >= n ? n - 1 : i;
  if (mode == cudaAddressModeBorder) return i < 0 || i >= n ? -1 : i;
  const int period = mode == cudaAddressModeMirror ? 2 * n : n;
  int r = i % period;
  if (r < 0) r += period;
  return r < n ? r : period - 1 - r;
}

WANREN_TEX __wanren_texel __wanren_load_texel(const __wanren_texture* t, int x, int y, int z) {
  __wanren_texel r = {{0, 0, 0, 0}};
  const unsigned int channels = t->channels, bytes = t->channel_bytes;
  if (x < 0 || y < 0 || z < 0) {
    for (unsigned int i = 0; i < 4; ++i) r.c[i] = t->border[i];
    return r;
  }
  const char* at =
      (const char*)(t->base + z * t->slice + y * t->pitch) + (unsigned long long)x * (channels * bytes);
  for (unsigned int i = 0; i < channels; ++i) {
    if (bytes == 4) {
      r.c[i] = ((const unsigned int*)at)[i];
    } else if (bytes == 2) {
      const unsigned int v = ((const unsigned short*)at)[i];
      if (t->kind == cudaChannelFormatKindFloat) {
        float f;
        asm("{cvt.f32.f16 %0, %1;}" : "=f"(f) : "h"((unsigned short)v));
        r.c[i] = __float_as_uint(f);
      } else {
        r.c[i] = t->kind == cudaChannelFormatKindSigned ? (unsigned int)(int)(short)v : v;
      }
    } else {
      const unsigned int v = ((const unsigned char*)at)[i];
      r.c[i] = t->kind == cudaChannelFormatKindSigned ? (unsigned int)(int)(signed char)v : v;
    }
    if (t->normalized_float) {
      const float most = (float)((1u << (8 * bytes - (t->kind == cudaChannelFormatKindSigned ? 1 : 0))) - 1);
      const float f = t->kind == cudaChannelFormatKindSigned ? fmaxf((float)(int)r.c[i] / most, -1.0f)
                                                             : (float)r.c[i] / most;
      r.c[i] = __float_as_uint(f);
    }
  }
  return r;
}

// Texel index and weight of the right neighbour, both of a coordinate in texels.
WANREN_TEX void __wanren_split(float x, int* i, float* weight) {
  const int fixed = (int)floorf(x * 256.0f + 0.5f) - 128;
  *i = fixed >> 8;
  *weight = (float)(fixed & 255) * (1.0f / 256.0f);
}

template <int dimensions>
WANREN_TEX __wanren_texel __wanren_sample(const __wanren_texture* t, float x, float y, float z, int layer) {
  const int w = (int)t->width, h = (int)t->height, d = (int)t->depth;
  if (t->normalized_coordinates) {
    x *= (float)w;
    if (dimensions > 1) y *= (float)h;
    if (dimensions > 2) z *= (float)d;
  }
  if (!t->linear) {
    const int i = __wanren_wrapped((int)floorf(x), w, t->address[0]);
    const int j = dimensions > 1 ? __wanren_wrapped((int)floorf(y), h, t->address[1]) : 0;
    const int k = dimensions > 2 ? __wanren_wrapped((int)floorf(z), d, t->address[2]) : layer;
    return __wanren_load_texel(t, i, j, k);
  }
  int i, j = 0, k = layer;
  float a, b = 0, c = 0;
  __wanren_split(x, &i, &a);
  if (dimensions > 1) __wanren_split(y, &j, &b);
  if (dimensions > 2) __wanren_split(z, &k, &c);
  float sum[4] = {0, 0, 0, 0};
  for (int corner = 0; corner < (1 << dimensions); ++corner) {
    const int right = corner & 1, below = corner >> 1 & 1, behind = corner >> 2;
    const int ii = __wanren_wrapped(i + right, w, t->address[0]);
    const int jj = dimensions > 1 ? __wanren_wrapped(j + below, h, t->address[1]) : 0;
    const int kk = dimensions > 2 ? __wanren_wrapped(k + behind, d, t->address[2]) : layer;
    float weight = right ? a : 1.0f - a;
    if (dimensions > 1) weight *= below ? b : 1.0f - b;
    if (dimensions > 2) weight *= behind ? c : 1.0f - c;
    const __wanren_texel texel = __wanren_load_texel(t, ii, jj, kk);
    for (int e = 0; e < 4; ++e) sum[e] += weight * __uint_as_float(texel.c[e]);
  }
  __wanren_texel r;
  for (int e = 0; e < 4; ++e) r.c[e] = __float_as_uint(sum[e]);
  return r;
}

template <class T>
struct __wanren_channel {};
#define WANREN_CHANNEL(type, expression)             \
  template <>                                        \
  struct __wanren_channel<type> {                    \
    WANREN_TEX_MEMBER type from(unsigned int bits) { \
      return expression;                             \
    }                                                \
  };
#define WANREN_TEX_MEMBER static __device__ __forceinline__
WANREN_CHANNEL(char, (char)bits)
WANREN_CHANNEL(signed char, (signed char)bits)
WANREN_CHANNEL(unsigned char, (unsigned char)bits)
WANREN_CHANNEL(short, (short)bits)
WANREN_CHANNEL(unsigned short, (unsigned short)bits)
WANREN_CHANNEL(int, (int)bits)
WANREN_CHANNEL(unsigned int, bits)
WANREN_CHANNEL(long, (long)(int)bits)
WANREN_CHANNEL(unsigned long, bits)
WANREN_CHANNEL(float, __uint_as_float(bits))
#undef WANREN_CHANNEL

template <class T>
struct __wanren_pixel {
  WANREN_TEX_MEMBER T from(const __wanren_texel& t) { return __wanren_channel<T>::from(t.c[0]); }
};
#define WANREN_PIXEL(scalar, name)                                                                           \
  template <>                                                                                                \
  struct __wanren_pixel<name##1> {                                                                           \
    WANREN_TEX_MEMBER name##1 from(const __wanren_texel& t) {                                                \
      return make_##name##1(__wanren_channel<scalar>::from(t.c[0]));                                         \
    }                                                                                                        \
  };                                                                                                         \
  template <>                                                                                                \
  struct __wanren_pixel<name##2> {                                                                           \
    WANREN_TEX_MEMBER name##2 from(const __wanren_texel& t) {                                                \
      return make_##name##2(__wanren_channel<scalar>::from(t.c[0]), __wanren_channel<scalar>::from(t.c[1])); \
    }                                                                                                        \
  };                                                                                                         \
  template <>                                                                                                \
  struct __wanren_pixel<name##4> {                                                                           \
    WANREN_TEX_MEMBER name##4 from(const __wanren_texel& t) {                                                \
      return make_##name##4(__wanren_channel<scalar>::from(t.c[0]), __wanren_channel<scalar>::from(t.c[1]),  \
                            __wanren_channel<scalar>::from(t.c[2]), __wanren_channel<scalar>::from(t.c[3])); \
    }                                                                                                        \
  };
WANREN_PIXEL(signed char, char)
WANREN_PIXEL(unsigned char, uchar)
WANREN_PIXEL(short, short)
WANREN_PIXEL(unsigned short, ushort)
WANREN_PIXEL(int, int)
WANREN_PIXEL(unsigned int, uint)
WANREN_PIXEL(float, float)
#undef WANREN_PIXEL

WANREN_TEX const __wanren_texture* __wanren_texture_of(unsigned long long handle) {
  return (const __wanren_texture*)handle;
}
WANREN_TEX int __wanren_layer(const __wanren_texture* t, int layer) {
  return layer < 0 ? 0 : layer >= (int)t->depth ? (int)t->depth - 1 : layer;
}
// The face that a direction hits and the place on it (Programming Guide, "Cubemap Textures").
WANREN_TEX int __wanren_cube(float x, float y, float z, float* s, float* t) {
  const float ax = fabsf(x), ay = fabsf(y), az = fabsf(z);
  float m, sc, tc;
  int face;
  if (ax >= ay && ax >= az) {
    face = x >= 0 ? 0 : 1, m = ax, sc = x >= 0 ? -z : z, tc = -y;
  } else if (ay >= az) {
    face = y >= 0 ? 2 : 3, m = ay, sc = x, tc = y >= 0 ? z : -z;
  } else {
    face = z >= 0 ? 4 : 5, m = az, sc = z >= 0 ? x : -x, tc = -y;
  }
  *s = (sc / m + 1.0f) * 0.5f;
  *t = (tc / m + 1.0f) * 0.5f;
  return face;
}

// Each fetch by value, and in the older form that returns through a pointer.
#define WANREN_FETCH(name, parameters, arguments, ...)                                    \
  template <class T>                                                                      \
  WANREN_TEX T name(cudaTextureObject_t handle, WANREN_UNPACK parameters) {               \
    const __wanren_texture* t = __wanren_texture_of(handle);                              \
    __VA_ARGS__                                                                           \
  }                                                                                       \
  template <class T>                                                                      \
  WANREN_TEX void name(T* result, cudaTextureObject_t handle, WANREN_UNPACK parameters) { \
    *result = name<T>(handle, WANREN_UNPACK arguments);                                   \
  }
#define WANREN_UNPACK(...) __VA_ARGS__
#define WANREN_SAMPLE(dimensions, ...) \
  return __wanren_pixel<T>::from(__wanren_sample<dimensions>(__VA_ARGS__));

WANREN_FETCH(tex1Dfetch, (int x), (x),
             return __wanren_pixel<T>::from(__wanren_load_texel(t, x < 0 || x >= (int)t->width ? -1 : x, 0,
                                                                0));)
WANREN_FETCH(tex1D, (float x), (x), WANREN_SAMPLE(1, t, x, 0, 0, 0))
WANREN_FETCH(tex2D, (float x, float y), (x, y), WANREN_SAMPLE(2, t, x, y, 0, 0))
WANREN_FETCH(tex3D, (float x, float y, float z), (x, y, z), WANREN_SAMPLE(3, t, x, y, z, 0))
WANREN_FETCH(tex1DLayered, (float x, int layer), (x, layer),
             WANREN_SAMPLE(1, t, x, 0, 0, __wanren_layer(t, layer)))
WANREN_FETCH(tex2DLayered, (float x, float y, int layer), (x, y, layer),
             WANREN_SAMPLE(2, t, x, y, 0, __wanren_layer(t, layer)))
WANREN_FETCH(tex1DLod, (float x, float), (x, 0), WANREN_SAMPLE(1, t, x, 0, 0, 0))
WANREN_FETCH(tex2DLod, (float x, float y, float), (x, y, 0), WANREN_SAMPLE(2, t, x, y, 0, 0))
WANREN_FETCH(tex3DLod, (float x, float y, float z, float), (x, y, z, 0), WANREN_SAMPLE(3, t, x, y, z, 0))
WANREN_FETCH(texCubemap, (float x, float y, float z), (x, y, z), float u, v;
             const int face = __wanren_cube(x, y, z, &u, &v); WANREN_SAMPLE(2, t, u, v, 0, face))
WANREN_FETCH(texCubemapLayered, (float x, float y, float z, int layer), (x, y, z, layer), float u, v;
             const int face = __wanren_cube(x, y, z, &u, &v); WANREN_SAMPLE(2, t, u, v, 0, 6 * layer + face))
#undef WANREN_SAMPLE
#undef WANREN_FETCH

// Surfaces: x in bytes. False: the access has no effect.
WANREN_TEX bool __wanren_surface_at(unsigned long long handle, int x, int y, int z, unsigned int bytes,
                                    cudaSurfaceBoundaryMode mode, char** at) {
  const __wanren_texture* t = __wanren_texture_of(handle);
  const int row = (int)(t->width * t->channels * t->channel_bytes);
  if (x < 0 || x + (int)bytes > row || y < 0 || y >= (int)t->height || z < 0 || z >= (int)t->depth) {
    if (mode == cudaBoundaryModeTrap) __trap();
    if (mode == cudaBoundaryModeZero) return false;
    x = x < 0 ? 0 : x + (int)bytes > row ? row - (int)bytes : x;
    y = __wanren_wrapped(y, (int)t->height, cudaAddressModeClamp);
    z = __wanren_wrapped(z, (int)t->depth, cudaAddressModeClamp);
  }
  *at = (char*)(t->base + z * t->slice + y * t->pitch) + x;
  return true;
}

#define WANREN_SURFACE(name, parameters, place, arguments)                                              \
  template <class T>                                                                                    \
  WANREN_TEX T name##read(cudaSurfaceObject_t surface, WANREN_UNPACK parameters,                        \
                          cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {                        \
    char* at;                                                                                           \
    T value = {};                                                                                       \
    if (__wanren_surface_at(surface, WANREN_UNPACK place, sizeof(T), mode, &at)) value = *(const T*)at; \
    return value;                                                                                       \
  }                                                                                                     \
  template <class T>                                                                                    \
  WANREN_TEX void name##read(T* value, cudaSurfaceObject_t surface, WANREN_UNPACK parameters,           \
                             cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {                     \
    *value = name##read<T>(surface, WANREN_UNPACK arguments, mode);                                     \
  }                                                                                                     \
  template <class T>                                                                                    \
  WANREN_TEX void name##write(T value, cudaSurfaceObject_t surface, WANREN_UNPACK parameters,           \
                              cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {                    \
    char* at;                                                                                           \
    if (__wanren_surface_at(surface, WANREN_UNPACK place, sizeof(T), mode, &at)) *(T*)at = value;       \
  }
WANREN_SURFACE(surf1D, (int x), (x, 0, 0), (x))
WANREN_SURFACE(surf2D, (int x, int y), (x, y, 0), (x, y))
WANREN_SURFACE(surf3D, (int x, int y, int z), (x, y, z), (x, y, z))
WANREN_SURFACE(surf1DLayered, (int x, int layer), (x, 0, layer), (x, layer))
WANREN_SURFACE(surf2DLayered, (int x, int y, int layer), (x, y, layer), (x, y, layer))
WANREN_SURFACE(surfCubemap, (int x, int y, int face), (x, y, face), (x, y, face))
#undef WANREN_SURFACE
#undef WANREN_UNPACK
#undef WANREN_TEX_MEMBER
#undef WANREN_TEX

#endif
#endif
