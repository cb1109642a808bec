// Generators in the guide's legacy ordering: number n of a sequence cut in `lanes` subsequences is number n /
// lanes of subsequence n modulo lanes. One thread keeps each subsequence's state, so calls go on where the
// last one ended.
#define QUALIFIERS static inline __host__ __device__
#include <curand_kernel.h>

#include <algorithm>
#include <new>
#include <vector>

constexpr int lanes = 4096, threads = 128;

struct curandGenerator_st {
  curandRngType_t type;
  bool on_host;
  cudaStream_t stream = nullptr;
  unsigned long long seed = 0, offset = 0;
  unsigned long long next = 0;    ///< Outputs since the state was set up, counted in turns of the lanes.
  void* states = nullptr;         ///< `lanes` of them, on the device; null: to be set up.
  std::vector<char> host_states;  ///< The same for a generator on the host.
};

namespace {

/// Number `lane` of the sequences that a generator is cut into.
template <typename State>
__host__ __device__ void start(State& state, unsigned long long seed, unsigned long long offset, int lane) {
  // The offset counts numbers of the whole generator.
  const unsigned long long turns = offset / lanes, rest = offset % lanes;
  const bool wraps = lane + rest >= lanes;
  curand_init(seed, (lane + rest) % lanes, turns + (wraps ? 1 : 0), &state);
}
template <typename State>
__global__ void start_all(State* states, unsigned long long seed, unsigned long long offset) {
  const int lane = blockIdx.x * threads + threadIdx.x;
  start(states[lane], seed, offset, lane);
}

// What a lane makes in one turn: `count` outputs from `draws` numbers of its sequence.
struct Bits {
  using Output = unsigned int;
  static constexpr int count = 1, draws = 1;
  template <typename S>
  __host__ __device__ void operator()(S* s, Output* out) const {
    *out = curand(s);
  }
};
struct Uniform {
  using Output = float;
  static constexpr int count = 1, draws = 1;
  template <typename S>
  __host__ __device__ void operator()(S* s, Output* out) const {
    *out = curand_uniform(s);
  }
};
struct UniformDouble {
  using Output = double;
  static constexpr int count = 1, draws = 2;
  template <typename S>
  __host__ __device__ void operator()(S* s, Output* out) const {
    *out = curand_uniform_double(s);
  }
};
template <typename T, bool Exponential>
struct Normal {
  using Output = T;
  static constexpr int count = 2, draws = 2 * sizeof(T) / sizeof(float);
  T mean, deviation;
  template <typename S>
  __host__ __device__ void operator()(S* s, Output* out) const {
    const auto pair = [s] {
      if constexpr (sizeof(T) == sizeof(double))
        return curand_normal2_double(s);
      else
        return curand_normal2(s);
    }();
    out[0] = mean + deviation * pair.x;
    out[1] = mean + deviation * pair.y;
    if constexpr (Exponential) out[0] = exp(out[0]), out[1] = exp(out[1]);
  }
};
struct Poisson {
  using Output = unsigned int;
  static constexpr int count = 1, draws = 0;  // as many as it takes
  double lambda;
  template <typename S>
  __host__ __device__ void operator()(S* s, Output* out) const {
    *out = curand_poisson(s, lambda);
  }
};

/// All turns of one lane. `first` is the turn that comes next in the whole generator, `turns` how many are
/// wanted.
template <typename Make, typename State>
__host__ __device__ void make_lane(const Make& make, State* state, int lane, unsigned long long first,
                                   unsigned long long turns, std::size_t n, typename Make::Output* output) {
  // Turn t belongs to lane t modulo lanes.
  unsigned long long at = (lane + lanes - first % lanes) % lanes;
  for (; at < turns; at += lanes) {
    typename Make::Output made[Make::count];
    make(state, made);
    for (int i = 0; i < Make::count; ++i)
      if (at * Make::count + i < n) output[at * Make::count + i] = made[i];
  }
}
template <typename Make, typename State>
__global__ void make_all(Make make, State* states, unsigned long long first, unsigned long long turns,
                         std::size_t n, typename Make::Output* output) {
  const int lane = blockIdx.x * threads + threadIdx.x;
  State state = states[lane];
  make_lane(make, &state, lane, first, turns, n, output);
  states[lane] = state;
}

/// Philox has one sequence, so that a turn's numbers lie where the turn does: no states are kept.
template <typename Make>
__host__ __device__ void make_turn(const Make& make, unsigned long long seed, unsigned long long offset,
                                   unsigned long long at, std::size_t n, typename Make::Output* output) {
  curandStatePhilox4_32_10_t state;
  // A variable number of draws would run into the neighbour's: each output has a subsequence of its own.
  if (Make::draws == 0)
    curand_init(seed, offset + at + 1, 0, &state);
  else
    curand_init(seed, 0, offset + at * Make::draws, &state);
  typename Make::Output made[Make::count];
  make(&state, made);
  for (int i = 0; i < Make::count; ++i)
    if (at * Make::count + i < n) output[at * Make::count + i] = made[i];
}
template <typename Make>
__global__ void make_turns(Make make, unsigned long long seed, unsigned long long offset,
                           unsigned long long turns, std::size_t n, typename Make::Output* output) {
  for (unsigned long long at = blockIdx.x * static_cast<unsigned long long>(threads) + threadIdx.x;
       at < turns; at += static_cast<unsigned long long>(gridDim.x) * threads)
    make_turn(make, seed, offset, at, n, output);
}

curandStatus_t launched() {
  return cudaGetLastError() == cudaSuccess ? CURAND_STATUS_SUCCESS : CURAND_STATUS_LAUNCH_FAILURE;
}

template <typename Make>
curandStatus_t counted(curandGenerator_t g, const Make& make, std::size_t n, typename Make::Output* output) {
  const unsigned long long turns = (n + Make::count - 1) / Make::count, offset = g->offset + g->next;
  if (g->on_host) {
    for (unsigned long long at = 0; at < turns; ++at) make_turn(make, g->seed, offset, at, n, output);
  } else {
    const auto ctas =
        static_cast<unsigned>(std::min<unsigned long long>((turns + threads - 1) / threads, 4096));
    make_turns<<<ctas, threads, 0, g->stream>>>(make, g->seed, offset, turns, n, output);
  }
  g->next += turns * (Make::draws == 0 ? 1 : Make::draws);
  return g->on_host ? CURAND_STATUS_SUCCESS : launched();
}
template <typename State, typename Make>
curandStatus_t in_lanes(curandGenerator_t g, const Make& make, std::size_t n, typename Make::Output* output) {
  const unsigned long long turns = (n + Make::count - 1) / Make::count;
  if (g->on_host) {
    const bool fresh = g->host_states.empty();
    if (fresh) g->host_states.resize(lanes * sizeof(State));
    auto* states = reinterpret_cast<State*>(g->host_states.data());
    for (int lane = 0; lane < lanes; ++lane) {
      if (fresh) start(states[lane], g->seed, g->offset, lane);
      make_lane(make, &states[lane], lane, g->next, turns, n, output);
    }
    g->next += turns;
    return CURAND_STATUS_SUCCESS;
  }
  if (g->states == nullptr) {
    if (cudaMalloc(&g->states, lanes * sizeof(State)) != cudaSuccess) return CURAND_STATUS_ALLOCATION_FAILED;
    start_all<<<lanes / threads, threads, 0, g->stream>>>(static_cast<State*>(g->states), g->seed, g->offset);
  }
  make_all<<<lanes / threads, threads, 0, g->stream>>>(make, static_cast<State*>(g->states), g->next, turns,
                                                       n, output);
  g->next += turns;
  return launched();
}
template <typename Make>
curandStatus_t generate(curandGenerator_t g, const Make& make, std::size_t n, typename Make::Output* output) {
  if (g == nullptr) return CURAND_STATUS_NOT_INITIALIZED;
  if (n == 0) return CURAND_STATUS_SUCCESS;
  if (output == nullptr) return CURAND_STATUS_OUT_OF_RANGE;
  if (n % Make::count != 0) return CURAND_STATUS_LENGTH_NOT_MULTIPLE;
  switch (g->type) {
    case CURAND_RNG_PSEUDO_PHILOX4_32_10: return counted(g, make, n, output);
    case CURAND_RNG_PSEUDO_MRG32K3A: return in_lanes<curandStateMRG32k3a_t>(g, make, n, output);
    default: return in_lanes<curandStateXORWOW_t>(g, make, n, output);
  }
}
curandStatus_t create(curandGenerator_t* generator, curandRngType_t type, bool on_host) {
  if (generator == nullptr) return CURAND_STATUS_NOT_INITIALIZED;
  *generator = nullptr;
  if (type == CURAND_RNG_PSEUDO_DEFAULT) type = CURAND_RNG_PSEUDO_XORWOW;
  if (type != CURAND_RNG_PSEUDO_XORWOW && type != CURAND_RNG_PSEUDO_MRG32K3A &&
      type != CURAND_RNG_PSEUDO_PHILOX4_32_10)
    return CURAND_STATUS_TYPE_ERROR;
  *generator = new (std::nothrow) curandGenerator_st{type, on_host};
  return *generator == nullptr ? CURAND_STATUS_ALLOCATION_FAILED : CURAND_STATUS_SUCCESS;
}
/// The next call sets the states up again.
curandStatus_t restart(curandGenerator_t g) {
  g->next = 0;
  g->host_states.clear();
  void* states = g->states;
  g->states = nullptr;
  return cudaFree(states) == cudaSuccess ? CURAND_STATUS_SUCCESS : CURAND_STATUS_PREEXISTING_FAILURE;
}

}  // namespace

