#pragma once
// Runs compiled code where the single-warp harness of tests/semantics expects a plain function.

#include <memory>
#include <span>
#include <sstream>
#include <string>

#include "../semantics/harness.h"
#include "engine/arena.h"
#include "engine/fiber.h"
#include "jit/compiler.h"
#include "trace/trace.h"

namespace wanren::jit::test {

/// Device memory of the tests that launch grids.
inline engine::Arena& arena() {
  static const auto made =
      std::move(*engine::Arena::create({std::uint64_t{1} << 30, std::uint64_t{8} << 30}));
  return *made;
}

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

/// The trace with every record's lane addresses written out.
inline std::string expand(std::span<const std::uint64_t> words, const simt::Kernel& kernel,
                          std::span<const simt::LanePattern> patterns) {
  std::ostringstream out;
  const std::uint64_t* at = words.data();
  const std::uint64_t* end = at + words.size();
  while (at < end) {
    const auto id = static_cast<simt::BlockId>(*at);
    out << "block " << id << " mask " << std::hex << (*at >> 32) << std::dec << "\n";
    ++at;
    for (int slot = 0; slot < kernel.blocks[id].slots && at < end; ++slot) {
      trace::Record r;
      at = trace::read_record(at, r);
      out << "  " << (r.kind == trace::Kind::barrier ? "barrier" : "access") << " mask " << std::hex
          << r.mask;
      if (r.kind == trace::Kind::barrier) {
        out << " " << r.base;
      } else if (r.mask) {
        out << " space " << static_cast<int>(r.space);
        const auto lanes = trace::addresses(r, patterns);
        for (int l = 0; l < warp_size; ++l)
          if (r.mask >> l & 1) out << " " << lanes[static_cast<std::size_t>(l)];
      }
      out << std::dec << "\n";
    }
  }
  return out.str();
}

}  // namespace wanren::jit::test
