#pragma once
// Where an access goes: from what a register holds to a host address, and to the trace's terms.

#include <cstdint>

#include "simt/warp_context.h"
#include "trace/trace.h"

namespace wanren::interp {

inline std::uint8_t* frame_of(const simt::WarpContext& ctx, int lane) {
  return ctx.local_base + static_cast<std::uint64_t>(lane) * ctx.local_bytes;
}

/// Host address of one in .shared::cluster. Of no CTA in the cluster: in the reserve around the window.
inline std::uint8_t* cluster_host_address(const simt::WarpContext& ctx, std::uint32_t address) {
  const std::uint32_t who = address >> simt::cluster_address_bits;
  const std::uint32_t offset = address & ((1u << simt::cluster_address_bits) - 1);
  if (who == 0 || who > ctx.cluster_nctarank) return ctx.shared_base + static_cast<std::int32_t>(address);
  return (ctx.cluster_shared == nullptr ? ctx.shared_base : ctx.cluster_shared[who - 1]) + offset;
}

/// The other way: of the CTA itself without a rank; 0xff... of no shared memory in the cluster.
inline std::uint32_t cluster_address(const simt::WarpContext& ctx, const std::uint8_t* host) {
  if (const auto own = static_cast<std::uint64_t>(host - ctx.shared_base); own < ctx.total_shared_bytes)
    return static_cast<std::uint32_t>(own);
  if (ctx.cluster_shared != nullptr)
    for (std::uint32_t rank = 0; rank < ctx.cluster_nctarank; ++rank)
      if (const auto at = static_cast<std::uint64_t>(host - ctx.cluster_shared[rank]);
          at < ctx.total_shared_bytes)
        return (rank + 1) << simt::cluster_address_bits | static_cast<std::uint32_t>(at);
  return ~0u;
}

/// Host address of `address` in `space` for one lane. Always inside the arena (warp_context.h).
inline std::uint8_t* host_address(const simt::WarpContext& ctx, ptx::Space space, std::uint64_t address,
                                  int lane) {
  switch (space) {
    case ptx::Space::shared: return ctx.shared_base + static_cast<std::int32_t>(address);
    case ptx::Space::shared_cluster: return cluster_host_address(ctx, static_cast<std::uint32_t>(address));
    case ptx::Space::local: return frame_of(ctx, lane) + static_cast<std::int32_t>(address);
    case ptx::Space::param: return const_cast<std::uint8_t*>(ctx.parameters) + address;
    default: return reinterpret_cast<std::uint8_t*>(ctx.arena_base | (address & ctx.arena_mask));
  }
}

/// The space that a host address lies in, and the address in the trace's terms for that space.
struct Place {
  trace::Space space;
  std::uint64_t address;
};
inline Place place_of(const simt::WarpContext& ctx, const std::uint8_t* host) {
  const auto at = reinterpret_cast<std::uint64_t>(host);
  const std::uint64_t shared = at - reinterpret_cast<std::uint64_t>(ctx.shared_base);
  if (shared < ctx.total_shared_bytes) return {trace::Space::shared, shared};
  const std::uint64_t local = at - reinterpret_cast<std::uint64_t>(ctx.local_base);
  if (local < std::uint64_t{ctx.local_bytes} * warp_size) return {trace::Space::local, local};
  const std::uint64_t param = at - reinterpret_cast<std::uint64_t>(ctx.parameters);
  if (ctx.kernel && param < ctx.kernel->parameter_bytes) return {trace::Space::param, param};
  if (const std::uint64_t other = at - ctx.windows_begin; other < ctx.windows_bytes)
    return {trace::Space::cluster, other};
  return {trace::Space::global, at & ctx.arena_mask};
}

/// The same for an access whose space is known from the instruction (generic ones are resolved).
inline Place place_of(const simt::WarpContext& ctx, ptx::Space space, std::uint64_t address, int lane) {
  switch (space) {
    case ptx::Space::shared: return {trace::Space::shared, static_cast<std::uint32_t>(address)};
    case ptx::Space::local:
      return {trace::Space::local,
              static_cast<std::uint32_t>(address) + static_cast<std::uint64_t>(lane) * ctx.local_bytes};
    case ptx::Space::param: return {trace::Space::param, address};
    case ptx::Space::constant: return {trace::Space::constant, address & ctx.arena_mask};
    case ptx::Space::global: return {trace::Space::global, address & ctx.arena_mask};
    default: return place_of(ctx, host_address(ctx, space, address, lane));
  }
}

}  // namespace wanren::interp
