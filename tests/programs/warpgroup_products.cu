// wgmma.mma_async of random shapes, types, layouts and operands against a plain reference: PTX written here,
// one product or a chain of them per module. Arguments: seed, how many.
#include <cuda.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "check.h"

namespace {

#define DRIVER(call) EXPECT((call) == CUDA_SUCCESS)

constexpr int image_bytes = 48 * 1024;

struct Kind {
  const char *a, *b;
  int bits;
  bool may_be_f16;  // the accumulator
};
constexpr Kind kinds[] = {
    {"f16", "f16", 16, true},  {"bf16", "bf16", 16, false}, {"tf32", "tf32", 32, false},
    {"e4m3", "e5m2", 8, true}, {"e5m2", "e4m3", 8, true},   {"s8", "u8", 8, false},
    {"u8", "s8", 8, false},    {"b1", "b1", 1, false},
};

/// Of the manual's tables: chunks of 16 bytes.
struct Layout {
  int swizzle = 0;  // bits of the chunk's number that are exchanged
  bool across = false;
  int start = 0, leading = 0, stride = 0;

  std::uint64_t descriptor() const {
    constexpr std::uint64_t mode[] = {0, 3, 2, 1};
    return static_cast<std::uint64_t>(start) | static_cast<std::uint64_t>(leading) << 16 |
           static_cast<std::uint64_t>(stride) << 32 | mode[swizzle] << 62;
  }
  /// Of the chunk that holds an element: by line (row of A, column of B) and k, `per` elements in a chunk.
  int chunk(int line, int k, int per) const {
    const int width = 1 << swizzle;
    int at;
    if (!across)
      at = line % 8 * width + line / 8 * stride + k / per * (swizzle ? 1 : leading);
    else if (swizzle == 0)
      at = line / per * stride + k % 8 + k / 8 * leading;
    else
      at = line / per % width + line / per / width * leading + k % 8 * width + k / 8 * stride;
    at += start;
    return at ^ (at >> 3 & (width - 1));
  }
};

struct Product {
  Kind kind;
  int n, k;
  std::string d;
  bool a_in_registers, keeps, satfinite;
  int scale_a, scale_b;
  Layout a, b;
};

double decode(const std::string& type, std::uint32_t bits) {
  const auto small = [&](int mantissa, int exponent, bool infinity) {
    const int width = 1 + mantissa + exponent, bias = (1 << (exponent - 1)) - 1, top = (1 << exponent) - 1;
    const int e = static_cast<int>(bits >> mantissa) & top,
              m = static_cast<int>(bits) & ((1 << mantissa) - 1);
    const double sign = bits >> (width - 1) & 1 ? -1 : 1;
    if (e == top && (infinity || m == (1 << mantissa) - 1)) return m ? std::nan("") : sign * INFINITY;
    return sign *
           (e ? std::ldexp((1 << mantissa) + m, e - bias - mantissa) : std::ldexp(m, 1 - bias - mantissa));
  };
  if (type == "f16") return small(10, 5, true);
  if (type == "bf16") return small(7, 8, true);
  if (type == "e4m3") return small(3, 4, false);
  if (type == "e5m2") return small(2, 5, true);
  if (type == "tf32") return small(23, 8, true);
  if (type == "s8") return static_cast<std::int8_t>(bits);
  return bits;
}

std::uint16_t to_half(float x) {
  const _Float16 h = static_cast<_Float16>(x);
  std::uint16_t bits;
  std::memcpy(&bits, &h, 2);
  return std::isnan(x) ? 0x7fff : bits;
}

float from_half(std::uint16_t bits) {
  _Float16 h;
  std::memcpy(&h, &bits, 2);
  return static_cast<float>(h);
}

std::uint32_t element(const std::uint8_t* chunk, int index, int bits) {
  std::uint32_t word = 0;
  std::memcpy(&word, chunk + index * bits / 8, static_cast<std::size_t>(bits < 8 ? 1 : bits / 8));
  return bits < 8 ? word >> index % 8 & 1 : word;
}

class Case {
 public:
  explicit Case(unsigned seed) : random_(seed) {
    p_.kind = kinds[pick(std::size(kinds))];
    const bool integer = p_.kind.a[0] == 's' || p_.kind.a[0] == 'u' || p_.kind.bits == 1;
    constexpr int sizes[] = {8, 16, 24, 32, 48, 64, 80, 96, 128, 176, 192, 256};
    p_.n = pick(6) == 0 ? 256 : sizes[pick(std::size(sizes))];
    p_.k = p_.kind.bits == 32 ? 8 : 256 / p_.kind.bits;
    p_.d = integer ? "s32" : p_.kind.may_be_f16 && pick(3) == 0 ? "f16" : "f32";
    p_.a_in_registers = pick(2);
    p_.keeps = pick(4) != 0;
    p_.satfinite = integer && p_.kind.bits == 8 && pick(2);
    p_.scale_a = integer || pick(3) ? 1 : -1;
    p_.scale_b = integer || pick(3) ? 1 : -1;
    p_.a = layout(64, p_.kind.bits == 16 && !p_.a_in_registers && pick(2));
    p_.b = layout(p_.n, p_.kind.bits == 16 && pick(2));
    image_.resize(image_bytes);
    fill(image_.data(), image_.size());
    registers_.resize(64 * 32);
    fill(registers_.data(), registers_.size());
    const std::size_t size = p_.d == "f16" ? 2 : 4;
    sums_.resize(static_cast<std::size_t>(64 * p_.n) * size);
    for (std::size_t i = 0; i < sums_.size() / size; ++i) {
      const float x = std::uniform_real_distribution<float>(-4, 4)(random_);
      const auto half = to_half(x);
      const std::int32_t whole =
          pick(20) == 0 ? 2147483000 : static_cast<std::int32_t>(random_() % 20000) - 10000;
      std::memcpy(&sums_[i * size],
                  size == 2 ? static_cast<const void*>(&half)
                  : integer ? static_cast<const void*>(&whole)
                            : static_cast<const void*>(&x),
                  size);
    }
  }

