// Any bytes are a cached object of the key that they name, or none: a changed byte anywhere is noticed.

#include <cstdlib>
#include <cstring>
#include <span>

#include "jit/cache.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wanren::jit;
  const std::span bytes(reinterpret_cast<const char*>(data), size);
  CacheKey key{};
  if (size >= 8 + sizeof key) std::memcpy(&key, data + 8, sizeof key);
  (void)decode(bytes, key);

  CacheEntry entry;
  entry.object.assign(bytes.begin(), bytes.end());
  entry.patterns.resize(size % 3);
  std::vector<char> file = encode(key, entry);
  const auto whole = decode(file, key);
  if (!whole || whole->object != entry.object || whole->patterns != entry.patterns) std::abort();
  if (size == 0) return 0;
  const std::size_t at = (std::size_t{data[0]} * 257 + data[size - 1]) % file.size();
  file[at] = static_cast<char>(~file[at]);
  if (decode(file, key)) std::abort();
  file.resize(at);
  if (decode(file, key)) std::abort();
  return 0;
}
