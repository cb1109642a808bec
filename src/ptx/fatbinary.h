#pragma once
// PTX out of the containers that compilers put it in.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/result.h"

namespace wanren::ptx {

struct PtxImage {
  std::string text;
  std::string target;  ///< As in its .target directive: "sm_80", "sm_90a"; empty if it has none.
  int target_sm = 0;   ///< 80, 90
};

/// Every PTX text in `bytes`, in order: a fat binary (plain, LZ4 or zstd), fat binaries one after
/// another, PTX text, or an ELF64 file with the section .nv_fatbin or __nv_relfatbin. Machine code is
/// passed over, so the result may be empty. Nothing is read outside `bytes`.
/// Errors: place is "fat binary+0xOFFSET" or "ELF+0xOFFSET"; the cause names the bad field.
Result<std::vector<PtxImage>> extract(std::span<const std::byte> bytes);

inline constexpr std::size_t fat_binary_header_bytes = 16;

/// Size of a fat binary in bytes, its header included, from its first 16 bytes.
/// Errors: no fat binary.
Result<std::uint64_t> fat_binary_bytes(std::span<const std::byte, fat_binary_header_bytes> header);

}  // namespace wanren::ptx
