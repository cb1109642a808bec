// The Mandelbrot set as a PNG file: divergent loops whose counts the host repeats exactly for a sample of
// pixels.
#include <cstdint>
#include <string>

#include "common.h"

// Every operation is rounded by itself, so that host and device agree to the last bit.
__host__ __device__ inline int escape_time(float cx, float cy, int limit) {
  float x = 0, y = 0;
  int i = 0;
  for (; i < limit; ++i) {
#ifdef __CUDA_ARCH__
    const float xx = __fmul_rn(x, x), yy = __fmul_rn(y, y), xy = __fmul_rn(x, y);
    if (__fadd_rn(xx, yy) > 4.0f) break;
    x = __fadd_rn(__fsub_rn(xx, yy), cx);
    y = __fadd_rn(__fadd_rn(xy, xy), cy);
#else
    const float xx = x * x, yy = y * y, xy = x * y;
    if (xx + yy > 4.0f) break;
    x = xx - yy + cx;
    y = xy + xy + cy;
#endif
  }
  return i;
}

__global__ void mandelbrot(int w, int h, float x0, float y0, float dx, int limit, int* out) {
  const int px = blockIdx.x * blockDim.x + threadIdx.x, py = blockIdx.y * blockDim.y + threadIdx.y;
  if (px < w && py < h) out[py * w + px] = escape_time(x0 + px * dx, y0 + py * dx, limit);
}

// A PNG with stored (uncompressed) deflate blocks (RFC 2083, RFC 1950, RFC 1951).
class Png {
 public:
  static bool write(const char* path, int w, int h, const std::vector<uint8_t>& rgb) {
    std::string raw;
    for (int y = 0; y < h; ++y) {
      raw += '\0';
      raw.append(reinterpret_cast<const char*>(&rgb[(size_t)y * w * 3]), (size_t)w * 3);
    }
    std::string z = "\x78\x01";
    for (size_t at = 0; at < raw.size(); at += 65535) {
      const size_t n = raw.size() - at < 65535 ? raw.size() - at : 65535;
      z += (char)(at + n == raw.size());
      z += (char)(n & 255), z += (char)(n >> 8), z += (char)(~n & 255), z += (char)(~n >> 8 & 255);
      z.append(raw, at, n);
    }
    uint32_t a = 1, b = 0;
    for (const unsigned char c : raw) a = (a + c) % 65521, b = (b + a) % 65521;
    z += big_endian(b << 16 | a);
    std::string header = big_endian((uint32_t)w) + big_endian((uint32_t)h);
    header += '\x08';
    header += '\x02';
    header += std::string(3, '\0');
    const std::string file =
        std::string("\x89PNG\r\n\x1a\n", 8) + chunk("IHDR", header) + chunk("IDAT", z) + chunk("IEND", "");
    FILE* f = std::fopen(path, "wb");
    if (!f) return false;
    const bool ok = std::fwrite(file.data(), 1, file.size(), f) == file.size();
    return std::fclose(f) == 0 && ok;
  }

 private:
  static std::string big_endian(uint32_t v) {
    return {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
  }
  static std::string chunk(const std::string& type, const std::string& data) {
    const std::string body = type + data;
    uint32_t crc = ~0u;
    for (const unsigned char c : body) {
      crc ^= c;
      for (int k = 0; k < 8; ++k) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return big_endian((uint32_t)data.size()) + body + big_endian(~crc);
  }
};

int main(int argc, char** argv) {
  const int h = (int)option(argc, argv, "-n", has_flag(argc, argv, "--large") ? 2048 : 256), w = h * 3 / 2;
  const int limit = (int)option(argc, argv, "-limit", 256);
  const char* path = "mandelbrot.png";
  for (int i = 1; i + 1 < argc; ++i)
    if (!std::strcmp(argv[i], "-o")) path = argv[i + 1];
  const float dx =
      1.0f / 1024.0f * (2048.0f / h);  // a power of two for the default sizes, so pixel places are exact
  const float x0 = -2.0f, y0 = -1.0f;
  Device<int> counts((size_t)w * h);
  const float ms = device_ms([&] {
    mandelbrot<<<dim3((w + 15) / 16, (h + 15) / 16), dim3(16, 16)>>>(w, h, x0, y0, dx, limit, counts);
  });
  const std::vector<int> got = counts.download();
  bool correct = true;
  long long total = 0;
  std::vector<uint8_t> rgb((size_t)w * h * 3);
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x) {
      const int n = got[(size_t)y * w + x];
      total += n;
      if ((x + y * 7) % 13 == 0)
        correct =
            correct && n == escape_time(std::fmaf((float)x, dx, x0), std::fmaf((float)y, dx, y0), limit);
      uint8_t* p = &rgb[((size_t)y * w + x) * 3];
      const float t = n == limit ? 0.0f : std::sqrt((float)n / limit);
      p[0] = (uint8_t)(255 * t), p[1] = (uint8_t)(255 * t * t),
      p[2] = (uint8_t)(255 * (n == limit ? 0 : 1 - t));
    }
  if (!Png::write(path, w, h, rgb)) {
    std::fprintf(stderr, "%s: cannot write\n", path);
    return 1;
  }
  std::printf("mandelbrot: %d x %d, %.4f ms, %.2f G iterations/s, picture in %s\n", w, h, ms,
              total / ms * 1e-6, path);
  return finish(correct);
}