  void run() {
    CUmodule module;
    const std::string text = ptx();
    if (cuModuleLoadData(&module, text.c_str()) != CUDA_SUCCESS) {
      std::printf("FAIL to load:\n%s", text.c_str());
      std::exit(1);
    }
    CUfunction function;
    DRIVER(cuModuleGetFunction(&function, module, "k"));
    CUdeviceptr image, registers, sums;
    DRIVER(cuMemAlloc(&image, image_.size()));
    DRIVER(cuMemAlloc(&registers, registers_.size()));
    DRIVER(cuMemAlloc(&sums, sums_.size()));
    DRIVER(cuMemcpyHtoD(image, image_.data(), image_.size()));
    DRIVER(cuMemcpyHtoD(registers, registers_.data(), registers_.size()));
    DRIVER(cuMemcpyHtoD(sums, sums_.data(), sums_.size()));
    std::uint64_t a = p_.a.descriptor(), b = p_.b.descriptor();
    std::uint32_t keeps = p_.keeps;
    void* arguments[] = {&image, &registers, &sums, &a, &b, &keeps};
    DRIVER(cuLaunchKernel(function, 1, 1, 1, 128, 1, 1, 0, nullptr, arguments, nullptr));
    std::vector<std::uint8_t> out(sums_.size());
    DRIVER(cuMemcpyDtoH(out.data(), sums, out.size()));
    check(out);
    for (const CUdeviceptr p : {image, registers, sums}) DRIVER(cuMemFree(p));
    DRIVER(cuModuleUnload(module));
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }

  Layout layout(int lines, bool across) {
    Layout l;
    l.swizzle = static_cast<int>(pick(4));
    l.across = across;
    // Packed closely, or with gaps; where the pattern repeats, or in the middle of it.
    l.start = static_cast<int>(pick(8)) * 64 + static_cast<int>(pick(3)) * 2;
    const int blocks = lines / 8;
    const int most = (image_bytes / 16 - 64 * 8 - 64 * 3) / (blocks + 2);
    l.leading = 1 + static_cast<int>(pick(static_cast<std::size_t>(most)));
    l.stride = 1 + static_cast<int>(pick(static_cast<std::size_t>(most)));
    return l;
  }

