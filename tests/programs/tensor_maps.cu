// Boxes of tensors: 1 to 5 dimensions, elements of 1 to 8 bytes, steps, swizzles, parts outside; loaded,
// stored and reduced. The host says where each byte must lie. Maps that are none are refused, by the host as
// by a kernel
// ("forged", "other", "inside").
#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"

constexpr int most_bytes = 32 << 10;
struct Coordinates {
  int at[5];
};

__device__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

template <int rank>
__device__ void load(unsigned to, const CUtensorMap* map, const Coordinates& c, unsigned bar) {
#define FORM(text, ...)                                                                                 \
  asm volatile("cp.async.bulk.tensor." text                                                             \
               ".shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3" __VA_ARGS__   \
               "}], [%2];" ::"r"(to),                                                                   \
               "l"(map), "r"(bar), "r"(c.at[0]), "r"(c.at[1]), "r"(c.at[2]), "r"(c.at[3]), "r"(c.at[4]) \
               : "memory")
  if constexpr (rank == 1) FORM("1d");
  if constexpr (rank == 2) FORM("2d", ", %4");
  if constexpr (rank == 3) FORM("3d", ", %4, %5");
  if constexpr (rank == 4) FORM("4d", ", %4, %5, %6");
  if constexpr (rank == 5) FORM("5d", ", %4, %5, %6, %7");
#undef FORM
}

template <int rank, bool sums>
__device__ void store(const CUtensorMap* map, const Coordinates& c, unsigned from) {
#define FORM(text, ...)                                                                                    \
  {                                                                                                        \
    if constexpr (sums)                                                                                    \
      asm volatile("cp.reduce.async.bulk.tensor." text                                                     \
                   ".global.shared::cta.add.tile.bulk_group [%0, {%2" __VA_ARGS__ "}], [%1];" ::"l"(map),  \
                   "r"(from), "r"(c.at[0]), "r"(c.at[1]), "r"(c.at[2]), "r"(c.at[3]), "r"(c.at[4])         \
                   : "memory");                                                                            \
    else                                                                                                   \
      asm volatile("cp.async.bulk.tensor." text ".global.shared::cta.tile.bulk_group [%0, {%2" __VA_ARGS__ \
                   "}], [%1];" ::"l"(map),                                                                 \
                   "r"(from), "r"(c.at[0]), "r"(c.at[1]), "r"(c.at[2]), "r"(c.at[3]), "r"(c.at[4])         \
                   : "memory");                                                                            \
  }
  if constexpr (rank == 1) FORM("1d");
  if constexpr (rank == 2) FORM("2d", ", %3");
  if constexpr (rank == 3) FORM("3d", ", %3, %4");
  if constexpr (rank == 4) FORM("4d", ", %3, %4, %5");
  if constexpr (rank == 5) FORM("5d", ", %3, %4, %5, %6");
#undef FORM
  asm volatile("cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;" ::: "memory");
}

// The box as it comes to shared memory goes to `raw`, and that of `back` to the tensor.
template <int rank, bool sums>
__global__ void box(const __grid_constant__ CUtensorMap from, const __grid_constant__ CUtensorMap to,
                    Coordinates c, unsigned bytes, unsigned char* raw, const unsigned char* back) {
  extern __shared__ __align__(1024) unsigned char memory[];
  __shared__ uint64_t bar;
  const unsigned b = shared_address(&bar);
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(b) : "memory");
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(b), "r"(bytes) : "memory");
    load<rank>(shared_address(memory), &from, c, b);
  }
  __syncthreads();
  asm volatile(
      "{\n.reg .pred p;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], 0;\n@!p bra again;\n}" ::
          "r"(b)
      : "memory");
  for (unsigned i = threadIdx.x; i < bytes; i += blockDim.x) {
    raw[i] = memory[i];
    memory[i] = back[i];
  }
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  if (threadIdx.x == 0) store<rank, sums>(&to, c, shared_address(memory));
}

struct Case {
  CUtensorMapDataType type;
  int element, rank;
  cuuint64_t size[5];
  cuuint32_t box[5], step[5];
  CUtensorMapSwizzle swizzle;
  bool nan, sums;
  int at[5];
};

template <int rank, bool sums>
void launch(const Case& c, const CUtensorMap& from, const CUtensorMap& to, unsigned bytes, unsigned char* raw,
            const unsigned char* back) {
  Coordinates at;
  std::memcpy(at.at, c.at, sizeof at.at);
  box<rank, sums><<<1, 64, most_bytes>>>(from, to, at, bytes, raw, back);
}

