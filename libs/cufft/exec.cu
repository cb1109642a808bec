// Stockham's self-sorting passes (Govindaraju et al., "High performance discrete Fourier transforms on
// graphics processors", SC 2008): a butterfly of `radix` elements that lie n / radix apart, turned, is
// written where the next pass wants it.
#include "plan.h"

namespace {

constexpr int threads = 128;

template <typename T>
struct Complex {
  T x, y;
};
template <typename T>
__device__ Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.x + b.x, a.y + b.y};
}
template <typename T>
__device__ Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.x - b.x, a.y - b.y};
}
template <typename T>
__device__ Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x};
}

/// exp(sign 2 pi i k / n) for k in [0, n).
template <typename T>
struct Roots {
  const Complex<T>* table;
  long long n;
  int sign;
  __device__ Complex<T> operator()(long long k) const {
    Complex<T> w = n <= whole_table ? table[k] : table[k % coarse] * table[coarse + k / coarse];
    if (sign > 0) w.y = -w.y;
    return w;
  }
};

/// Lines of n elements that lie `inner` apart.
struct Lines {
  long long n, inner, total;  ///< total: elements of all lines
};

/// v times sign i.
template <typename T>
__device__ Complex<T> turned(Complex<T> v, int sign) {
  return sign > 0 ? Complex<T>{-v.y, v.x} : Complex<T>{v.y, -v.x};
}
template <int R, typename T>
__device__ void butterfly(Complex<T>* v, const Roots<T>& root) {
  if constexpr (R == 2) {
    const Complex<T> a = v[0];
    v[0] = a + v[1];
    v[1] = a - v[1];
  } else if constexpr (R == 4) {
    const Complex<T> a = v[0] + v[2], b = v[0] - v[2], c = v[1] + v[3], d = turned(v[1] - v[3], root.sign);
    v[0] = a + c, v[1] = b + d, v[2] = a - c, v[3] = b - d;
  } else if constexpr (R == 8) {
    Complex<T> even[4] = {v[0], v[2], v[4], v[6]}, odd[4] = {v[1], v[3], v[5], v[7]};
    butterfly<4>(even, root);
    butterfly<4>(odd, root);
    const T h = T(0.70710678118654752440);
    const Complex<T> s1{h, root.sign * h}, s3{-h, root.sign * h};
    odd[1] = odd[1] * s1;
    odd[2] = turned(odd[2], root.sign);
    odd[3] = odd[3] * s3;
#pragma unroll
    for (int i = 0; i < 4; ++i) v[i] = even[i] + odd[i], v[i + 4] = even[i] - odd[i];
  } else {
    Complex<T> w[R], out[R];
#pragma unroll
    for (int i = 0; i < R; ++i) w[i] = root(root.n / R * i), out[i] = v[0];
#pragma unroll
    for (int i = 0; i < R; ++i)
#pragma unroll
      for (int q = 1; q < R; ++q) out[i] = out[i] + v[q] * w[i * q % R];
#pragma unroll
    for (int i = 0; i < R; ++i) v[i] = out[i];
  }
}
template <typename T, int R>
__global__ void __launch_bounds__(threads)
    pass(Lines lines, Roots<T> root, long long done, const Complex<T>* from, Complex<T>* to) {
  const long long each = lines.n / R;
  for (long long t = blockIdx.x * static_cast<long long>(threads) + threadIdx.x; t < lines.total / R;
       t += static_cast<long long>(gridDim.x) * threads) {
    const long long i = t % lines.inner, j = t / lines.inner % each, line = t / lines.inner / each;
    const long long step = j % done;
    Complex<T> v[R];
#pragma unroll
    for (int r = 0; r < R; ++r) {
      v[r] = from[(line * lines.n + j + r * each) * lines.inner + i];
      if (r > 0 && done > 1) v[r] = v[r] * root(r * step * (each / done));
    }
    butterfly<R>(v, root);
    const long long at = j / done * done * R + step;
#pragma unroll
    for (int r = 0; r < R; ++r) to[(line * lines.n + at + r * done) * lines.inner + i] = v[r];
  }
}
/// Any radix: a thread makes one element.
template <typename T>
__global__ void __launch_bounds__(threads)
    pass_of_any(Lines lines, Roots<T> root, long long radix, long long done, const Complex<T>* from,
                Complex<T>* to) {
  const long long each = lines.n / radix;
  for (long long t = blockIdx.x * static_cast<long long>(threads) + threadIdx.x; t < lines.total;
       t += static_cast<long long>(gridDim.x) * threads) {
    const long long i = t % lines.inner, k = t / lines.inner % lines.n, line = t / lines.inner / lines.n;
    const long long j = k % each, r = k / each, step = j % done;
    // Twiddle and root of the butterfly in one: its power goes up by `turn` with each element.
    const long long turn = (step * (each / done) + r * each) % lines.n;
    Complex<T> sum{0, 0};
    long long power = 0;
    for (long long q = 0; q < radix; ++q) {
      sum = sum + from[(line * lines.n + j + q * each) * lines.inner + i] * root(power);
      power = (power + turn) % lines.n;
    }
    to[(line * lines.n + j / done * done * radix + step + r * done) * lines.inner + i] = sum;
  }
}

