#pragma once
// Quantities as people write them: "448 GB/s", "6 pJ/bit", "64 KiB".

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wanren::chip {

/// A unit as a factor to base units (byte, second, cycle, joule, operation, dollar, metre) and the
/// power of each.
struct Unit {
  double factor = 1;
  std::array<int, 8> powers{};  ///< byte, second, cycle, joule, flop, op, dollar, metre
  bool same_dimension(const Unit& other) const { return powers == other.powers; }
};

/// Reads "GB/s", "pJ/bit", "1/cm2", "TFLOPS", "µs". "" is a plain number.
std::optional<Unit> parse_unit(std::string_view text);

struct Quantity {
  double number = 0;
  std::string unit;  ///< As written, "" if none.
};

/// Splits "448 GB/s" (blank optional) into number and unit; no value if it does not begin with a number.
std::optional<Quantity> parse_quantity(std::string_view text);

/// Spellings of units with the dimension of `canonical`, for messages.
std::vector<std::string> spellings(std::string_view canonical);

}  // namespace wanren::chip
