// Texture and surface fetches as loads and arithmetic (CUDA C++ Programming Guide, "Texture Fetching"): a
// handle is the device address of a __wanren_texture, which the runtime fills in. Linear filtering weighs
// with 8 fractional bits, as hardware does. Mipmaps have one level.
#ifndef WANREN_TEXTURE_H
#define WANREN_TEXTURE_H

#include "texture_descriptor.h"

#if defined(__CUDA__) && defined(__clang__)

#define WANREN_TEX static __device__ __forceinline__
#define WANREN_TEX_MEMBER __device__ __forceinline__

struct __wanren_texel {
  unsigned int c[4];
};

// Indices of the `count` texels from `i` on, of `n`, under an address mode; -1: the border.
template <int count>
WANREN_TEX void __wanren_wrapped(int i, int n, unsigned int mode, int* at) {
  if (mode == cudaAddressModeClamp || mode == cudaAddressModeBorder) {
    const bool border = mode == cudaAddressModeBorder;
#pragma unroll
    for (int e = 0; e < count; ++e) {
      const int within = i + e < 0 ? 0 : i + e >= n ? n - 1 : i + e;
      at[e] = within != i + e && border ? -1 : within;
    }
    return;
  }
  const int period = mode == cudaAddressModeMirror ? 2 * n : n;
#pragma unroll
  for (int e = 0; e < count; ++e) {
    int r = (i + e) % period;
    if (r < 0) r += period;
    at[e] = r < n ? r : period - 1 - r;
  }
}

// What `count` fetches of the first `channels` channels have in common: every load is issued before one is
// used, and the code for a format stands once, since kernels hold many fetches.
template <int count, int channels>
struct __wanren_fetch {
  const char* at[count];
  bool outside[count];
  unsigned int c[count][channels];

  WANREN_TEX_MEMBER void place(const __wanren_texture* t, int f, int x, int y, int z) {
    outside[f] = x < 0 || y < 0 || z < 0;
    const unsigned int bytes = t->channels * t->channel_bytes;
    at[f] = (const char*)(t->base + max(z, 0) * t->slice + max(y, 0) * t->pitch) +
            (unsigned long long)max(x, 0) * bytes;
  }

  template <class Stored>
  WANREN_TEX_MEMBER void load(unsigned int present) {
#pragma unroll
    for (int f = 0; f < count; ++f)
#pragma unroll
      for (unsigned int i = 0; i < channels; ++i)
        c[f][i] = i == 0 || i < present ? ((const Stored*)at[f])[i] : 0;
  }

  WANREN_TEX_MEMBER void take(const __wanren_texture* t) {
    const unsigned int present = t->channels, bytes = t->channel_bytes;
    if (bytes == 4) {
      load<unsigned int>(present);
    } else {
      if (bytes == 2)
        load<unsigned short>(present);
      else
        load<unsigned char>(present);
      const bool is_signed = t->kind == cudaChannelFormatKindSigned;
      if (t->kind == cudaChannelFormatKindFloat) {
        each([](unsigned int v) {
          float f;
          asm("{cvt.f32.f16 %0, %1;}" : "=f"(f) : "h"((unsigned short)v));
          return __float_as_uint(f);
        });
      } else if (is_signed) {
        const int shift = 32 - 8 * (int)bytes;
        each([=](unsigned int v) { return (unsigned int)((int)(v << shift) >> shift); });
      }
    }
    if (t->normalized_float) {
      const bool is_signed = t->kind == cudaChannelFormatKindSigned;
      const float most = (float)((1u << (8 * bytes - (is_signed ? 1 : 0))) - 1);
      each([=](unsigned int v) {
        return __float_as_uint(fmaxf((is_signed ? (float)(int)v : (float)v) / most, -1.0f));
      });
    }
#pragma unroll
    for (int f = 0; f < count; ++f)
      if (outside[f])
#pragma unroll
        for (int i = 0; i < channels; ++i) c[f][i] = t->border[i];
  }

  template <class F>
  WANREN_TEX_MEMBER void each(F convert) {
#pragma unroll
    for (int f = 0; f < count; ++f)
#pragma unroll
      for (int i = 0; i < channels; ++i) c[f][i] = convert(c[f][i]);
  }
};

template <int channels>
WANREN_TEX __wanren_texel __wanren_load_texel(const __wanren_texture* t, int x, int y, int z) {
  __wanren_fetch<1, channels> one;
  one.place(t, 0, x, y, z);
  one.take(t);
  __wanren_texel r = {{0, 0, 0, 0}};
#pragma unroll
  for (int i = 0; i < channels; ++i) r.c[i] = one.c[0][i];
  return r;
}