/// How elements of the transform meet those of memory.
enum class Copy { complex_in, real_in, half_in, complex_out, half_out, real_out };
struct Shape {
  long long n0, n1, n2;
};
template <typename T, Copy How>
__global__ void __launch_bounds__(threads)
    copy(Shape n, Layout layout, long long total, const void* from, void* to) {
  // Outputs of half a row go through the half alone.
  const long long row = How == Copy::half_out ? n.n2 / 2 + 1 : n.n2;
  for (long long t = blockIdx.x * static_cast<long long>(threads) + threadIdx.x; t < total / n.n2 * row;
       t += static_cast<long long>(gridDim.x) * threads) {
    long long x2 = t % row, x1 = t / row % n.n1, x0 = t / row / n.n1 % n.n0;
    const long long b = t / row / n.n1 / n.n0;
    const long long whole = ((b * n.n0 + x0) * n.n1 + x1) * n.n2 + x2;
    // Half a row was given: the rest of a real signal's spectrum is its conjugate, mirrored.
    const bool mirrored = How == Copy::half_in && x2 > n.n2 / 2;
    if (mirrored) x2 = n.n2 - x2, x1 = x1 == 0 ? 0 : n.n1 - x1, x0 = x0 == 0 ? 0 : n.n0 - x0;
    const long long outside =
        b * layout.distance + ((x0 * layout.embed[1] + x1) * layout.embed[2] + x2) * layout.stride;
    if constexpr (How == Copy::complex_in || How == Copy::half_in) {
      Complex<T> v = static_cast<const Complex<T>*>(from)[outside];
      if (mirrored) v.y = -v.y;
      static_cast<Complex<T>*>(to)[whole] = v;
    } else if constexpr (How == Copy::real_in) {
      static_cast<Complex<T>*>(to)[whole] = {static_cast<const T*>(from)[outside], T(0)};
    } else if constexpr (How == Copy::real_out) {
      static_cast<T*>(to)[outside] = static_cast<const Complex<T>*>(from)[whole].x;
    } else {
      static_cast<Complex<T>*>(to)[outside] = static_cast<const Complex<T>*>(from)[whole];
    }
  }
}

unsigned ctas(long long items) {
  const long long wanted = (items + threads - 1) / threads;
  return static_cast<unsigned>(wanted < 65535 ? wanted : 65535);
}
template <typename T, Copy How>
void launch_copy(const Plan& plan, const Layout& layout, const void* from, void* to) {
  copy<T, How><<<ctas(plan.elements()), threads, 0, plan.stream>>>(Shape{plan.n[0], plan.n[1], plan.n[2]},
                                                                   layout, plan.elements(), from, to);
}
template <typename T>
void launch_pass(const Plan& plan, const Pass& p, int sign, const Complex<T>* from, Complex<T>* to) {
  Lines lines{plan.n[p.dimension], 1, plan.elements()};
  for (int d = p.dimension + 1; d < 3; ++d) lines.inner *= plan.n[d];
  const Roots<T> root{static_cast<const Complex<T>*>(plan.roots[p.dimension]), lines.n, sign};
  const unsigned grid = ctas(lines.total / p.radix);
  switch (p.radix) {
#define WANREN_PASS(R) \
  case R: pass<T, R><<<grid, threads, 0, plan.stream>>>(lines, root, p.done, from, to); break;
    WANREN_PASS(2)
    WANREN_PASS(3)
    WANREN_PASS(4)
    WANREN_PASS(5)
    WANREN_PASS(7)
    WANREN_PASS(8)
    default:
      pass_of_any<T><<<ctas(lines.total), threads, 0, plan.stream>>>(lines, root, p.radix, p.done, from, to);
  }
}

