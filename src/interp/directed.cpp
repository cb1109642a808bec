// Compiled with -frounding-math: the rounding mode is changed around each operation.

#include "interp/directed.h"

#include <cfenv>
#include <cmath>

namespace wanren::interp {
namespace {

template <class T>
T nearest(HostOp op, T a, T b, T c) {
  switch (op) {
    case HostOp::add: return a + b;
    case HostOp::sub: return a - b;
    case HostOp::mul: return a * b;
    case HostOp::fma: return std::fma(a, b, c);
    case HostOp::div: return a / b;
    case HostOp::sqrt: return std::sqrt(a);
  }
  return a;
}

template <class T>
[[gnu::noinline]] T directed(HostOp op, T a, T b, T c, ptx::Round round) {
  int mode = FE_TONEAREST;
  switch (round) {
    case ptx::Round::rz: mode = FE_TOWARDZERO; break;
    case ptx::Round::rm: mode = FE_DOWNWARD; break;
    case ptx::Round::rp: mode = FE_UPWARD; break;
    default: return nearest(op, a, b, c);
  }
  // volatile: the operation stays between the two changes of mode.
  volatile T x = a, y = b, z = c;
  std::fesetround(mode);
  volatile T r = nearest<T>(op, x, y, z);
  std::fesetround(FE_TONEAREST);
  return r;
}

}  // namespace

float host_operation(HostOp op, float a, float b, float c, ptx::Round round) {
  return directed(op, a, b, c, round);
}
double host_operation(HostOp op, double a, double b, double c, ptx::Round round) {
  return directed(op, a, b, c, round);
}

}  // namespace wanren::interp
