#pragma once
// What a message takes on a link: its payload in packets of a certain size, each with a header.

#include <algorithm>
#include <cstdint>

namespace wanren::timing {

struct Packets {
  std::uint64_t payload = 1, header = 0;  ///< Bytes of one.
  /// Bytes on the wire for a message with this payload; 0: a request without data.
  std::uint64_t wire_bytes(std::uint64_t bytes) const {
    return bytes + std::max<std::uint64_t>(1, (bytes + payload - 1) / payload) * header;
  }
};

}  // namespace wanren::timing
