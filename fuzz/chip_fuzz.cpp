// Any bytes are a chip, or an error that says where.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "chip/spec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wanren;
  const Result<chip::Spec> spec = chip::parse({reinterpret_cast<const char*>(data), size}, "fuzz/any.toml");
  if (!spec && spec.error().place.empty()) std::abort();
  if (spec) (void)chip::hash(*spec);
  return 0;
}
