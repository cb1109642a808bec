#pragma once
// The interpreter as executable form of a kernel, for every block shape and both flavours.

#include <memory>

#include "engine/launch.h"

namespace wanren::engine {

std::shared_ptr<const KernelCode> interpreted(std::shared_ptr<const simt::Kernel> kernel);

}  // namespace wanren::engine
