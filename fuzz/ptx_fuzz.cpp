// Any bytes are PTX text or a fat binary, or an error: nothing else may happen. What parses must
// print and parse again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "ptx/fatbinary.h"
#include "ptx/module.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wanren::ptx;
  (void)extract(std::as_bytes(std::span(data, size)));
  const auto module = parse({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!module) return 0;
  const std::string printed = print(*module);
  const auto again = parse(printed, "printed");
  if (!again || print(*again) != printed) std::abort();
  return 0;
}