// Texel index and weight of the right neighbour, both of a coordinate in texels.
WANREN_TEX void __wanren_split(float x, int* i, float* weight) {
  const int fixed = (int)floorf(x * 256.0f + 0.5f) - 128;
  *i = fixed >> 8;
  *weight = (float)(fixed & 255) * (1.0f / 256.0f);
}

template <int dimensions, int channels>
WANREN_TEX __wanren_texel __wanren_sample(const __wanren_texture* t, float x, float y, float z, int layer) {
  const int extent[3] = {(int)t->width, (int)t->height, (int)t->depth};
  float at[3] = {x, y, z};
  if (t->normalized_coordinates)
#pragma unroll
    for (int e = 0; e < dimensions; ++e) at[e] *= (float)extent[e];
  if (!t->linear) {
    int i[3] = {0, 0, layer};
#pragma unroll
    for (int e = 0; e < dimensions; ++e)
      __wanren_wrapped<1>((int)floorf(at[e]), extent[e], t->address[e], &i[e]);
    return __wanren_load_texel<channels>(t, i[0], i[1], i[2]);
  }
  int i[3][2] = {{0, 0}, {0, 0}, {layer, layer}};
  float share[3][2];
#pragma unroll
  for (int e = 0; e < dimensions; ++e) {
    int left;
    __wanren_split(at[e], &left, &share[e][1]);
    share[e][0] = 1.0f - share[e][1];
    __wanren_wrapped<2>(left, extent[e], t->address[e], i[e]);
  }
  constexpr int corners = 1 << dimensions;
  __wanren_fetch<corners, channels> all;
#pragma unroll
  for (int f = 0; f < corners; ++f) all.place(t, f, i[0][f & 1], i[1][f >> 1 & 1], i[2][f >> 2]);
  all.take(t);
  float sum[4] = {0, 0, 0, 0};
#pragma unroll
  for (int f = 0; f < corners; ++f) {
    float weight = share[0][f & 1];
    if (dimensions > 1) weight *= share[1][f >> 1 & 1];
    if (dimensions > 2) weight *= share[2][f >> 2];
#pragma unroll
    for (int e = 0; e < channels; ++e) sum[e] += weight * __uint_as_float(all.c[f][e]);
  }
  __wanren_texel r;
#pragma unroll
  for (int e = 0; e < 4; ++e) r.c[e] = __float_as_uint(sum[e]);
  return r;
}

template <class T>
struct __wanren_channel {};
#define WANREN_CHANNEL(type, expression)      \
  template <>                                 \
  struct __wanren_channel<type> {             \
    WANREN_TEX type from(unsigned int bits) { \
      return expression;                      \
    }                                         \
  };
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
  static constexpr int channels = 1;
  WANREN_TEX T from(const __wanren_texel& t) { return __wanren_channel<T>::from(t.c[0]); }
};
#define WANREN_PIXEL(scalar, name)                                                                           \
  template <>                                                                                                \
  struct __wanren_pixel<name##1> {                                                                           \
    static constexpr int channels = 1;                                                                       \
    WANREN_TEX name##1 from(const __wanren_texel& t) {                                                       \
      return make_##name##1(__wanren_channel<scalar>::from(t.c[0]));                                         \
    }                                                                                                        \
  };                                                                                                         \
  template <>                                                                                                \
  struct __wanren_pixel<name##2> {                                                                           \
    static constexpr int channels = 2;                                                                       \
    WANREN_TEX name##2 from(const __wanren_texel& t) {                                                       \
      return make_##name##2(__wanren_channel<scalar>::from(t.c[0]), __wanren_channel<scalar>::from(t.c[1])); \
    }                                                                                                        \
  };                                                                                                         \
  template <>                                                                                                \
  struct __wanren_pixel<name##4> {                                                                           \
    static constexpr int channels = 4;                                                                       \
    WANREN_TEX name##4 from(const __wanren_texel& t) {                                                       \
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
  return __wanren_pixel<T>::from(__wanren_sample<dimensions, __wanren_pixel<T>::channels>(__VA_ARGS__));

WANREN_FETCH(tex1Dfetch, (int x), (x),
             return __wanren_pixel<T>::from(__wanren_load_texel<__wanren_pixel<T>::channels>(
                 t, x < 0 || x >= (int)t->width ? -1 : x, 0, 0));)
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
    y = min(max(y, 0), (int)t->height - 1);
    z = min(max(z, 0), (int)t->depth - 1);
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
