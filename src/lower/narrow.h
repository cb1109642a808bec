#pragma once

#include <vector>

#include "simt/kernel.h"

namespace wanren::lower {

/// By value: a 64-bit value of which only the low 32 bits are needed, because it ends in addresses of
/// shared or local memory (32-bit windows) or in narrower results. Such arithmetic is done in 32 bits.
std::vector<bool> narrow_values(const simt::Kernel& kernel);

}  // namespace wanren::lower
