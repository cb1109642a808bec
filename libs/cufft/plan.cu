// Plans: handles, factors, tables of roots, layouts.
#include "plan.h"

#include <cmath>
#include <map>
#include <memory>
#include <mutex>

namespace {

std::mutex mutex;
std::map<cufftHandle, std::unique_ptr<Plan>> plans;
cufftHandle next_handle = 1;

bool is_single(cufftType type) {
  return type == CUFFT_C2C || type == CUFFT_R2C || type == CUFFT_C2R;
}
bool is_known(cufftType type) {
  return is_single(type) || type == CUFFT_Z2Z || type == CUFFT_D2Z || type == CUFFT_Z2D;
}

/// The radices of a line, large powers of two first; empty with `fits` false where a prime is too large.
std::vector<int> radices(long long n, bool& fits) {
  std::vector<int> out;
  for (const int radix : {8, 4, 2, 3, 5, 7})
    while (n % radix == 0) out.push_back(radix), n /= radix;
  for (long long p = 11; n > 1; p += 2) {
    if (p * p > n) p = n;
    while (n % p == 0) out.push_back(static_cast<int>(p)), n /= p;
    if (!out.empty() && out.back() > 65535) fits = false;
  }
  return out;
}

template <typename T>
cufftResult upload_roots(long long n, void** to) {
  struct Root {
    T x, y;
  };
  const auto root = [n](long long k) {
    const double angle = -2 * M_PI * static_cast<double>(k) / static_cast<double>(n);
    return Root{static_cast<T>(std::cos(angle)), static_cast<T>(std::sin(angle))};
  };
  std::vector<Root> table;
  if (n <= whole_table) {
    for (long long k = 0; k < n; ++k) table.push_back(root(k));
  } else {
    for (long long k = 0; k < coarse; ++k) table.push_back(root(k));
    for (long long k = 0; k < n; k += coarse) table.push_back(root(k));
  }
  if (cudaMalloc(to, table.size() * sizeof(Root)) != cudaSuccess) return CUFFT_ALLOC_FAILED;
  return cudaMemcpy(*to, table.data(), table.size() * sizeof(Root), cudaMemcpyHostToDevice) == cudaSuccess
             ? CUFFT_SUCCESS
             : CUFFT_SETUP_FAILED;
}

void release(Plan& plan) {
  for (void*& roots : plan.roots) cudaFree(roots), roots = nullptr;
  if (plan.owns_work) cudaFree(plan.work);
  plan.work = nullptr;
  plan.owns_work = false;
}

std::size_t work_bytes(cufftType type, long long elements) {
  return 2 * elements * (is_single(type) ? sizeof(cufftComplex) : sizeof(cufftDoubleComplex));
}

cufftResult make(cufftHandle handle, int rank, const long long* n, const long long* inembed,
                 long long istride, long long idist, const long long* onembed, long long ostride,
                 long long odist, cufftType type, long long batch, std::size_t* work_size) {
  Plan* const plan = find_plan(handle);
  if (plan == nullptr || plan->made) return CUFFT_INVALID_PLAN;
  if (rank < 1 || rank > 3 || n == nullptr || work_size == nullptr) return CUFFT_INVALID_VALUE;
  if (!is_known(type)) return CUFFT_INVALID_TYPE;
  if (batch < 1) return CUFFT_INVALID_SIZE;
  plan->type = type;
  plan->single = is_single(type);
  plan->rank = rank;
  plan->batch = batch;
  plan->plain = inembed == nullptr || onembed == nullptr;
  for (int d = 0; d < rank; ++d) {
    if (n[d] < 1 || n[d] > 1ll << 31) return CUFFT_INVALID_SIZE;
    plan->n[3 - rank + d] = n[d];
  }
  if (!plan->plain) {
    plan->in = {{1, 1, 1}, istride, idist};
    plan->out = {{1, 1, 1}, ostride, odist};
    for (int d = 0; d < rank; ++d) {
      plan->in.embed[3 - rank + d] = inembed[d];
      plan->out.embed[3 - rank + d] = onembed[d];
    }
  }
  // The dimension whose lines are contiguous first.
  for (int d = 2; d >= 0; --d) {
    bool fits = true;
    long long done = 1;
    for (const int radix : radices(plan->n[d], fits)) {
      plan->passes.push_back({d, radix, done});
      done *= radix;
    }
    if (!fits) return CUFFT_NOT_SUPPORTED;
    if (plan->n[d] == 1) continue;
    const cufftResult status = plan->single ? upload_roots<float>(plan->n[d], &plan->roots[d])
                                            : upload_roots<double>(plan->n[d], &plan->roots[d]);
    if (status != CUFFT_SUCCESS) return status;
  }
  plan->work_bytes = *work_size = work_bytes(type, plan->elements());
  if (plan->automatic) {
    if (cudaMalloc(&plan->work, plan->work_bytes) != cudaSuccess) return CUFFT_ALLOC_FAILED;
    plan->owns_work = true;
  }
  plan->made = true;
  return CUFFT_SUCCESS;
}

cufftResult create_and_make(cufftHandle* handle, int rank, const long long* n, const long long* inembed,
                            long long istride, long long idist, const long long* onembed, long long ostride,
                            long long odist, cufftType type, long long batch) {
  cufftResult status = cufftCreate(handle);
  if (status != CUFFT_SUCCESS) return status;
  std::size_t size = 0;
  status = make(*handle, rank, n, inembed, istride, idist, onembed, ostride, odist, type, batch, &size);
  if (status != CUFFT_SUCCESS) {
    cufftDestroy(*handle);
    *handle = 0;
  }
  return status;
}

/// int arrays of `rank` as long long, null staying null.
struct Wide {
  long long values[3] = {1, 1, 1};
  bool given;
  Wide(int rank, const int* from) : given(from != nullptr) {
    if (given)
      for (int d = 0; d < rank && d < 3; ++d) values[d] = from[d];
  }
  operator const long long*() const { return given ? values : nullptr; }
};

}  // namespace

