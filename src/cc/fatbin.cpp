#include "cc/fatbin.h"

#include <elf.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "cc/process.h"

namespace wanren::cc {
namespace {

template <typename T>
void put(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace

std::string pack(const std::vector<DeviceCode>& codes) {
  constexpr size_t entry_header = 0x40;
  std::string all(16, '\0');
  for (const DeviceCode& code : codes) {
    std::string payload = code.ptx;
    payload.resize((payload.size() + 8) & ~size_t{7}, '\0');  // at least one NUL ends the text
    std::string header(entry_header, '\0');
    put<std::uint16_t>(header, 0x00, 1);
    put<std::uint16_t>(header, 0x02, 0x101);
    put<std::uint32_t>(header, 0x04, entry_header);
    put<std::uint64_t>(header, 0x08, payload.size());
    put<std::uint16_t>(header, 0x18, 8);  // PTX ISA 8.4
    put<std::uint16_t>(header, 0x1a, 4);
    put<std::uint32_t>(header, 0x1c, static_cast<std::uint32_t>(std::atoi(code.architecture.c_str())));
    all += header + payload;
  }
  put<std::uint32_t>(all, 0, 0xBA55ED50);
  put<std::uint16_t>(all, 4, 1);
  put<std::uint16_t>(all, 6, 16);
  put<std::uint64_t>(all, 8, all.size() - 16);
  return all;
}

std::string limit_registers(const std::string& ptx, int registers) {
  std::string out;
  size_t at = 0;
  while (true) {
    const size_t entry = ptx.find(".entry ", at);
    const size_t body = entry == std::string::npos ? entry : ptx.find('{', entry);
    if (body == std::string::npos) break;
    out.append(ptx, at, body - at);
    out += ".maxnreg " + std::to_string(registers) + "\n";
    at = body;
    out += ptx[at++];
  }
  out.append(ptx, at, std::string::npos);
  return out;
}

Result<void> use_common_registration(const std::string& path) {
  auto read = read_file(path);
  if (!read) return std::unexpected(read.error());
  std::string& bytes = *read;
  Elf64_Ehdr header;
  const auto damaged = [&] { return fail(path, "not an ELF64 object", "compile for x86-64"); };
  if (bytes.size() < sizeof header) return damaged();
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_shentsize != sizeof(Elf64_Shdr) ||
      header.e_shoff + std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr) > bytes.size())
    return damaged();
  constexpr std::string_view name = "__cudaRegisterLinkedBinary";
  for (int i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, bytes.data() + header.e_shoff + static_cast<size_t>(i) * sizeof section,
                sizeof section);
    if (section.sh_type != SHT_STRTAB || section.sh_offset + section.sh_size > bytes.size()) continue;
    const size_t end = section.sh_offset + section.sh_size;
    for (size_t at = bytes.find(name, section.sh_offset); at < end; at = bytes.find(name, at + 1))
      if (bytes[at - 1] == '\0') bytes[at + name.size()] = '\0';
  }
  return write_file(path, bytes);
}

}  // namespace wanren::cc
