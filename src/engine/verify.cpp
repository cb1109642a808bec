#include "engine/verify.h"

#include <fmt/format.h>

#include <mutex>
#include <vector>

#include "support/settings.h"
#include "trace/replay.h"

namespace wanren::engine {
namespace {

class Watched final : public TraceSource {
 public:
  Watched(std::unique_ptr<TraceSource> source, std::string name)
      : source_(std::move(source)),
        name_(std::move(name)),
        replay_(source_->kernel(), source_->patterns()),
        counts_(source_->kernel().blocks.size()) {}

  const simt::Kernel& kernel() const override { return source_->kernel(); }
  std::span<const simt::LanePattern> patterns() const override { return source_->patterns(); }
  std::uint64_t ctas() const override { return source_->ctas(); }
  std::uint32_t warps_per_cta() const override { return source_->warps_per_cta(); }
  std::uint32_t ctas_per_cluster() const override { return source_->ctas_per_cluster(); }
  std::uint64_t cta_of(trace::ClusterPlace place) const override { return source_->cta_of(place); }
  trace::ClusterPlace place_of(std::uint64_t cta) const override { return source_->place_of(cta); }
  bool ordered() const override { return source_->ordered(); }
  bool failed() const override { return source_->failed(); }

  trace::CtaHandle begin_cta(std::uint64_t linear, std::uint32_t unit) override {
    const trace::CtaHandle handle = source_->begin_cta(linear, unit);
    std::lock_guard lock(lock_);
    if (handle >= ctas_.size()) ctas_.resize(handle + 1);
    ctas_[handle] = std::make_unique<Cta>();
    ctas_[handle]->linear = linear;
    ctas_[handle]->warps.resize(warps_per_cta());
    return handle;
  }

  trace::Chunk next(trace::CtaHandle handle, std::uint32_t warp, trace::Moment now) override {
    const trace::Chunk chunk = source_->next(handle, warp, now);
    if (failed()) return chunk;
    Cta& cta = cta_of(handle);
    const bool exited = chunk.end == trace::Chunk::End::exited;
    const std::string broken = replay_.run(cta.warps[warp], chunk.words, exited, cta.counts);
    if (!broken.empty())
      verified("trace", fmt::format("{}, CTA {}, warp {}", name_, cta.linear, warp), broken);
    return chunk;
  }

  void end_cta(trace::CtaHandle handle) override {
    const Cta& cta = cta_of(handle);
    {
      std::lock_guard lock(lock_);
      for (std::size_t b = 0; b < cta.counts.size(); ++b) {
        counts_[b].warps += cta.counts[b].warps;
        counts_[b].threads += cta.counts[b].threads;
      }
      ++ended_;
    }
    source_->end_cta(handle);
  }

  bool skippable() const override { return source_->skippable(); }
  bool run_untraced(std::span<const trace::CtaRange> ctas, std::span<simt::BlockCount> done) override {
    std::vector<simt::BlockCount> ran(counts_.size());
    if (!source_->run_untraced(ctas, ran)) return false;
    std::lock_guard lock(lock_);
    for (std::size_t b = 0; b < ran.size(); ++b) {
      counts_[b].warps += ran[b].warps, counts_[b].threads += ran[b].threads;
      done[b].warps += ran[b].warps, done[b].threads += ran[b].threads;
    }
    for (const trace::CtaRange range : ctas) ended_ += range.count();
    return true;
  }

  Execution execution() const override {
    Execution done = source_->execution();
    std::lock_guard lock(lock_);
    if (ended_ == ctas() && !failed())
      verified("trace", name_, trace::compare_counts(kernel(), counts_, done.counts));
    return done;
  }

 private:
  struct Cta {
    std::uint64_t linear = 0;
    std::vector<trace::ReplayedWarp> warps;
    std::vector<simt::BlockCount> counts;
  };
  Cta& cta_of(trace::CtaHandle handle) {
    std::lock_guard lock(lock_);
    return *ctas_[handle];
  }

  std::unique_ptr<TraceSource> source_;
  std::string name_;
  trace::Replay replay_;
  mutable std::mutex lock_;
  std::vector<std::unique_ptr<Cta>> ctas_;
  std::vector<simt::BlockCount> counts_;
  std::uint64_t ended_ = 0;
};

}  // namespace

std::unique_ptr<TraceSource> watched(std::unique_ptr<TraceSource> source, const std::string& kernel) {
  if (!verifying()) return source;
  return std::make_unique<Watched>(std::move(source), kernel);
}

}  // namespace wanren::engine