extern "C" {

curandStatus_t curandCreateGenerator(curandGenerator_t* generator, curandRngType_t type) {
  return create(generator, type, false);
}
curandStatus_t curandCreateGeneratorHost(curandGenerator_t* generator, curandRngType_t type) {
  return create(generator, type, true);
}
curandStatus_t curandDestroyGenerator(curandGenerator_t g) {
  if (g == nullptr) return CURAND_STATUS_NOT_INITIALIZED;
  const curandStatus_t status = restart(g);
  delete g;
  return status;
}
curandStatus_t curandGetVersion(int* version) {
  if (version == nullptr) return CURAND_STATUS_OUT_OF_RANGE;
  *version = CURAND_VERSION;
  return CURAND_STATUS_SUCCESS;
}
curandStatus_t curandGetProperty(libraryPropertyType type, int* value) {
  if (value == nullptr || type < MAJOR_VERSION || type > PATCH_LEVEL) return CURAND_STATUS_OUT_OF_RANGE;
  const int parts[] = {CURAND_VER_MAJOR, CURAND_VER_MINOR, CURAND_VER_PATCH};
  *value = parts[type];
  return CURAND_STATUS_SUCCESS;
}
curandStatus_t curandSetStream(curandGenerator_t g, cudaStream_t stream) {
  if (g == nullptr) return CURAND_STATUS_NOT_INITIALIZED;
  // The states follow the generator into the new stream.
  if (g->states != nullptr && stream != g->stream && cudaStreamSynchronize(g->stream) != cudaSuccess)
    return CURAND_STATUS_PREEXISTING_FAILURE;
  g->stream = stream;
  return CURAND_STATUS_SUCCESS;
}
curandStatus_t curandSetPseudoRandomGeneratorSeed(curandGenerator_t g, unsigned long long seed) {
  if (g == nullptr) return CURAND_STATUS_NOT_INITIALIZED;
  g->seed = seed;
  return restart(g);
}
curandStatus_t curandSetGeneratorOffset(curandGenerator_t g, unsigned long long offset) {
  if (g == nullptr) return CURAND_STATUS_NOT_INITIALIZED;
  g->offset = offset;
  return restart(g);
}
// One ordering serves all: the guide lets the others be any.
curandStatus_t curandSetGeneratorOrdering(curandGenerator_t g, curandOrdering_t order) {
  if (g == nullptr) return CURAND_STATUS_NOT_INITIALIZED;
  return order >= CURAND_ORDERING_PSEUDO_BEST && order <= CURAND_ORDERING_PSEUDO_DYNAMIC
             ? CURAND_STATUS_SUCCESS
             : CURAND_STATUS_OUT_OF_RANGE;
}
curandStatus_t curandSetQuasiRandomGeneratorDimensions(curandGenerator_t g, unsigned int) {
  return g == nullptr ? CURAND_STATUS_NOT_INITIALIZED : CURAND_STATUS_TYPE_ERROR;
}
curandStatus_t curandGenerateSeeds(curandGenerator_t g) {
  return g == nullptr ? CURAND_STATUS_NOT_INITIALIZED : CURAND_STATUS_SUCCESS;
}

curandStatus_t curandGenerate(curandGenerator_t g, unsigned int* output, size_t n) {
  return generate(g, Bits{}, n, output);
}
// The guide has it for 64-bit quasirandom generators alone.
curandStatus_t curandGenerateLongLong(curandGenerator_t g, unsigned long long*, size_t) {
  return g == nullptr ? CURAND_STATUS_NOT_INITIALIZED : CURAND_STATUS_TYPE_ERROR;
}
curandStatus_t curandGenerateUniform(curandGenerator_t g, float* output, size_t n) {
  return generate(g, Uniform{}, n, output);
}
curandStatus_t curandGenerateUniformDouble(curandGenerator_t g, double* output, size_t n) {
  return generate(g, UniformDouble{}, n, output);
}
curandStatus_t curandGenerateNormal(curandGenerator_t g, float* output, size_t n, float mean, float stddev) {
  return generate(g, Normal<float, false>{mean, stddev}, n, output);
}
curandStatus_t curandGenerateNormalDouble(curandGenerator_t g, double* output, size_t n, double mean,
                                          double stddev) {
  return generate(g, Normal<double, false>{mean, stddev}, n, output);
}
curandStatus_t curandGenerateLogNormal(curandGenerator_t g, float* output, size_t n, float mean,
                                       float stddev) {
  return generate(g, Normal<float, true>{mean, stddev}, n, output);
}
curandStatus_t curandGenerateLogNormalDouble(curandGenerator_t g, double* output, size_t n, double mean,
                                             double stddev) {
  return generate(g, Normal<double, true>{mean, stddev}, n, output);
}
curandStatus_t curandGeneratePoisson(curandGenerator_t g, unsigned int* output, size_t n, double lambda) {
  if (!(lambda > 0)) return CURAND_STATUS_OUT_OF_RANGE;
  return generate(g, Poisson{lambda}, n, output);
}

}  // extern "C"
