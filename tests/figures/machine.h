#pragma once
// PTX kernels on small chips, from text to joules: what each figure of a chip file changes.

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../chip/any_chip.h"
#include "energy/energy.h"
#include "engine/source.h"
#include "interp/interp.h"
#include "lower/program.h"
#include "ptx/module.h"
#include "simt/kernel.h"
#include "support/result.h"
#include "timing/device.h"

namespace wanren::figures {

class Interpreted final : public engine::KernelCode {
 public:
  explicit Interpreted(const simt::Kernel& kernel) : stack_bytes_(interp::stack_bytes(kernel)) {}
  simt::WarpEntry entry() const override { return interp::run_warp; }
  std::span<const simt::LanePattern> patterns() const override { return interp::patterns(); }
  std::size_t stack_bytes() const override { return stack_bytes_; }
  bool locate(std::uintptr_t, simt::BlockId&, std::uint32_t&) const override { return false; }
  double compile_seconds() const override { return 0; }

 private:
  std::size_t stack_bytes_;
};

/// What each warp of a grid does, recorded once: no figure of a chip changes it.
struct Recording {
  std::vector<simt::LanePattern> patterns;
  std::vector<std::vector<std::vector<std::vector<std::uint64_t>>>> chunks;  ///< [CTA][warp][chunk]
};

class Replay final : public trace::WarpSource {
 public:
  /// `polls`: times that a warp has nothing to run yet before each chunk.
  Replay(const simt::Kernel& kernel, const Recording& recording, int polls)
      : kernel_(kernel), recording_(recording), polls_(polls) {}
  const simt::Kernel& kernel() const override { return kernel_; }
  std::span<const simt::LanePattern> patterns() const override { return recording_.patterns; }
  std::uint64_t ctas() const override { return recording_.chunks.size(); }
  std::uint32_t warps_per_cta() const override {
    return static_cast<std::uint32_t>(recording_.chunks[0].size());
  }
  std::uint32_t ctas_per_cluster() const override { return 1; }
  std::uint64_t cta_of(trace::ClusterPlace place) const override { return place.cluster; }
  trace::ClusterPlace place_of(std::uint64_t cta) const override { return {cta, 0}; }
  bool ordered() const override { return false; }
  trace::CtaHandle begin_cta(std::uint64_t linear, std::uint32_t) override {
    at_.push_back(
        {linear, std::vector<std::size_t>(warps_per_cta()), std::vector<int>(warps_per_cta(), polls_)});
    return static_cast<trace::CtaHandle>(at_.size() - 1);
  }
  trace::Chunk next(trace::CtaHandle cta, std::uint32_t warp, trace::Moment) override {
    auto& [linear, position, left] = at_[cta];
    if (left[warp] > 0) {
      --left[warp];
      return {{}, trace::Chunk::End::coupled};
    }
    left[warp] = polls_;
    const auto& chunks = recording_.chunks[linear][warp];
    trace::Chunk chunk;
    if (position[warp] < chunks.size()) chunk.words = chunks[position[warp]++];
    chunk.end = position[warp] >= chunks.size() ? trace::Chunk::End::exited : trace::Chunk::End::more;
    return chunk;
  }
  void end_cta(trace::CtaHandle) override {}
  bool failed() const override { return false; }

