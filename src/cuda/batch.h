#pragma once
// Private to src/cuda: batches of copies, for both APIs.

#include <cstddef>
#include <vector>

#include "driver/device.h"

namespace wanren::cuda {

struct BatchCopy {
  void* to;
  const void* from;
  std::size_t bytes;
  bool read_now;  ///< The source may change once the call has returned.
};

/// One after the other, which any order allows. Errors: the legacy stream; a stream that captures; a copy
/// that cannot be, whose number goes to `failed` if all before it have been submitted.
driver::Status copy_batch(driver::Device& device, const driver::Stream& stream, bool legacy,
                          const std::vector<BatchCopy>& copies, std::size_t* failed);

/// The copies of parallel arrays; attribute i holds from the copy numbered first[i] on. False: they do not
/// fit.
template <class Pointer, class Attributes>
bool batch_of(Pointer* to, Pointer* from, const std::size_t* bytes, std::size_t count,
              const Attributes* attributes, const std::size_t* first, std::size_t attribute_count,
              std::vector<BatchCopy>& copies) {
  constexpr int orders = 3, during_call = 2;
  if (to == nullptr || from == nullptr || bytes == nullptr || count == 0 || attributes == nullptr ||
      first == nullptr || attribute_count == 0 || attribute_count > count || first[0] != 0)
    return false;
  std::size_t attribute = 0;
  for (std::size_t i = 0; i < count; ++i) {
    while (attribute + 1 < attribute_count && first[attribute + 1] <= i) ++attribute;
    const auto order = static_cast<int>(attributes[attribute].srcAccessOrder);
    if (order < 1 || order > orders) return false;
    copies.push_back({reinterpret_cast<void*>(to[i]), reinterpret_cast<const void*>(from[i]), bytes[i],
                      order == during_call});
  }
  return true;
}

}  // namespace wanren::cuda