  // Numbers that can be added up, and now and then one that can't.
  void fill(std::uint8_t* at, std::size_t bytes) {
    const std::string type = p_.kind.a;
    for (std::size_t i = 0; i < bytes; i += 4) {
      std::uint32_t word = static_cast<std::uint32_t>(random_());
      if (pick(4000) != 0) {
        if (type == "f16") word = (word & 0x8fff8fff) | 0x30003000;
        if (type == "bf16") word = (word & 0x80ff80ff) | 0x3f003f00;
        if (type == "tf32") word = (word & 0x80ffffff) | 0x3f000000;
        if (p_.kind.bits == 8 && type[0] == 'e') word &= 0xbfbfbfbf;
      }
      std::memcpy(at + i, &word, 4);
    }
  }

  std::string ptx() const {
    const bool half = p_.d == "f16";
    const int size = half ? 2 : 4, count = p_.n / (half ? 4 : 2);
    std::string sums;
    for (int i = 0; i < count; ++i) sums += (i ? ", %d" : "%d") + std::to_string(i);
    std::string shape = "m64n" + std::to_string(p_.n) + "k" + std::to_string(p_.k);
    std::string product = "wgmma.mma_async.sync.aligned." + shape + (p_.satfinite ? ".satfinite." : ".") +
                          p_.d + "." + p_.kind.a + "." + p_.kind.b + (p_.kind.bits == 1 ? ".and.popc" : "");
    product += " {" + sums + "}, " + (p_.a_in_registers ? "{%a0, %a1, %a2, %a3}" : "%ad") + ", %bd, %keeps";
    if (p_.d != "s32") product += ", " + std::to_string(p_.scale_a) + ", " + std::to_string(p_.scale_b);
    if (p_.kind.bits == 16) {
      if (!p_.a_in_registers) product += p_.a.across ? ", 1" : ", 0";
      product += p_.b.across ? ", 1" : ", 0";
    }
    const auto place = [&](int i) {
      const int r = half ? i % 2 : i / 2 % 2, block = half ? i / 2 : i / 4, c = half ? 0 : i % 2;
      return std::to_string((8 * r * p_.n + 8 * block + c) * size);
    };
    std::string text = R"(.version 8.0
.target sm_90a
.address_size 64
.visible .entry k(.param .u64 image, .param .u64 registers, .param .u64 sums, .param .u64 ad, .param .u64 bd,
                  .param .u32 keeps)
{
  .reg .pred %p, %keeps;
  .reg .b32 %t, %i, %s, %w, %x, %y, %z, %v, %group, %in_group, %row, %a<4>, %d<128>;
  .reg .b64 %image, %registers, %sums, %ad, %bd, %at, %wide;
  .shared .align 1024 .b8 data[49152];
  ld.param.u64 %image, [image];
  ld.param.u64 %registers, [registers];
  ld.param.u64 %sums, [sums];
  ld.param.u64 %ad, [ad];
  ld.param.u64 %bd, [bd];
  ld.param.u32 %i, [keeps];
  setp.ne.u32 %keeps, %i, 0;
  mov.u32 %t, %tid.x;
  shl.b32 %i, %t, 4;
  mov.u32 %s, data;
copy:
  cvt.u64.u32 %wide, %i;
  add.u64 %at, %image, %wide;
  ld.global.v4.u32 {%x, %y, %z, %v}, [%at];
  add.u32 %w, %s, %i;
  st.shared.v4.u32 [%w], {%x, %y, %z, %v};
  add.u32 %i, %i, 2048;
  setp.lt.u32 %p, %i, 49152;
  @%p bra copy;
  shr.u32 %w, %t, 5;
  and.b32 %x, %t, 31;
  shr.u32 %group, %x, 2;
  and.b32 %in_group, %x, 3;
  mad.lo.u32 %row, %w, 16, %group;
  mul.lo.u32 %x, %row, 32;
  mad.lo.u32 %x, %in_group, 4, %x;
  cvt.u64.u32 %wide, %x;
  add.u64 %at, %registers, %wide;
  ld.global.u32 %a0, [%at];
  ld.global.u32 %a1, [%at+256];
  ld.global.u32 %a2, [%at+16];
  ld.global.u32 %a3, [%at+272];
)";
    text += "  mul.lo.u32 %x, %row, " + std::to_string(p_.n * size) + ";\n  mad.lo.u32 %x, %in_group, " +
            std::to_string(2 * size) + ", %x;\n  cvt.u64.u32 %wide, %x;\n  add.u64 %at, %sums, %wide;\n";
    for (int i = 0; i < count; ++i)
      text += "  ld.global.b32 %d" + std::to_string(i) + ", [%at+" + place(i) + "];\n";
    text += "  bar.sync 0;\n  fence.proxy.async;\n  wgmma.fence.sync.aligned;\n  " + product +
            ";\n  wgmma.commit_group.sync.aligned;\n  wgmma.wait_group.sync.aligned 0;\n";
    for (int i = 0; i < count; ++i)
      text += "  st.global.b32 [%at+" + place(i) + "], %d" + std::to_string(i) + ";\n";
    return text + "  ret;\n}\n";
  }

