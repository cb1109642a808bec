// Device printf: CUDA C++ Programming Guide, "Formatted output".

#include <cstdio>
#include <cstring>

#include "engine/services.h"

namespace wanren::engine {
namespace {

constexpr std::size_t longest_string = 1 << 20;

class ArgumentReader {
 public:
  explicit ArgumentReader(const std::uint8_t* at) : base_(at) {}

  template <class T>
  T next() {
    offset_ = (offset_ + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    T value{};
    if (base_ != nullptr) std::memcpy(&value, base_ + offset_, sizeof(T));
    offset_ += sizeof(T);
    ++count_;
    return value;
  }
  int count() const { return count_; }

 private:
  const std::uint8_t* base_;
  std::size_t offset_ = 0;
  int count_ = 0;
};

template <class T>
void append(std::string& out, const std::string& spec, T value) {
  char small[256];
  const int wrote = std::snprintf(small, sizeof small, spec.c_str(), value);
  if (wrote < 0) return;
  if (static_cast<std::size_t>(wrote) < sizeof small) {
    out.append(small, static_cast<std::size_t>(wrote));
    return;
  }
  std::string large(static_cast<std::size_t>(wrote) + 1, '\0');
  std::snprintf(large.data(), large.size(), spec.c_str(), value);
  large.pop_back();
  out += large;
}

}  // namespace

std::string format_printf(const char* format, const std::uint8_t* arguments,
                          const std::function<const char*(std::uint64_t)>& host, int& parsed) {
  std::string out;
  ArgumentReader reader(arguments);
  for (const char* p = format; *p != '\0';) {
    if (*p != '%') {
      const std::size_t plain = std::strcspn(p, "%");
      out.append(p, plain);
      p += plain;
      continue;
    }
    const char* begin = p++;
    std::string spec = "%";
    while (*p != '\0' && std::strchr("#0 +-", *p) != nullptr) spec += *p++;
    const auto number = [&] {
      if (*p == '*') {
        spec += std::to_string(reader.next<std::int32_t>());
        ++p;
      } else {
        while (*p >= '0' && *p <= '9') spec += *p++;
      }
    };
    number();
    if (*p == '.') {
      spec += *p++;
      number();
    }
    // Sizes as on the host: l is 64 bits, h and hh are promoted to int and cut back.
    int longs = 0, shorts = 0;
    while (*p != '\0' && std::strchr("hljzt", *p) != nullptr) {
      if (*p == 'h')
        ++shorts;
      else if (*p == 'l')
        ++longs;
      else
        longs = 2;
      ++p;
    }
    const char type = *p;
    if (type == '\0') {
      out.append(begin);
      break;
    }
    ++p;
    switch (type) {
      case '%': out += '%'; break;
      case 'd':
      case 'i': {
        std::int64_t value = longs != 0 ? reader.next<std::int64_t>() : reader.next<std::int32_t>();
        if (shorts == 1) value = static_cast<std::int16_t>(value);
        if (shorts >= 2) value = static_cast<std::int8_t>(value);
        append(out, spec + "lld", static_cast<long long>(value));
        break;
      }
      case 'u':
      case 'o':
      case 'x':
      case 'X': {
        std::uint64_t value = longs != 0 ? reader.next<std::uint64_t>() : reader.next<std::uint32_t>();
        if (shorts == 1) value = static_cast<std::uint16_t>(value);
        if (shorts >= 2) value = static_cast<std::uint8_t>(value);
        append(out, spec + "ll" + type, static_cast<unsigned long long>(value));
        break;
      }
      case 'c': append(out, spec + 'c', reader.next<std::int32_t>()); break;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
      case 'a':
      case 'A': append(out, spec + type, reader.next<double>()); break;
      case 'p': append(out, spec + 'p', reinterpret_cast<void*>(reader.next<std::uint64_t>())); break;
      case 's': {
        const std::uint64_t pointer = reader.next<std::uint64_t>();
        if (pointer == 0) {
          append(out, spec + 's', "(null)");
        } else {
          const char* text = host(pointer);
          append(out, spec + 's', std::string(text, strnlen(text, longest_string)).c_str());
        }
        break;
      }
      default: out.append(begin, static_cast<std::size_t>(p - begin)); break;
    }
  }
  parsed = reader.count();
  return out;
}

}  // namespace wanren::engine
