// Any bytes are a fat binary, an ELF file or an error. The first byte says how the rest is packed, the last
// twelve where the packed whole is damaged, so that text inside compressed entries and headers around it are
// both reached.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "containers.h"
#include "ptx/fatbinary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wanren;
  if (size < 13) return 0;
  const unsigned how = data[0];
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 13);
  if (how & 3) bytes = fuzz::fat_binary(bytes, static_cast<fuzz::Packing>((how & 3) - 1));
  if (how & 4) bytes = fuzz::elf(bytes);
  if ((how & 24) == 0 && (how & 3)) {
    // Undamaged, the text comes out again.
    const auto images = ptx::extract(std::as_bytes(std::span(bytes)));
    if (!images || images->size() != 1) std::abort();
    return 0;
  }
  for (std::size_t i = size - 12; i < size && !bytes.empty(); i += 3)
    bytes[(data[i] | std::size_t{data[i + 1]} << 8) % bytes.size()] ^= static_cast<char>(data[i + 2]);
  (void)ptx::extract(std::as_bytes(std::span(bytes)));
  return 0;
}
