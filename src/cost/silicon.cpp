#include "cost/silicon.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace wanren::cost {

Silicon silicon(const chip::Spec& chip) {
  Silicon s;
  const double diameter_mm = 2 * std::sqrt(chip.cost.wafer_area / std::numbers::pi);
  s.dies_per_wafer =
      std::max(1.0, std::floor(chip.cost.wafer_area / chip.cost.die_area -
                               std::numbers::pi * diameter_mm / std::sqrt(2 * chip.cost.die_area)));
  const double defects = chip.cost.die_area / 100 * chip.cost.defect_density;  // mm2 over cm2
  s.yield = std::pow(1 + defects / chip.cost.defect_clustering, -chip.cost.defect_clustering);
  s.die_usd = chip.cost.wafer_price / (s.dies_per_wafer * s.yield);
  s.package_usd = s.die_usd * static_cast<double>(chip.package.dies);
  return s;
}

}  // namespace wanren::cost
