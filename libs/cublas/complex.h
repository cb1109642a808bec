// Complex numbers for kernels: cuComplex's layout, with operators.
#pragma once

template <typename T>
struct Complex {
  T x, y;
};
template <typename T>
__host__ __device__ Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.x + b.x, a.y + b.y};
}
template <typename T>
__host__ __device__ Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.x - b.x, a.y - b.y};
}
template <typename T>
__host__ __device__ Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x};
}
template <typename T>
__host__ __device__ Complex<T>& operator+=(Complex<T>& a, Complex<T> b) {
  return a = a + b;
}
template <typename T>
__host__ __device__ bool operator==(Complex<T> a, Complex<T> b) {
  return a.x == b.x && a.y == b.y;
}
template <typename T>
__host__ __device__ bool operator!=(Complex<T> a, Complex<T> b) {
  return !(a == b);
}
template <typename T>
__host__ __device__ Complex<T> conjugate(Complex<T> a) {
  return {a.x, -a.y};
}
template <typename T>
__host__ __device__ T conjugate(T a) {
  return a;
}