/// Contiguous elements, rows of `row` of them.
Layout contiguous(const Plan& plan, long long row) {
  return {{plan.n[0], plan.n[1], row}, 1, plan.n[0] * plan.n[1] * row};
}

template <typename T, Copy In, Copy Out>
cufftResult transform(cufftHandle handle, cufftType type, const void* from, void* to, int sign) {
  Plan* const found = find_plan(handle);
  if (found == nullptr || !found->made) return CUFFT_INVALID_PLAN;
  const Plan& plan = *found;
  if (plan.type != type) return CUFFT_INVALID_TYPE;
  if (from == nullptr || to == nullptr || (sign != CUFFT_FORWARD && sign != CUFFT_INVERSE))
    return CUFFT_INVALID_VALUE;
  if (plan.work == nullptr) return CUFFT_NO_WORKSPACE;
  constexpr bool whole = In == Copy::complex_in;
  const long long half = plan.n[2] / 2 + 1;
  Layout in = plan.in, out = plan.out;
  if (plan.plain) {
    // In place, rows of real numbers are padded to what their spectra take.
    const long long real = from == to ? 2 * half : plan.n[2];
    in = contiguous(plan, In == Copy::half_in ? half : In == Copy::real_in ? real : plan.n[2]);
    out = contiguous(plan, Out == Copy::half_out ? half : Out == Copy::real_out ? real : plan.n[2]);
  }
  Complex<T>* const buffers[] = {static_cast<Complex<T>*>(plan.work),
                                 static_cast<Complex<T>*>(plan.work) + plan.elements()};
  const bool direct = whole && plan.plain;
  const Complex<T>* now = static_cast<const Complex<T>*>(from);
  int buffer = 0;
  if (!direct || plan.passes.empty()) {
    launch_copy<T, In>(plan, in, from, buffers[0]);
    now = buffers[0];
    buffer = 1;
  }
  for (std::size_t i = 0; i < plan.passes.size(); ++i) {
    const bool last = i + 1 == plan.passes.size();
    Complex<T>* const next = direct && last && now != to ? static_cast<Complex<T>*>(to) : buffers[buffer];
    launch_pass(plan, plan.passes[i], sign, now, next);
    now = next;
    buffer ^= 1;
  }
  if (now != to) launch_copy<T, Out>(plan, out, now, to);
  return cudaGetLastError() == cudaSuccess ? CUFFT_SUCCESS : CUFFT_EXEC_FAILED;
}

}  // namespace

extern "C" {

cufftResult cufftExecC2C(cufftHandle plan, cufftComplex* idata, cufftComplex* odata, int direction) {
  return transform<float, Copy::complex_in, Copy::complex_out>(plan, CUFFT_C2C, idata, odata, direction);
}
cufftResult cufftExecR2C(cufftHandle plan, cufftReal* idata, cufftComplex* odata) {
  return transform<float, Copy::real_in, Copy::half_out>(plan, CUFFT_R2C, idata, odata, CUFFT_FORWARD);
}
cufftResult cufftExecC2R(cufftHandle plan, cufftComplex* idata, cufftReal* odata) {
  return transform<float, Copy::half_in, Copy::real_out>(plan, CUFFT_C2R, idata, odata, CUFFT_INVERSE);
}
cufftResult cufftExecZ2Z(cufftHandle plan, cufftDoubleComplex* idata, cufftDoubleComplex* odata,
                         int direction) {
  return transform<double, Copy::complex_in, Copy::complex_out>(plan, CUFFT_Z2Z, idata, odata, direction);
}
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* idata, cufftDoubleComplex* odata) {
  return transform<double, Copy::real_in, Copy::half_out>(plan, CUFFT_D2Z, idata, odata, CUFFT_FORWARD);
}
cufftResult cufftExecZ2D(cufftHandle plan, cufftDoubleComplex* idata, cufftDoubleReal* odata) {
  return transform<double, Copy::half_in, Copy::real_out>(plan, CUFFT_Z2D, idata, odata, CUFFT_INVERSE);
}

}  // extern "C"