CUtensorMap describe(const Case& c, unsigned char* at, const cuuint64_t* stride) {
  CUtensorMap map;
  EXPECT(cuTensorMapEncodeTiled(&map, c.type, static_cast<cuuint32_t>(c.rank), at, c.size, stride, c.box,
                                c.step, CU_TENSOR_MAP_INTERLEAVE_NONE, c.swizzle,
                                CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
                                c.nan ? CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA
                                      : CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS);
  return map;
}

void check(const Case& c, std::mt19937& random) {
  cuuint64_t stride[5], total = c.size[0] * c.element;
  for (int d = 1; d < c.rank; ++d) {
    stride[d - 1] = (total + 15) / 16 * 16 + 16;
    total = stride[d - 1] * c.size[d];
  }
  unsigned counts[5], bytes = c.element;
  for (int d = 0; d < 5; ++d) {
    counts[d] = d >= c.rank ? 1 : d == 0 ? c.box[0] : (c.box[d] + c.step[d] - 1) / c.step[d];
    bytes *= counts[d];
  }
  EXPECT(bytes <= most_bytes);
  std::vector<unsigned char> tensor(total), other(total), back(bytes), raw(bytes), want(bytes);
  for (auto& x : tensor) x = static_cast<unsigned char>(random());
  for (auto& x : other) x = static_cast<unsigned char>(random());
  for (auto& x : back) x = static_cast<unsigned char>(random());
  std::vector<unsigned char> wanted = other;
  const unsigned row = counts[0] * c.element, span = c.swizzle == 0 ? 16 : 16u << c.swizzle;
  unsigned rows = 0;
  for (unsigned e = 0; e < counts[4]; ++e)
    for (unsigned w = 0; w < counts[3]; ++w)
      for (unsigned z = 0; z < counts[2]; ++z)
        for (unsigned y = 0; y < counts[1]; ++y, ++rows)
          for (unsigned x = 0; x < counts[0]; ++x) {
            const unsigned in_box[5] = {x, y, z, w, e};
            bool inside = true;
            std::uint64_t address = 0;
            for (int d = 0; d < c.rank; ++d) {
              const long long at = c.at[d] + static_cast<long long>(in_box[d]) * (d == 0 ? 1 : c.step[d]);
              inside = inside && at >= 0 && at < static_cast<long long>(c.size[d]);
              address += static_cast<std::uint64_t>(at) * (d == 0 ? c.element : stride[d - 1]);
            }
            const unsigned chunk = x * c.element / 16, turn = rows * row / 128 % (span / 16);
            const unsigned place = rows * row + (chunk ^ turn) * 16 + x * c.element % 16;
            if (inside) {
              std::memcpy(&want[place], &tensor[address], c.element);
              std::uint32_t sum;
              if (c.sums) {
                std::uint32_t add;
                std::memcpy(&sum, &wanted[address], 4);
                std::memcpy(&add, &back[place], 4);
                sum += add;
              }
              std::memcpy(&wanted[address], c.sums ? reinterpret_cast<unsigned char*>(&sum) : &back[place],
                          c.element);
            } else {
              std::memset(&want[place], c.nan ? 0xff : 0, c.element);
              if (c.nan) want[place + c.element - 1] = 0x7f;
            }
          }
  unsigned char *a, *b, *r, *k;
  CUDA(cudaMalloc(&a, total));
  CUDA(cudaMalloc(&b, total));
  CUDA(cudaMalloc(&r, bytes));
  CUDA(cudaMalloc(&k, bytes));
  CUDA(cudaMemcpy(a, tensor.data(), total, cudaMemcpyHostToDevice));
  CUDA(cudaMemcpy(b, other.data(), total, cudaMemcpyHostToDevice));
  CUDA(cudaMemcpy(k, back.data(), bytes, cudaMemcpyHostToDevice));
  const CUtensorMap from = describe(c, a, stride);
  Case target = c;
  target.nan = false;
  const CUtensorMap to = describe(target, b, stride);
  switch (c.rank * 2 + c.sums) {
#define FORM(n)                                                  \
  case n * 2: launch<n, false>(c, from, to, bytes, r, k); break; \
  case n * 2 + 1: launch<n, true>(c, from, to, bytes, r, k); break;
    FORM(1) FORM(2) FORM(3) FORM(4) FORM(5)
#undef FORM
  }
  CUDA(cudaMemcpy(raw.data(), r, bytes, cudaMemcpyDeviceToHost));
  CUDA(cudaMemcpy(other.data(), b, total, cudaMemcpyDeviceToHost));
  EXPECT(raw == want);
  EXPECT(other == wanted);
  for (unsigned char* p : {a, b, r, k}) CUDA(cudaFree(p));
}

void refusals() {
  unsigned char* at;
  CUDA(cudaMalloc(&at, 1 << 16));
  const auto status = [&](auto&& change) {
    struct {
      CUtensorMap map;
      CUtensorMapDataType type = CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
      cuuint32_t rank = 2;
      void* address;
      cuuint64_t size[2] = {64, 64}, stride[1] = {256};
      cuuint32_t box[2] = {32, 8}, step[2] = {1, 1};
      CUtensorMapInterleave interleave = CU_TENSOR_MAP_INTERLEAVE_NONE;
      CUtensorMapSwizzle swizzle = CU_TENSOR_MAP_SWIZZLE_NONE;
      CUtensorMapFloatOOBfill fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
    } m;
    m.address = at;
    change(m);
    return cuTensorMapEncodeTiled(&m.map, m.type, m.rank, m.address, m.size, m.stride, m.box, m.step,
                                  m.interleave, m.swizzle, CU_TENSOR_MAP_L2_PROMOTION_NONE, m.fill);
  };
  EXPECT(status([](auto&) {}) == CUDA_SUCCESS);
  EXPECT(status([](auto& m) { m.rank = 0; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.rank = 6; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.address = static_cast<char*>(m.address) + 8; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.address = nullptr; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.size[1] = 0; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.size[0] = (1ull << 32) + 1; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.stride[0] = 260; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.stride[0] = 1ull << 40; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.box[0] = 257; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.box[1] = 0; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.box[0] = 3; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.step[1] = 9; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.step[1] = 0; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.swizzle = CU_TENSOR_MAP_SWIZZLE_64B; }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.type = static_cast<CUtensorMapDataType>(99); }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) {
           m.type = CU_TENSOR_MAP_DATA_TYPE_INT32;
           m.fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA;
         }) == CUDA_ERROR_INVALID_VALUE);
  EXPECT(status([](auto& m) { m.interleave = CU_TENSOR_MAP_INTERLEAVE_32B; }) == CUDA_ERROR_NOT_SUPPORTED);
  EXPECT(status([](auto& m) { m.type = CU_TENSOR_MAP_DATA_TYPE_TFLOAT32; }) == CUDA_ERROR_NOT_SUPPORTED);
  EXPECT(cuTensorMapEncodeTiled(nullptr, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, at, nullptr, nullptr, nullptr,
                                nullptr, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_NONE,
                                CU_TENSOR_MAP_L2_PROMOTION_NONE,
                                CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_ERROR_INVALID_VALUE);
}

