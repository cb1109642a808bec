#include "ptx/fatbinary.h"

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

namespace wanren::ptx {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint32_t fat_magic = 0xBA55ED50, wrapper_magic = 0x466243B1;
constexpr std::uint16_t kind_ptx = 1;
constexpr std::uint64_t flag_lz4 = 0x2000, flag_zstd = 0x8000;
constexpr std::size_t entry_header_bytes = 0x40;
// No PTX text comes near; a damaged size must not exhaust the machine.
constexpr std::uint64_t text_limit = std::uint64_t{1} << 30;

template <class T>
T read(Bytes bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Whether [offset, offset + size) lies in `bytes`.
bool holds(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

std::string at(std::string_view what, std::uint64_t offset) {
  return fmt::format("{}+0x{:x}", what, offset);
}

bool begins_with(Bytes bytes, std::uint64_t offset, std::uint32_t magic) {
  return holds(bytes, offset, 4) && read<std::uint32_t>(bytes, offset) == magic;
}

PtxImage image(std::string text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
  PtxImage result{std::move(text), {}, 0};
  const std::string_view view = result.text;
  const std::size_t directive = view.find("\n.target");
  const std::size_t start =
      directive == std::string_view::npos ? directive : view.find_first_not_of(" \t", directive + 8);
  if (start != std::string_view::npos) {
    result.target = view.substr(start, view.find_first_of(", \t\r\n", start) - start);
    const std::size_t digit = result.target.find('_');
    if (digit != std::string::npos)
      std::from_chars(result.target.data() + digit + 1, result.target.data() + result.target.size(),
                      result.target_sm);
  }
  return result;
}

Result<std::string> decompress_lz4(Bytes payload, std::uint64_t size, const std::string& place) {
  // One LZ4 byte stands for at most 255.
  if (size > payload.size() * 255 + 64 || payload.size() > std::numeric_limits<int>::max())
    return fail(place,
                fmt::format("{} bytes of text cannot come from {} bytes of LZ4", size, payload.size()));
  std::string text(size, '\0');
  const int got = LZ4_decompress_safe(reinterpret_cast<const char*>(payload.data()), text.data(),
                                      static_cast<int>(payload.size()), static_cast<int>(size));
  if (got < 0 || static_cast<std::uint64_t>(got) != size) return fail(place, "damaged LZ4 data");
  return text;
}

Result<std::string> decompress_zstd(Bytes payload, std::uint64_t size, const std::string& place) {
  const unsigned long long stated = ZSTD_getFrameContentSize(payload.data(), payload.size());
  if (stated == ZSTD_CONTENTSIZE_ERROR) return fail(place, "damaged zstd data");
  if (stated != ZSTD_CONTENTSIZE_UNKNOWN && stated != size)
    return fail(place, fmt::format("zstd data holds {} bytes, the entry states {}", stated, size));
  std::string text(size, '\0');
  const std::size_t frame = ZSTD_findFrameCompressedSize(payload.data(), payload.size());
  if (ZSTD_isError(frame)) return fail(place, "damaged zstd data");
  const std::size_t got = ZSTD_decompress(text.data(), size, payload.data(), frame);
  if (ZSTD_isError(got) || got != size) return fail(place, "damaged zstd data");
  return text;
}

/// One entry at `offset` of a fat binary that ends where `bytes` ends; `next` is where it ends.
std::optional<Error> read_entry(Bytes bytes, std::uint64_t offset, std::uint64_t& next,
                                std::vector<PtxImage>& into) {
  const std::string place = at("fat binary", offset);
  const auto bad = [&](std::string cause) {
    return Error{place, std::move(cause), "the file is damaged or cut"};
  };
  if (!holds(bytes, offset, entry_header_bytes)) return bad("entry header is cut off");
  const auto kind = read<std::uint16_t>(bytes, offset);
  const std::uint64_t header = read<std::uint32_t>(bytes, offset + 4);
  const auto padded = read<std::uint64_t>(bytes, offset + 8);
  const std::uint64_t compressed = read<std::uint32_t>(bytes, offset + 0x10);
  const auto flags = read<std::uint64_t>(bytes, offset + 0x28);
  const auto uncompressed = read<std::uint64_t>(bytes, offset + 0x38);
  if (header < entry_header_bytes || !holds(bytes, offset, header))
    return bad(fmt::format("entry header of {} bytes", header));
  if (!holds(bytes, offset + header, padded))
    return bad(fmt::format("entry of {} bytes reaches past the end", padded));
  next = offset + header + padded;
  if (kind != kind_ptx) return std::nullopt;
  const Bytes payload = bytes.subspan(offset + header, padded);
  if (!(flags & (flag_lz4 | flag_zstd))) {
    into.push_back(image(std::string(reinterpret_cast<const char*>(payload.data()), payload.size())));
    return std::nullopt;
  }
  if (compressed > padded)
    return bad(fmt::format("{} compressed bytes in an entry of {}", compressed, padded));
  if (uncompressed > text_limit) return bad(fmt::format("text of {} bytes", uncompressed));
  const Bytes packed = payload.subspan(0, compressed);
  auto text = flags & flag_lz4 ? decompress_lz4(packed, uncompressed, place)
                               : decompress_zstd(packed, uncompressed, place);
  if (!text) return text.error();
  into.push_back(image(std::move(*text)));
  return std::nullopt;
}

std::optional<Error> read_fat_binary(Bytes bytes, std::uint64_t start, std::uint64_t& end,
                                     std::vector<PtxImage>& into) {
  if (!holds(bytes, start, fat_binary_header_bytes))
    return Error{at("fat binary", start), "header is cut off", "the file is damaged or cut"};
  const auto size = fat_binary_bytes(Bytes(bytes.subspan(start)).first<fat_binary_header_bytes>());
  if (!size) return size.error();
  if (!holds(bytes, start, *size))
    return Error{at("fat binary", start),
                 fmt::format("states {} bytes, {} are left", *size, bytes.size() - start),
                 "the file is damaged or cut"};
  end = start + *size;
  const Bytes own = bytes.first(end);
  for (std::uint64_t offset = start + read<std::uint16_t>(bytes, start + 6); offset < end;)
    if (auto error = read_entry(own, offset, offset, into)) return error;
  return std::nullopt;
}

/// Fat binaries and texts one after another, zeros between them.
std::optional<Error> read_sequence(Bytes bytes, std::vector<PtxImage>& into) {
  std::uint64_t offset = 0;
  while (offset < bytes.size()) {
    if (begins_with(bytes, offset, fat_magic)) {
      if (auto error = read_fat_binary(bytes, offset, offset, into)) return error;
    } else if (bytes[offset] == std::byte{0}) {
      ++offset;
    } else {
      const char* start = reinterpret_cast<const char*>(bytes.data() + offset);
      const std::string_view text(start, strnlen(start, bytes.size() - offset));
      if (text.find(".version") == std::string_view::npos)
        return Error{at("fat binary", offset), "neither a fat binary nor PTX text",
                     "build with PTX (-arch=compute_XX)"};
      into.push_back(image(std::string(text)));
      offset += text.size();
    }
  }
  return std::nullopt;
}

std::optional<Error> read_elf(Bytes bytes, std::vector<PtxImage>& into) {
  const auto bad = [](std::uint64_t offset, std::string cause) {
    return Error{at("ELF", offset), std::move(cause), "the file is damaged or cut"};
  };
  constexpr std::size_t header_bytes = 64, section_bytes = 64;
  if (bytes.size() < header_bytes) return bad(0, "header is cut off");
  if (bytes[4] != std::byte{2} || bytes[5] != std::byte{1}) return bad(4, "not a little-endian ELF64 file");
  const auto table = read<std::uint64_t>(bytes, 0x28);
  const auto entry = read<std::uint16_t>(bytes, 0x3a);
  const auto count = read<std::uint16_t>(bytes, 0x3c);
  const auto names_index = read<std::uint16_t>(bytes, 0x3e);
  if (count == 0) return std::nullopt;
  if (entry < section_bytes || !holds(bytes, table, std::uint64_t{entry} * count))
    return bad(0x28, "section table lies outside the file");
  if (names_index >= count) return bad(0x3e, "no section of names");
  const std::uint64_t names_header = table + std::uint64_t{entry} * names_index;
  const auto names_offset = read<std::uint64_t>(bytes, names_header + 0x18);
  const auto names_size = read<std::uint64_t>(bytes, names_header + 0x20);
  if (!holds(bytes, names_offset, names_size)) return bad(names_header, "names lie outside the file");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t header = table + entry * i;
    const std::uint64_t name = read<std::uint32_t>(bytes, header);
    if (name >= names_size) continue;
    const char* text = reinterpret_cast<const char*>(bytes.data() + names_offset + name);
    const std::string_view view(text, strnlen(text, names_size - name));
    if (view != ".nv_fatbin" && view != "__nv_relfatbin") continue;
    constexpr std::uint32_t no_bits = 8;
    if (read<std::uint32_t>(bytes, header + 4) == no_bits) continue;
    const auto offset = read<std::uint64_t>(bytes, header + 0x18);
    const auto size = read<std::uint64_t>(bytes, header + 0x20);
    if (!holds(bytes, offset, size))
      return bad(header, fmt::format("section {} lies outside the file", view));
    if (auto error = read_sequence(bytes.subspan(offset, size), into)) return error;
  }
  return std::nullopt;
}

}  // namespace

Result<std::uint64_t> fat_binary_bytes(std::span<const std::byte, fat_binary_header_bytes> header) {
  const auto magic = read<std::uint32_t>(header, 0);
  if (magic == wrapper_magic)
    return fail("fat binary", "this is the wrapper that points to a fat binary",
                "pass what its data field points to");
  if (magic != fat_magic)
    return fail("fat binary", fmt::format("magic 0x{:08x} instead of 0x{:08x}", magic, fat_magic));
  const auto header_size = read<std::uint16_t>(header, 6);
  const auto size = read<std::uint64_t>(header, 8);
  if (header_size < fat_binary_header_bytes || size > std::numeric_limits<std::uint64_t>::max() - header_size)
    return fail("fat binary", fmt::format("header of {} bytes, body of {}", header_size, size),
                "the file is damaged or cut");
  return header_size + size;
}

Result<std::vector<PtxImage>> extract(std::span<const std::byte> bytes) {
  std::vector<PtxImage> images;
  std::optional<Error> error;
  constexpr std::uint32_t elf_magic = 0x464c457f;
  if (begins_with(bytes, 0, elf_magic))
    error = read_elf(bytes, images);
  else if (begins_with(bytes, 0, wrapper_magic) && bytes.size() >= fat_binary_header_bytes)
    error = fat_binary_bytes(bytes.first<fat_binary_header_bytes>()).error();
  else
    error = read_sequence(bytes, images);
  if (error) return std::unexpected<Error>(*error);
  return images;
}

}  // namespace wanren::ptx
