#include <algorithm>

#include "lower/program.h"

namespace wanren::lower {

Occupancy occupancy(const chip::Spec& chip, std::uint32_t registers_per_thread, std::uint32_t threads_per_cta,
                    std::uint32_t shared_bytes_per_cta) {
  Occupancy result;
  const auto round_up = [](std::int64_t value, std::int64_t step) {
    return (value + step - 1) / step * step;
  };
  const auto& s = chip.subcore;
  const auto& u = chip.unit;
  const std::int64_t subcores = chip.package.subcores_per_unit;
  const std::int64_t warps = (threads_per_cta + warp_size - 1) / warp_size;
  result.limited_by = "warps";
  if (warps == 0 || threads_per_cta > u.max_threads_per_cta) return result;

  // Warps go to sub-cores in turn, so registers limit warps per sub-core.
  const std::int64_t per_warp =
      round_up(std::max<std::int64_t>(registers_per_thread, 1) * warp_size, s.register_granularity);
  const std::int64_t by_file =
      registers_per_thread > s.max_registers_per_thread + s.register_granularity / warp_size
          ? 0
          : s.register_bytes / 4 / per_warp;
  const std::int64_t by_registers = std::min(by_file, s.warps) * subcores / warps;
  const std::int64_t by_warps = std::min(s.warps * subcores, u.max_threads / warp_size) / warps;
  const std::int64_t by_ctas = u.max_ctas;
  std::int64_t by_shared = by_ctas;
  const std::int64_t need = round_up(shared_bytes_per_cta + u.shared_reserved, u.shared_granularity);
  if (shared_bytes_per_cta > u.shared_optin)
    by_shared = 0;
  else if (need > 0)
    by_shared = u.shared_bytes / need;

  const std::int64_t ctas = std::min({by_warps, by_ctas, by_registers, by_shared});
  if (ctas == by_registers && by_registers < by_warps)
    result.limited_by = "registers";
  else if (ctas == by_shared && by_shared < by_warps && by_shared < by_ctas)
    result.limited_by = "shared memory";
  else if (ctas == by_warps)
    result.limited_by = "warps";
  else
    result.limited_by = "CTAs";
  result.ctas_per_unit = static_cast<int>(ctas);
  result.warps_per_unit = static_cast<int>(ctas * warps);
  result.share = static_cast<double>(ctas * warps) / static_cast<double>(s.warps * subcores);
  return result;
}

std::uint32_t registers_that_fit(const chip::Spec& chip, std::uint64_t threads_per_cta, std::uint64_t ctas) {
  const auto& s = chip.subcore;
  const std::uint64_t warps = (threads_per_cta + warp_size - 1) / warp_size * ctas;
  const auto subcores = static_cast<std::uint64_t>(chip.package.subcores_per_unit);
  const std::uint64_t per_subcore = std::max<std::uint64_t>(1, (warps + subcores - 1) / subcores);
  const auto granularity = static_cast<std::uint64_t>(s.register_granularity);
  const std::uint64_t per_warp =
      static_cast<std::uint64_t>(s.register_bytes) / 4 / per_subcore / granularity * granularity;
  return static_cast<std::uint32_t>(per_warp / warp_size);
}

}  // namespace wanren::lower
