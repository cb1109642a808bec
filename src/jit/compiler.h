#pragma once
// simt::Kernel to machine code of the host: one warp is 32 lanes of a vector. The only user of LLVM.

#include <memory>

#include "engine/launch.h"
#include "simt/kernel.h"
#include "simt/shape.h"
#include "support/result.h"

namespace wanren::jit {

class Compiler {
 public:
  /// Code of `kernel` for one block shape and flavour: from memory, from the disk cache
  /// ($CUDA_CACHE_PATH, else XDG's cache folder), or compiled; quickly at first, then better in the
  /// background once it has run long enough (WANREN_JIT). Which of the two runs shows in nothing but host
  /// time. Safe to call from any thread. Errors: an instruction without code (place kernel:ptx_line); LLVM
  /// refusing the host.
  static Result<std::shared_ptr<engine::KernelCode>> compile(
      const std::shared_ptr<const simt::Kernel>& kernel, const simt::BlockShape& shape,
      engine::Flavour flavour);
  /// Waits until nothing is left to compile in the background.
  static void finish_background();
  /// Drops objects kept in memory for kernels that may be loaded again.
  static void forget();
  /// The LLVM IR that compile() would optimise, for people and tests.
  static Result<std::string> dump_ir(const simt::Kernel& kernel, const simt::BlockShape& shape,
                                     engine::Flavour flavour, bool optimised);
};

}  // namespace wanren::jit