  double operand(const std::string& type, const Layout& l, int line, int k) const {
    const int bits = p_.kind.bits, per = 128 / bits, index = (l.across ? line : k) % per;
    const auto at = static_cast<std::size_t>(l.chunk(line, k, per)) * 16;
    return decode(type, element(&image_[at], index, bits));
  }
  double row_element(int row, int k) const {
    if (!p_.a_in_registers) return operand(p_.kind.a, p_.a, row, k);
    return decode(p_.kind.a, element(&registers_[static_cast<std::size_t>(row) * 32], k, p_.kind.bits));
  }

  void check(const std::vector<std::uint8_t>& out) const {
    const auto tf32 = [&](double x) {
      if (p_.kind.bits != 32) return static_cast<float>(x);
      auto f = static_cast<float>(x);
      std::uint32_t bits;
      std::memcpy(&bits, &f, 4);
      bits &= 0xffffe000u;
      std::memcpy(&f, &bits, 4);
      return f;
    };
    for (int row = 0; row < 64; ++row)
      for (int column = 0; column < p_.n; ++column) {
        const auto i = static_cast<std::size_t>(row * p_.n + column);
        std::uint32_t want, got = 0;
        if (p_.d == "s32") {
          std::int32_t old;
          std::memcpy(&old, &sums_[4 * i], 4);
          std::int64_t sum = p_.keeps ? old : 0;
          for (int k = 0; k < p_.k; ++k)
            sum += static_cast<std::int64_t>(row_element(row, k) * operand(p_.kind.b, p_.b, column, k));
          if (p_.satfinite && sum > INT32_MAX) sum = INT32_MAX;
          if (p_.satfinite && sum < INT32_MIN) sum = INT32_MIN;
          want = static_cast<std::uint32_t>(sum);
          std::memcpy(&got, &out[4 * i], 4);
        } else {
          float sum = 0;
          std::uint16_t half;
          if (p_.d == "f16") {
            std::memcpy(&half, &sums_[2 * i], 2);
            sum = from_half(half);
          } else {
            std::memcpy(&sum, &sums_[4 * i], 4);
          }
          if (!p_.keeps) sum = 0;
          for (int k = 0; k < p_.k; ++k) {
            const float x = tf32(row_element(row, k)), y = tf32(operand(p_.kind.b, p_.b, column, k));
            sum = std::fmaf(p_.scale_a * x, p_.scale_b * y, sum);
          }
          std::memcpy(&want, &sum, 4);
          if (std::isnan(sum)) want = 0x7fffffff;
          if (p_.d == "f16") want = to_half(sum);
          std::memcpy(&got, &out[(p_.d == "f16" ? 2 : 4) * i], p_.d == "f16" ? 2 : 4);
        }
        if (got == want) continue;
        std::printf("FAIL at row %d, column %d: %#x, not %#x\n%s", row, column, got, want, ptx().c_str());
        std::exit(1);
      }
  }

  std::mt19937 random_;
  Product p_;
  std::vector<std::uint8_t> image_, registers_, sums_;
};

}  // namespace

int main(int argc, char** argv) {
  const unsigned seed = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1;
  const int count = argc > 2 ? std::atoi(argv[2]) : 10;
  DRIVER(cuInit(0));
  CUcontext context;
  DRIVER(cuDevicePrimaryCtxRetain(&context, 0));
  DRIVER(cuCtxSetCurrent(context));
  for (int i = 0; i < count; ++i) Case(seed * 1000 + static_cast<unsigned>(i)).run();
  std::puts("PASS");
}