Plan* find_plan(cufftHandle handle) {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = plans.find(handle);
  return found == plans.end() ? nullptr : found->second.get();
}

extern "C" {

cufftResult cufftCreate(cufftHandle* handle) {
  if (handle == nullptr) return CUFFT_INVALID_VALUE;
  const std::lock_guard<std::mutex> lock(mutex);
  *handle = next_handle++;
  plans[*handle] = std::make_unique<Plan>();
  return CUFFT_SUCCESS;
}
cufftResult cufftDestroy(cufftHandle handle) {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = plans.find(handle);
  if (found == plans.end()) return CUFFT_INVALID_PLAN;
  release(*found->second);
  plans.erase(found);
  return CUFFT_SUCCESS;
}

cufftResult cufftMakePlanMany64(cufftHandle plan, int rank, long long* n, long long* inembed,
                                long long istride, long long idist, long long* onembed, long long ostride,
                                long long odist, cufftType type, long long batch, size_t* workSize) {
  return make(plan, rank, n, inembed, istride, idist, onembed, ostride, odist, type, batch, workSize);
}
cufftResult cufftMakePlanMany(cufftHandle plan, int rank, int* n, int* inembed, int istride, int idist,
                              int* onembed, int ostride, int odist, cufftType type, int batch,
                              size_t* workSize) {
  return make(plan, rank, Wide(rank, n), Wide(rank, inembed), istride, idist, Wide(rank, onembed), ostride,
              odist, type, batch, workSize);
}
cufftResult cufftMakePlan1d(cufftHandle plan, int nx, cufftType type, int batch, size_t* workSize) {
  const long long n[] = {nx};
  return make(plan, 1, n, nullptr, 1, 0, nullptr, 1, 0, type, batch, workSize);
}
cufftResult cufftMakePlan2d(cufftHandle plan, int nx, int ny, cufftType type, size_t* workSize) {
  const long long n[] = {nx, ny};
  return make(plan, 2, n, nullptr, 1, 0, nullptr, 1, 0, type, 1, workSize);
}
cufftResult cufftMakePlan3d(cufftHandle plan, int nx, int ny, int nz, cufftType type, size_t* workSize) {
  const long long n[] = {nx, ny, nz};
  return make(plan, 3, n, nullptr, 1, 0, nullptr, 1, 0, type, 1, workSize);
}
cufftResult cufftPlanMany(cufftHandle* plan, int rank, int* n, int* inembed, int istride, int idist,
                          int* onembed, int ostride, int odist, cufftType type, int batch) {
  return create_and_make(plan, rank, Wide(rank, n), Wide(rank, inembed), istride, idist, Wide(rank, onembed),
                         ostride, odist, type, batch);
}
cufftResult cufftPlan1d(cufftHandle* plan, int nx, cufftType type, int batch) {
  const long long n[] = {nx};
  return create_and_make(plan, 1, n, nullptr, 1, 0, nullptr, 1, 0, type, batch);
}
cufftResult cufftPlan2d(cufftHandle* plan, int nx, int ny, cufftType type) {
  const long long n[] = {nx, ny};
  return create_and_make(plan, 2, n, nullptr, 1, 0, nullptr, 1, 0, type, 1);
}
cufftResult cufftPlan3d(cufftHandle* plan, int nx, int ny, int nz, cufftType type) {
  const long long n[] = {nx, ny, nz};
  return create_and_make(plan, 3, n, nullptr, 1, 0, nullptr, 1, 0, type, 1);
}

cufftResult cufftEstimateMany(int rank, int* n, int*, int, int, int*, int, int, cufftType type, int batch,
                              size_t* workSize) {
  if (rank < 1 || rank > 3 || n == nullptr || workSize == nullptr) return CUFFT_INVALID_VALUE;
  if (!is_known(type)) return CUFFT_INVALID_TYPE;
  long long elements = batch;
  for (int d = 0; d < rank; ++d) elements *= n[d];
  if (elements < 1) return CUFFT_INVALID_SIZE;
  *workSize = work_bytes(type, elements);
  return CUFFT_SUCCESS;
}
cufftResult cufftEstimate1d(int nx, cufftType type, int batch, size_t* workSize) {
  return cufftEstimateMany(1, &nx, nullptr, 1, 0, nullptr, 1, 0, type, batch, workSize);
}
cufftResult cufftEstimate2d(int nx, int ny, cufftType type, size_t* workSize) {
  int n[] = {nx, ny};
  return cufftEstimateMany(2, n, nullptr, 1, 0, nullptr, 1, 0, type, 1, workSize);
}
cufftResult cufftEstimate3d(int nx, int ny, int nz, cufftType type, size_t* workSize) {
  int n[] = {nx, ny, nz};
  return cufftEstimateMany(3, n, nullptr, 1, 0, nullptr, 1, 0, type, 1, workSize);
}
cufftResult cufftGetSize(cufftHandle handle, size_t* workSize) {
  const Plan* const plan = find_plan(handle);
  if (plan == nullptr || !plan->made) return CUFFT_INVALID_PLAN;
  if (workSize == nullptr) return CUFFT_INVALID_VALUE;
  *workSize = plan->work_bytes;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetWorkArea(cufftHandle handle, void* workArea) {
  Plan* const plan = find_plan(handle);
  if (plan == nullptr || !plan->made) return CUFFT_INVALID_PLAN;
  if (plan->owns_work) cudaFree(plan->work);
  plan->owns_work = false;
  plan->work = workArea;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetAutoAllocation(cufftHandle handle, int autoAllocate) {
  Plan* const plan = find_plan(handle);
  if (plan == nullptr) return CUFFT_INVALID_PLAN;
  plan->automatic = autoAllocate != 0;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetStream(cufftHandle handle, cudaStream_t stream) {
  Plan* const plan = find_plan(handle);
  if (plan == nullptr) return CUFFT_INVALID_PLAN;
  plan->stream = stream;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetCompatibilityMode(cufftHandle handle, cufftCompatibility mode) {
  if (find_plan(handle) == nullptr) return CUFFT_INVALID_PLAN;
  return mode == CUFFT_COMPATIBILITY_DEFAULT ? CUFFT_SUCCESS : CUFFT_NOT_SUPPORTED;
}
cufftResult cufftGetVersion(int* version) {
  if (version == nullptr) return CUFFT_INVALID_VALUE;
  *version = CUFFT_VERSION;
  return CUFFT_SUCCESS;
}
cufftResult cufftGetProperty(libraryPropertyType type, int* value) {
  if (value == nullptr || type < MAJOR_VERSION || type > PATCH_LEVEL) return CUFFT_INVALID_VALUE;
  const int parts[] = {CUFFT_VER_MAJOR, CUFFT_VER_MINOR, CUFFT_VER_PATCH};
  *value = parts[type];
  return CUFFT_SUCCESS;
}

}  // extern "C"
