#pragma once
// IEEE operations of the host in any of the four rounding modes. Round::none means rn.

#include "ptx/types.h"

namespace wanren::interp {

enum class HostOp : std::uint8_t { add, sub, mul, fma, div, sqrt };
float host_operation(HostOp op, float a, float b, float c, ptx::Round round);
double host_operation(HostOp op, double a, double b, double c, ptx::Round round);

}  // namespace wanren::interp
