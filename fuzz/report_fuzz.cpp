// Any text is a report or an error; what reads as a report is written and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "report/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wanren;
  const auto run = report::from_json({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!run) return 0;
  if (!report::from_json(report::to_json(*run), "written")) std::abort();
  return 0;
}
