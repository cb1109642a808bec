#pragma once
// Strong integer types: an address or a time in the wrong unit is a compile error.

#include <compare>
#include <cstdint>

namespace wanren {

template <class Tag, class Rep>
struct Strong {
  Rep value{};

  constexpr Strong() = default;
  explicit constexpr Strong(Rep v) : value(v) {}
  friend constexpr auto operator<=>(Strong, Strong) = default;
  friend constexpr Strong operator+(Strong a, Strong b) { return Strong(a.value + b.value); }
  friend constexpr Strong operator-(Strong a, Strong b) { return Strong(a.value - b.value); }
  constexpr Strong& operator+=(Strong b) {
    value += b.value;
    return *this;
  }
};

/// Time on the device's timeline, in picoseconds since the device was created.
using Picoseconds = Strong<struct PicosecondsTag, std::int64_t>;
/// Clock cycles of the domain that the context names (a chip's core clock unless said otherwise).
using Cycles = Strong<struct CyclesTag, std::int64_t>;
/// Byte offset in the device's address space, given by allocation order. The same in every run,
/// unlike the host address that backs it: the timing model sees only these.
using DeviceAddress = Strong<struct DeviceAddressTag, std::uint64_t>;

struct Dim3 {
  std::uint32_t x = 1, y = 1, z = 1;
  constexpr std::uint64_t count() const { return std::uint64_t{x} * y * z; }
  friend constexpr auto operator<=>(const Dim3&, const Dim3&) = default;
};

inline constexpr int warp_size = 32;
using LaneMask = std::uint32_t;
inline constexpr LaneMask full_mask = 0xffffffffu;

}  // namespace wanren
