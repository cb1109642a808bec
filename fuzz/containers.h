#pragma once
// Fat binaries and ELF files around a text, well formed, for fuzzers to damage.

#include <lz4.h>
#include <zstd.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace wanren::fuzz {

enum class Packing { none, lz4, zstd };

template <class T>
void put(std::string& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

inline std::string fat_binary(const std::string& text, Packing packing) {
  std::string packed = text;
  if (packing == Packing::lz4) {
    packed.resize(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(text.size()))));
    packed.resize(static_cast<std::size_t>(LZ4_compress_default(
        text.data(), packed.data(), static_cast<int>(text.size()), static_cast<int>(packed.size()))));
  } else if (packing == Packing::zstd) {
    packed.resize(ZSTD_compressBound(text.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
  }
  const std::size_t size = packed.size();
  packed.resize((size + 7) / 8 * 8);
  std::string header(16, '\0'), entry(0x50, '\0');
  put<std::uint32_t>(header, 0, 0xBA55ED50);
  put<std::uint16_t>(header, 4, 1);
  put<std::uint16_t>(header, 6, 16);
  put<std::uint64_t>(header, 8, entry.size() + packed.size());
  put<std::uint16_t>(entry, 0, 1);
  put<std::uint32_t>(entry, 4, 0x50);
  put<std::uint64_t>(entry, 8, packed.size());
  put<std::uint32_t>(entry, 0x1c, 90);
  if (packing != Packing::none) {
    put<std::uint32_t>(entry, 0x10, static_cast<std::uint32_t>(size));
    put<std::uint64_t>(entry, 0x28, packing == Packing::lz4 ? 0x2000 : 0x8000);
    put<std::uint64_t>(entry, 0x38, text.size());
  }
  return header + entry + packed;
}

/// An ELF64 file whose one section is .nv_fatbin.
inline std::string elf(const std::string& content) {
  constexpr std::size_t header = 64, section = 64;
  const std::string names("\0.nv_fatbin\0.shstrtab\0", 22);
  std::string bytes(header, '\0');
  std::memcpy(bytes.data(),
              "\x7f"
              "ELF\x02\x01\x01",
              7);
  const std::size_t names_at = header + content.size(), table_at = (names_at + names.size() + 7) / 8 * 8;
  bytes += content + names;
  bytes.resize(table_at + 3 * section);
  put<std::uint64_t>(bytes, 0x28, table_at);
  put<std::uint16_t>(bytes, 0x3a, section);
  put<std::uint16_t>(bytes, 0x3c, 3);
  put<std::uint16_t>(bytes, 0x3e, 2);
  const auto describe = [&](std::size_t index, std::uint32_t name, std::uint32_t type, std::size_t at,
                            std::size_t size) {
    put<std::uint32_t>(bytes, table_at + index * section, name);
    put<std::uint32_t>(bytes, table_at + index * section + 4, type);
    put<std::uint64_t>(bytes, table_at + index * section + 0x18, at);
    put<std::uint64_t>(bytes, table_at + index * section + 0x20, size);
  };
  describe(1, 1, 1, header, content.size());
  describe(2, 12, 3, names_at, names.size());
  return bytes;
}

}  // namespace wanren::fuzz
