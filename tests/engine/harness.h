#pragma once
// Device code for engine tests, written in C++ against the frame that compiled code sees.

#include <bit>
#include <cstring>
#include <memory>

#include "engine/arena.h"
#include "engine/grid.h"
#include "engine/services.h"
#include "engine/source.h"
#include "ptx/types.h"
#include "support/result.h"

namespace wanren::engine::test {

class HostCode final : public KernelCode {
 public:
  explicit HostCode(simt::WarpEntry entry, std::size_t stack = 64 << 10) : entry_(entry), stack_(stack) {}
  simt::WarpEntry entry() const override { return entry_; }
  std::span<const simt::LanePattern> patterns() const override { return {&zero_, 1}; }
  std::size_t stack_bytes() const override { return stack_; }
  bool locate(std::uintptr_t, simt::BlockId&, std::uint32_t&) const override { return false; }
  double compile_seconds() const override { return 0; }

 private:
  simt::WarpEntry entry_;
  std::size_t stack_;
  simt::LanePattern zero_{};
};

inline std::unique_ptr<Arena> make_arena(std::uint64_t capacity = std::uint64_t{1} << 30,
                                         std::uint64_t host = std::uint64_t{8} << 30) {
  auto arena = Arena::create({capacity, host});
  WR_CHECK(arena.has_value());
  return std::move(*arena);
}

/// A kernel of one block whose code is `entry`; `parameter` is its one 64-bit parameter.
struct Program {
  explicit Program(simt::WarpEntry entry, Dim3 grid = {}, Dim3 block = {32, 1, 1}) {
    kernel = std::make_shared<simt::Kernel>();
    kernel->name = "test_kernel";
    kernel->blocks.resize(1);
    kernel->blocks[0].id = 0;
    kernel->blocks[0].slots = 2;
    kernel->blocks[0].term.location.ptx_line = 7;
    kernel->parameter_bytes = 8;
    launch.code = std::make_shared<HostCode>(entry);
    launch.name = "test_kernel";
    launch.grid = grid;
    launch.block = block;
    launch.units = 4;
  }
  Launch with(const void* parameter) {
    launch.kernel = kernel;
    launch.parameters.resize(8);
    std::memcpy(launch.parameters.data(), &parameter, 8);
    return launch;
  }
  std::shared_ptr<simt::Kernel> kernel;
  Launch launch;
};

template <class T>
T* parameter(const simt::WarpContext* ctx) {
  T* value;
  std::memcpy(&value, ctx->parameters, 8);
  return value;
}

/// Host address of any pointer, as compiled code masks it.
template <class T>
T* masked(const simt::WarpContext* ctx, std::uint64_t pointer) {
  return reinterpret_cast<T*>(ctx->arena_base | (pointer & ctx->arena_mask));
}

inline void yield(simt::WarpContext* ctx, simt::Yield why) {
  ctx->yield = why;
  ctx->services->suspend(ctx);
}

inline std::uint32_t barrier(simt::WarpContext* ctx, std::uint32_t id = 0, std::uint32_t threads = 0,
                             ptx::Barrier kind = ptx::Barrier::sync, LaneMask predicate = 0) {
  ctx->barrier_id = id;
  ctx->barrier_threads = threads;
  ctx->barrier_kind = static_cast<std::uint32_t>(kind);
  ctx->barrier_mask = ctx->entry_mask;
  ctx->barrier_predicate = predicate;
  yield(ctx, simt::Yield::barrier);
  return ctx->barrier_result;
}

inline std::uint64_t linear_cta(const simt::WarpContext* ctx) {
  return ctx->linear_cta_low | std::uint64_t{ctx->linear_cta_high} << 32;
}

}  // namespace wanren::engine::test