Case plain() {
  return {CU_TENSOR_MAP_DATA_TYPE_UINT32, 4,     2,     {64, 64}, {32, 8}, {1, 1},
          CU_TENSOR_MAP_SWIZZLE_NONE,     false, false, {0, 0}};
}

// What a kernel makes of a map that is none, of one of another rank, and of a box that is larger than shared
// memory.
int faults(const char* what) {
  unsigned char *at, *out;
  CUDA(cudaMalloc(&at, 1 << 16));
  CUDA(cudaMalloc(&out, most_bytes));
  const cuuint64_t stride[1] = {256};
  const Case c = plain();
  CUtensorMap map = describe(c, at, stride);
  if (std::strcmp(what, "forged") == 0) reinterpret_cast<unsigned char*>(&map)[5] ^= 0xff;
  if (std::strcmp(what, "other") == 0)
    box<3, false><<<1, 64, most_bytes>>>(map, map, Coordinates{}, 1024, out, out);
  else
    box<2, false><<<1, 64, std::strcmp(what, "inside") == 0 ? 512 : most_bytes>>>(map, map, Coordinates{},
                                                                                  1024, out, out);
  const cudaError_t status = cudaDeviceSynchronize();
  EXPECT(status ==
         (std::strcmp(what, "inside") == 0 ? cudaErrorIllegalAddress : cudaErrorIllegalInstruction));
  std::printf("PASS\n");
  return 0;
}

int main(int argc, char** argv) {
  if (argc > 1) return faults(argv[1]);
  refusals();
  std::mt19937 random(7);
  constexpr CUtensorMapDataType types[] = {CU_TENSOR_MAP_DATA_TYPE_UINT8,   CU_TENSOR_MAP_DATA_TYPE_UINT16,
                                           CU_TENSOR_MAP_DATA_TYPE_UINT32,  CU_TENSOR_MAP_DATA_TYPE_INT32,
                                           CU_TENSOR_MAP_DATA_TYPE_UINT64,  CU_TENSOR_MAP_DATA_TYPE_INT64,
                                           CU_TENSOR_MAP_DATA_TYPE_FLOAT16, CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
                                           CU_TENSOR_MAP_DATA_TYPE_FLOAT64, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16};
  constexpr int elements[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2};
  for (int i = 0; i < 240; ++i) {
    const int t = i % 10;
    Case c{};
    c.type = types[t];
    c.element = elements[t];
    c.rank = i / 10 % 5 + 1;
    c.swizzle = static_cast<CUtensorMapSwizzle>(i / 50 % 4);
    const unsigned row = c.swizzle == 0 ? 16 * (1 + random() % 8) : 16u << c.swizzle;
    unsigned bytes = row;
    for (int d = 0; d < c.rank; ++d) {
      c.step[d] = 1 + (random() % 3 == 0) * (random() % 3);
      c.box[d] = d == 0 ? row / c.element : 1 + random() % 9;
      if (c.box[d] > 256) c.box[d] = 256;
      if (d > 0 && bytes * c.box[d] > most_bytes) c.box[d] = 1;
      bytes *= d == 0 ? 1 : c.box[d];
      c.size[d] = 1 + random() % (2 * c.box[d] + 1);
      c.at[d] = static_cast<int>(random() % (c.box[d] * 2 + c.size[d])) - static_cast<int>(c.box[d]);
    }
    c.nan = t >= 6 && random() % 2 == 0;
    c.sums = c.type == CU_TENSOR_MAP_DATA_TYPE_UINT32 && random() % 2 == 0;
    check(c, random);
  }
  std::printf("PASS\n");
}
