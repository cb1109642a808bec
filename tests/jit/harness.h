#pragma once
// Runs compiled code where the single-warp harness of tests/semantics expects a plain function.

#include <memory>

#include "../semantics/harness.h"
#include "engine/fiber.h"
#include "jit/compiler.h"

namespace wanren::jit::test {

/// The entry that run_as_fiber() starts.
inline thread_local simt::WarpEntry fiber_entry = nullptr;

/// A simt::WarpEntry: runs fiber_entry on a stack of its own and hands every yield to Services::suspend.
inline void run_as_fiber(simt::WarpContext* ctx) {
  auto stack = engine::StackPool::instance().take(512 << 10);
  WR_CHECK(stack.has_value());
  engine::prepare_fiber(ctx, *stack, fiber_entry);
  for (;;) {
    engine::switch_to_warp(ctx);
    if (ctx->yield == simt::Yield::exited) engine::StackPool::instance().give(*stack);
    ctx->services->suspend(ctx);
  }
}

inline std::shared_ptr<engine::KernelCode> compile(const simt::Kernel& kernel, Dim3 block,
                                                   engine::Flavour flavour = engine::Flavour::plain) {
  simt::BlockShape shape;
  shape.generic = block.count() == 0;
  shape.block = block;
  auto code = Compiler::compile(std::shared_ptr<const simt::Kernel>(&kernel, [](const simt::Kernel*) {}),
                                shape, flavour);
  if (!code) {
    std::fprintf(stderr, "%s\n", code.error().message().c_str());
    return nullptr;
  }
  return *code;
}

}  // namespace wanren::jit::test
