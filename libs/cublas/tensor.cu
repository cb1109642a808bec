// Which kernel multiplies: by what the chip has, and the tiles that the shape makes.
#include "tensor.h"

#include <mutex>
#include <vector>

namespace {

const Abilities& abilities() {
  static std::mutex mutex;
  static std::vector<Abilities> known;
  const std::lock_guard lock(mutex);
  int device = 0;
  cudaGetDevice(&device);
  if (static_cast<int>(known.size()) <= device) known.resize(device + 1);
  Abilities& a = known[device];
  if (a.units == 0) {
    cudaDeviceGetAttribute(&a.major, cudaDevAttrComputeCapabilityMajor, device);
    cudaDeviceGetAttribute(&a.units, cudaDevAttrMultiProcessorCount, device);
    cudaDeviceGetAttribute(&a.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  }
  return a;
}

/// What can be read 16 bytes at a time.
bool aligned(const Operand& operand, const TensorProduct& p) {
  const long long bytes = p.element_bytes();
  return reinterpret_cast<unsigned long long>(operand.at) % 16 == 0 && operand.ld * bytes % 16 == 0 &&
         (p.count == 1 || operand.stride * bytes % 16 == 0);
}

/// The tile that is through first, taking all to go at its share of the peak, and how long it takes; none:
/// -1.
int best(const TensorProduct& p, const Abilities& chip, const TileChoice* tiles, int count, double& cost) {
  int found = -1;
  for (int i = 0; i < count; ++i) {
    const TileChoice& t = tiles[i];
    if (t.shared_bytes > chip.shared_bytes) continue;
    const long long each = 1ll * ctas(p.rows, t.rows) * ctas(p.columns, t.columns) * p.count;
    const long long slots = 1ll * chip.units * t.ctas_per_unit, waves = (each + slots - 1) / slots;
    const double area = static_cast<double>(t.rows) * t.columns * t.ctas_per_unit;
    const double time = static_cast<double>(waves) * area / t.share_of_peak;
    if (found < 0 || time < cost) found = i, cost = time;
  }
  return found;
}

}  // namespace

Refused multiply_by_tensor(const TensorProduct& p, cublasStatus_t& status) {
  const Abilities& chip = abilities();
  if (chip.major < 8 || !aligned(p.left, p) || !aligned(p.right, p)) return Refused::yes;
  int count = 0;
  double group_cost = 0, warp_cost = 0;
  if (chip.major == 9) {
    const TileChoice* const tiles = group_tiles(p, count);
    if (const int tile = best(p, chip, tiles, count, group_cost); tile >= 0) {
      status = launch_group(p, tile);
      return Refused::no;
    }
  }
  const TileChoice* const tiles = warp_tiles(p, count);
  const int tile = best(p, chip, tiles, count, warp_cost);
  if (tile < 0) return Refused::yes;
  status = launch_warp(p, tile);
  return Refused::no;
}
