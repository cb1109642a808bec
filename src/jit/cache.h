#pragma once
// Compiled objects on disk, shared by processes. A broken or foreign entry is as good as none.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/launch.h"
#include "simt/kernel.h"
#include "simt/shape.h"

namespace wanren::jit {

using CacheKey = std::array<std::uint64_t, 4>;

struct CacheEntry {
  std::vector<char> object;
  std::vector<simt::LanePattern> patterns;
};

/// Of everything the object depends on: kernel, shape, flavour, this library, LLVM and the host CPU.
CacheKey cache_key(const simt::Kernel& kernel, const simt::BlockShape& shape, engine::Flavour flavour);
std::optional<CacheEntry> read_cache(const CacheKey& key);
/// Quietly does nothing where it cannot write. CUDA_CACHE_DISABLE=1 turns the cache off,
/// CUDA_CACHE_MAXSIZE (bytes, default 256 MiB) bounds it: oldest entries go first.
void write_cache(const CacheKey& key, const CacheEntry& entry);

}  // namespace wanren::jit
