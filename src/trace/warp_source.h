#pragma once
// Contract 3: timing pulls. One WarpSource is one live grid; the engine implements it.

#include <cstdint>
#include <span>

#include "simt/shape.h"
#include "simt/warp_context.h"
#include "support/units.h"

namespace wanren::trace {

/// What device code may see of time: the answers to clock and globaltimer reads.
struct Moment {
  std::uint64_t unit_cycles = 0;  ///< %clock64 of the compute unit
  std::uint64_t nanoseconds = 0;  ///< %globaltimer
};

struct Chunk {
  std::span<const std::uint64_t> words;  ///< Valid until the next call for the same warp.
  enum class End : std::uint8_t {
    more,     ///< Ask again at once when consumed.
    coupled,  ///< Ask again when everything in it has issued: the answer may depend on time.
    exited,   ///< The warp's last chunk.
  } end = End::exited;
  /// coupled by nanosleep: do not ask again before this many nanoseconds have passed.
  std::uint64_t sleep_ns = 0;
};

using CtaHandle = std::uint32_t;

/// CTAs of a grid, x fastest: from `begin` up to before `end`.
struct CtaRange {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t count() const { return end - begin; }
};

/// Where a CTA stands: in which cluster of the grid, and its rank there.
struct ClusterPlace {
  std::uint64_t cluster = 0;
  std::uint32_t rank = 0;
};

class WarpSource {
 public:
  virtual ~WarpSource() = default;
  virtual const simt::Kernel& kernel() const = 0;
  /// The patterns that this grid's records refer to.
  virtual std::span<const simt::LanePattern> patterns() const = 0;
  virtual std::uint64_t ctas() const = 0;
  /// CTAs of a cluster become resident together, at the same time. `rank` counts in the cluster.
  virtual std::uint32_t ctas_per_cluster() const = 0;
  virtual std::uint64_t cta_of(ClusterPlace place) const = 0;
  virtual ClusterPlace place_of(std::uint64_t cta) const = 0;
  virtual std::uint32_t warps_per_cta() const = 0;
  /// True: what a warp does next may depend on what other CTAs have done. next() is then called from one
  /// thread, in order of modelled time. False: calls for different CTAs may come from different threads
  /// at once.
  virtual bool ordered() const = 0;
  /// Makes CTA `linear` (x fastest) resident on compute unit `unit` (%smid).
  virtual CtaHandle begin_cta(std::uint64_t linear, std::uint32_t unit) = 0;
  /// Runs the CTA as far as needed and returns the warp's next chunk. A warp is asked again after a
  /// barrier record only once that barrier has opened. Never returns an empty chunk unless exited,
  /// failed() or coupled.
  virtual Chunk next(CtaHandle cta, std::uint32_t warp, Moment now) = 0;
  /// Called once every warp has exited.
  virtual void end_cta(CtaHandle cta) = 0;
  /// Whether CTAs may run out of their place in time: what they do depends neither on time nor on each other.
  virtual bool skippable() const { return false; }
  /// Runs CTAs that have not begun, and whole, without traces; they count as ended. Adds what they ran to
  /// `done`, by block. False: it cannot, and none has run.
  virtual bool run_untraced(std::span<const CtaRange> ctas, std::span<simt::BlockCount> done) {
    (void)ctas, (void)done;
    return false;
  }
  /// The grid met a fault: chunks end with `exited`, start no more CTAs.
  virtual bool failed() const = 0;
};

}  // namespace wanren::trace