 private:
  const simt::Kernel& kernel_;
  const Recording& recording_;
  int polls_;
  struct Cta {
    std::uint64_t linear;
    std::vector<std::size_t> position;
    std::vector<int> polls;
  };
  std::vector<Cta> at_;
};

/// kernel k(u64 p, u64 q): two buffers of 8 MiB.
struct Case {
  std::string name;
  std::shared_ptr<const simt::Kernel> kernel;
  std::uint32_t ctas, threads;
  Recording recording;
  int polls = 0;
};

inline Recording record(const std::shared_ptr<const simt::Kernel>& kernel, std::uint32_t ctas,
                        std::uint32_t threads) {
  const auto arena = *engine::Arena::create({std::uint64_t{1} << 30, std::uint64_t{8} << 30});
  engine::Launch launch;
  launch.kernel = kernel;
  launch.code = std::make_shared<Interpreted>(*kernel);
  launch.name = "k";
  launch.grid = {ctas, 1, 1};
  launch.block = {threads, 1, 1};
  launch.parameters.resize(kernel->parameter_bytes);
  for (int i = 0; i < 2; ++i) {
    void* buffer = *arena->allocate(8 << 20);
    std::memcpy(launch.parameters.data() + 8 * i, &buffer, 8);
  }
  const auto source = *engine::trace_source(launch, *arena);
  Recording all;
  all.patterns.assign(source->patterns().begin(), source->patterns().end());
  for (std::uint64_t linear = 0; linear < ctas; ++linear) {
    const trace::CtaHandle cta = source->begin_cta(linear, 0);
    auto& warps = all.chunks.emplace_back(source->warps_per_cta());
    for (std::uint32_t w = 0; w < warps.size(); ++w)
      for (trace::Chunk chunk;;) {
        chunk = source->next(cta, w, {});
        warps[w].emplace_back(chunk.words.begin(), chunk.words.end());
        if (chunk.end == trace::Chunk::End::exited) break;
      }
    source->end_cta(cta);
  }
  return all;
}

inline Case make_case(const std::string& name, const std::string& body, std::uint32_t ctas,
                      std::uint32_t threads, const std::string& directives = "") {
  const std::string text =
      ".version 8.0\n.target sm_80\n.address_size 64\n"
      ".extern .func (.param .b64 r) malloc(.param .b64 bytes);\n.visible .entry k(.param .u64 p, .param "
      ".u64 q)\n" +
      directives +
      "{\n.reg .pred %p<20>;\n.reg .b16 %h<20>;\n.reg .b32 %r<200>;\n.reg .f32 %f<200>;\n.reg .b64 "
      "%rd<100>;\n"
      ".reg .f64 %fd<40>;\n.shared .align 16 .b8 tile[8300];\n"
      "ld.param.u64 %rd1, [p];\nld.param.u64 %rd2, [q];\nmov.u32 %r1, %tid.x;\nmov.u32 %r2, %ctaid.x;\n"
      "mov.u32 %r3, %ntid.x;\nmad.lo.u32 %r4, %r2, %r3, %r1;\nmul.wide.u32 %rd3, %r4, 16;\nadd.u64 %rd4, "
      "%rd1, "
      "%rd3;\nadd.u64 %rd5, %rd2, %rd3;\n" +
      body + "\nret;\n}\n";
  const auto module = ptx::parse(text, name);
  if (!module) throw std::runtime_error(module.error().message());
  auto kernel = simt::build(*module, "k", name);
  if (!kernel) throw std::runtime_error(kernel.error().message());
  const auto shared = std::make_shared<const simt::Kernel>(std::move(*kernel));
  return {name, shared, ctas, threads, record(shared, ctas, threads)};
}

struct Outcome {
  double us = 0;      ///< The kernel.
  double all_us = 0;  ///< It and what comes behind it.
  timing::Timed timed;
  std::string all;  ///< Everything that depends on the chip.
  bool ran = false;
};

inline double joules(const chip::Spec& chip, const timing::Timed& timed) {
  return energy::estimate(chip, timed.phases).energy_j;
}

/// The kernel, `kernels` times in a row, a copy from pinned and one from pageable memory.
inline Outcome run(const chip::Spec& chip, const Case& c, int kernels = 1) {
  Outcome result;
  const Result<lower::MachineProgram> natural = lower::lower(*c.kernel, chip);
  if (!natural) return result;
  const std::uint32_t fit = lower::registers_that_fit(chip, c.threads);
  const Result<lower::MachineProgram> program =
      natural->registers_per_thread <= fit ? natural : lower::lower(*c.kernel, chip, fit);
  const lower::Occupancy occupancy =
      lower::occupancy(chip, program->registers_per_thread, c.threads, c.kernel->static_shared_bytes);
  if (occupancy.ctas_per_unit == 0) return result;
  const energy::Governor governor(chip);
  timing::Device device(chip, 1, &governor);
  timing::Work work;
  work.kernel.program = &*program;
  std::vector<std::unique_ptr<Replay>> sources;
  work.kernel.open = [&] {
    return sources.emplace_back(std::make_unique<Replay>(*c.kernel, c.recording, c.polls)).get();
  };
  work.kernel.occupancy = occupancy;
  work.kernel.dynamic_and_static_shared_bytes = c.kernel->static_shared_bytes;
  const timing::JobRef job = device.admit(work);
  timing::JobRef last = job;
  for (int i = 1; i < kernels; ++i) {
    work.after = {last};
    last = device.admit(work);
  }
  timing::Work copy;
  copy.copy.kind = timing::CopyKind::host_to_device;
  copy.copy.bytes = 1 << 20;
  copy.after = {last};
  const timing::JobRef copied = device.admit(copy);
  copy.copy.pageable = true;
  copy.after = {copied};
  const timing::JobRef paged = device.admit(copy);
  device.advance_all();
  result.timed = job->timed;
  result.us = static_cast<double>((result.timed.end - result.timed.begin).value) * 1e-6;
  result.all_us = static_cast<double>(paged->timed.end.value) * 1e-6;
  double all_joules = joules(chip, result.timed);
  std::string clocks;
  for (const timing::Phase& phase : result.timed.phases) clocks += std::to_string(phase.clock_mhz) + " ";
  for (const timing::JobRef& other : {copied, paged})
    all_joules +=
        energy::estimate(chip, other->timed.counters, other->timed.end - other->timed.begin, chip.clock.core)
            .pcie_j;
  char text[200];
  std::snprintf(text, sizeof text, "%lld %lld %.17g %.3f %u ", static_cast<long long>(result.timed.end.value),
                static_cast<long long>(paged->timed.end.value), all_joules,
                occupancy.ctas_per_unit + occupancy.share / 2, program->registers_per_thread);
  result.all = text + clocks;
  result.ran = true;
  return result;
}

}  // namespace wanren::figures
