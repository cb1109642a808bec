#pragma once
// Compiled objects: on disk, shared by processes, and in memory, so that a module that is unloaded and loaded
// again is not compiled again. A broken or foreign entry is as good as none.

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "engine/launch.h"
#include "jit/machine.h"
#include "simt/kernel.h"
#include "simt/shape.h"

namespace wanren::jit {

using CacheKey = std::array<std::uint64_t, 4>;

/// Where entries are on disk; an empty folder: nowhere.
struct CachePlace {
  std::filesystem::path folder;
  std::uint64_t most_bytes = 0;
};
/// As the environment says, which a program may change while another thread compiles: asked where it
/// launches.
CachePlace cache_place();

struct CacheEntry {
  std::vector<char> object;
  std::vector<simt::LanePattern> patterns;
};

/// Of everything the object depends on: kernel, shape, flavour, tier, this library, LLVM and the host CPU.
CacheKey cache_key(const simt::Kernel& kernel, const simt::BlockShape& shape, engine::Flavour flavour,
                   Tier tier);
std::optional<CacheEntry> read_cache(const CachePlace& place, const CacheKey& key);
/// A file's bytes; and what they hold, if they are whole and of this key.
std::vector<char> encode(const CacheKey& key, const CacheEntry& entry);
std::optional<CacheEntry> decode(std::span<const char> file, const CacheKey& key);
/// Drops what is held in memory.
void forget_memory_cache();
/// Quietly keeps to memory (64 MiB, least recently used go first) where it cannot write. CUDA_CACHE_DISABLE=1
/// turns the disk's part off, CUDA_CACHE_MAXSIZE (bytes, default 256 MiB) bounds it: oldest entries go first.
void write_cache(const CachePlace& place, const CacheKey& key, const CacheEntry& entry);

}  // namespace wanren::jit
