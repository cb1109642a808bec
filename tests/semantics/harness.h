#pragma once
// Runs one warp of one kernel on memory of its own, and reads the case files of this folder.
//
// A case is a PTX module with one kernel (in pointer, out pointer) and lines in its head:
//   // in: TYPE v v v …     array k of these begins at byte 256 k of the in buffer; one value: all lanes have
//   it
//   // out: TYPE v v v …    the same for the out buffer, compared after the run
// TYPE is u8, u16, u32, u64, f32 or f64; values are integers or bit patterns (0x…), for f32 and f64 also
// decimal numbers. `x` among the out values is not compared. As many lanes run as the longest line
// has values.

#include <sys/mman.h>

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "interp/interp.h"
#include "ptx/module.h"
#include "simt/kernel.h"
#include "simt/warp_context.h"
#include "support/result.h"

namespace wanren::semantics {

struct Array {
  std::string type;
  std::vector<std::string> values;

  std::size_t bytes() const {
    return type == "u8" ? 1 : type == "u16" ? 2 : type == "u64" || type == "f64" ? 8 : 4;
  }
  std::uint64_t bits(std::size_t i) const {
    const std::string& text = values[values.size() == 1 ? 0 : i];
    if (text.starts_with("0x") || (type[0] != 'f')) {
      return text[0] == '-' ? static_cast<std::uint64_t>(std::strtoll(text.c_str(), nullptr, 0))
                            : std::strtoull(text.c_str(), nullptr, 0);
    }
    if (type == "f32") {
      const float x = std::strtof(text.c_str(), nullptr);
      std::uint32_t b;
      std::memcpy(&b, &x, 4);
      return b;
    }
    const double x = std::strtod(text.c_str(), nullptr);
    std::uint64_t b;
    std::memcpy(&b, &x, 8);
    return b;
  }
};

struct Case {
  std::string name, text;
  std::vector<Array> in, out;
  int lanes = 0;
};

inline Case read_case(const std::filesystem::path& path) {
  Case c;
  c.name = path.stem().string();
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    c.text += line + "\n";
    const bool in = line.starts_with("// in: "), out = line.starts_with("// out: ");
    if (!in && !out) continue;
    std::istringstream words(line.substr(in ? 7 : 8));
    Array a;
    words >> a.type;
    for (std::string v; words >> v;) a.values.push_back(v);
    c.lanes = std::max(c.lanes, static_cast<int>(a.values.size()));
    (in ? c.in : c.out).push_back(a);
  }
  return c;
}

inline std::vector<Case> read_cases(const std::filesystem::path& folder) {
  std::vector<Case> cases;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".ptx") cases.push_back(read_case(entry.path()));
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

/// The module's only kernel.
inline Result<simt::Kernel> build_kernel(const std::string& text, const std::string& name) {
  auto module = ptx::parse(text, name);
  if (!module) return std::unexpected(module.error());
  for (const ptx::Function& f : module->functions)
    if (f.is_kernel) return simt::build(*module, f.name, name);
  return fail(name, "no kernel in the module");
}

/// One warp with an arena, shared and local memory of its own; services that answer at once.
class SingleWarp {
 public:
  static constexpr std::uint64_t arena_bytes = std::uint64_t{32} << 30;
  static constexpr std::uint64_t heap_bytes = 64 << 20, window_bytes = 1 << 20;

  explicit SingleWarp(const simt::Kernel& kernel, int lanes = warp_size, Dim3 block = {})
      : kernel_(kernel), counts_(kernel.blocks.size()), globals_(kernel.globals.size()) {
    reserved_ = static_cast<std::uint8_t*>(
        mmap(nullptr, 2 * arena_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    WR_CHECK(reserved_ != MAP_FAILED);
    const auto base =
        (reinterpret_cast<std::uint64_t>(reserved_) + arena_bytes - 1) / arena_bytes * arena_bytes;
    const auto open = [&](std::uint64_t at, std::uint64_t bytes) {
      auto* p = reinterpret_cast<std::uint8_t*>(base + at);
      WR_CHECK(mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0);
      return p;
    };
    heap_ = open(1 << 21, heap_bytes);
    if (block == Dim3{}) block = {static_cast<std::uint32_t>(lanes), 1, 1};
    for (int l = 0; l < warp_size; ++l) {
      const auto t = static_cast<std::uint32_t>(l);
      tid_[l] = t % block.x;
      tid_[warp_size + l] = t / block.x % block.y;
      tid_[2 * warp_size + l] = t / block.x / block.y;
    }
    services_ = {suspend,   syscall, fault,          leave_begin,  leave_run,
                 leave_end, phases,  cluster_arrive, cluster_waits};
    ctx_ = {};
    ctx_.services = &services_;
    ctx_.parameters = heap_;
    used_ = 4096;  // the parameter buffer
    ctx_.global_addresses = globals_.data();
    for (int i = 0; i < 3; ++i) ctx_.nctaid[i] = ctx_.cluster_nctaid[i] = 1;
    ctx_.cluster_nctarank = 1;
    ctx_.ntid[0] = block.x;
    ctx_.ntid[1] = block.y;
    ctx_.ntid[2] = block.z;
    ctx_.nsmid = 1;
    ctx_.entry_mask = lanes == warp_size ? full_mask : (LaneMask{1} << lanes) - 1;
    ctx_.tid = tid_;
    ctx_.arena_base = base;
    ctx_.arena_mask = arena_bytes - 1;
    ctx_.shared_base = open(std::uint64_t{8} << 30, window_bytes);
    ctx_.local_base = open(std::uint64_t{16} << 30, window_bytes);
    ctx_.local_bytes = kernel.local_bytes;
    ctx_.total_shared_bytes = kernel.static_shared_bytes;
    ctx_.counts = counts_.data();
    ctx_.kernel = &kernel_;
    ctx_.engine_private = this;
  }
  ~SingleWarp() { munmap(reserved_, 2 * arena_bytes); }
  SingleWarp(const SingleWarp&) = delete;
  SingleWarp& operator=(const SingleWarp&) = delete;

  simt::WarpContext& context() { return ctx_; }
  const std::vector<simt::BlockCount>& counts() const { return counts_; }

  /// Device memory, zeroed, aligned to 256 bytes; the host address is the device pointer.
  std::uint8_t* allocate(std::uint64_t bytes) {
    std::uint8_t* p = heap_ + used_;
    used_ += (bytes + 255) / 256 * 256;
    WR_CHECK(used_ <= heap_bytes);
    return p;
  }
  template <class T>
  void parameter(std::size_t index, T value) {
    std::memcpy(heap_ + kernel_.parameters[index].offset, &value, sizeof value);
  }
  void global(std::size_t index, std::uint64_t address) { globals_[index] = address; }

  void trace_into(std::vector<std::uint64_t>& words, std::size_t margin) {
    ctx_.trace_cursor = words.data();
    ctx_.trace_limit = words.data() + words.size() - margin;
  }

  /// Runs the warp to its end; Fault::none, or what was raised.
  simt::Fault run(simt::WarpEntry entry) {
    if (setjmp(done_) == 0) entry(&ctx_);
    return raised_;
  }

  simt::Fault raised() const { return raised_; }
  simt::BlockId fault_block = 0;
  std::uint32_t fault_inst = 0;
  LaneMask fault_mask = 0;
  std::vector<simt::Yield> yields;          ///< Every suspension but the last.
  std::vector<simt::WarpContext> at_yield;  ///< The context at each of them.
  std::vector<std::uint32_t> syscalls;
  std::vector<std::uint64_t> syscall_arguments;  ///< Of each: first argument of each lane in the mask.
  std::uint64_t now = 1000;                      ///< Cycles and ns that clocks answer; grows by one a read.

 private:
  static SingleWarp& self(simt::WarpContext* ctx) { return *static_cast<SingleWarp*>(ctx->engine_private); }

  static void suspend(simt::WarpContext* ctx) {
    SingleWarp& w = self(ctx);
    if (ctx->yield == simt::Yield::exited) std::longjmp(w.done_, 1);
    w.yields.push_back(ctx->yield);
    w.at_yield.push_back(*ctx);
    if (ctx->yield == simt::Yield::phase) ctx->wait_expired = 1;
    if (ctx->yield == simt::Yield::clock) ctx->clock_cycles = ctx->clock_ns = w.now++;
    if (ctx->yield == simt::Yield::barrier) {
      const LaneMask yes = ctx->barrier_mask & ctx->barrier_predicate;
      switch (static_cast<ptx::Barrier>(ctx->barrier_kind)) {
        case ptx::Barrier::red_popc:
          ctx->barrier_result = static_cast<std::uint32_t>(__builtin_popcount(yes));
          break;
        case ptx::Barrier::red_and: ctx->barrier_result = yes == ctx->barrier_mask; break;
        case ptx::Barrier::red_or: ctx->barrier_result = yes != 0; break;
        default: break;
      }
    }
  }
  static void syscall(simt::WarpContext* ctx, std::uint32_t which, LaneMask mask,
                      const std::uint64_t (*arguments)[warp_size], std::uint64_t* results) {
    SingleWarp& w = self(ctx);
    w.syscalls.push_back(which);
    for (int l = 0; l < warp_size; ++l) {
      if (!(mask >> l & 1)) continue;
      w.syscall_arguments.push_back(arguments[0][l]);
      if (results) results[l] = 100 + static_cast<std::uint64_t>(l);
    }
  }
  static void fault(simt::WarpContext* ctx, std::uint32_t what, simt::BlockId block, std::uint32_t inst,
                    LaneMask mask) {
    SingleWarp& w = self(ctx);
    w.raised_ = static_cast<simt::Fault>(what);
    w.fault_block = block;
    w.fault_inst = inst;
    w.fault_mask = mask;
    std::longjmp(w.done_, 1);
  }
  static std::uint64_t* leave_begin(simt::WarpContext* ctx, simt::FunctionId function) {
    auto& frames = self(ctx).frames_;
    frames.emplace_back(interp::frame_words(*ctx->kernel, function), 0);
    return frames.back().data();
  }
  static void leave_run(simt::WarpContext* ctx, simt::BlockId block, std::uint32_t inst, LaneMask mask) {
    interp::run_from(ctx, self(ctx).frames_.back().data(), block, inst, mask);
    leave_end(ctx);
  }
  static std::uint32_t phases(simt::WarpContext* ctx, const std::uint8_t* mbarrier, std::uint32_t now) {
    return self(ctx).phases_[mbarrier] += now;
  }
  static std::uint32_t cluster_arrive(simt::WarpContext*, LaneMask) { return 3; }
  static std::uint32_t cluster_waits(simt::WarpContext*, LaneMask) { return 0; }
  static void leave_end(simt::WarpContext* ctx) { self(ctx).frames_.pop_back(); }

  const simt::Kernel& kernel_;
  std::vector<simt::BlockCount> counts_;
  std::vector<std::uint64_t> globals_;
  std::vector<std::vector<std::uint64_t>> frames_;
  std::map<const std::uint8_t*, std::uint32_t> phases_;
  std::uint8_t *reserved_ = nullptr, *heap_ = nullptr;
  std::uint64_t used_ = 0;
  std::uint32_t tid_[3 * warp_size];
  simt::Services services_;
  simt::WarpContext ctx_;
  std::jmp_buf done_;
  simt::Fault raised_ = simt::Fault::none;
};

/// What differs from the case's expectation after running `entry`, or empty.
inline std::string check_case(const Case& c, const simt::Kernel& kernel, simt::WarpEntry entry) {
  constexpr std::size_t stride = 256;
  SingleWarp warp(kernel, c.lanes);
  std::uint8_t* in = warp.allocate(stride * (c.in.size() + 1));
  std::uint8_t* out = warp.allocate(stride * (c.out.size() + 1));
  const auto lanes = static_cast<std::size_t>(c.lanes);
  for (std::size_t k = 0; k < c.in.size(); ++k)
    for (std::size_t l = 0; l < lanes; ++l) {
      const std::uint64_t v = c.in[k].bits(l);
      std::memcpy(in + k * stride + l * c.in[k].bytes(), &v, c.in[k].bytes());
    }
  warp.parameter(0, reinterpret_cast<std::uint64_t>(in));
  warp.parameter(1, reinterpret_cast<std::uint64_t>(out));
  const simt::Fault fault = warp.run(entry);
  std::ostringstream wrong;
  if (fault != simt::Fault::none) wrong << "fault " << static_cast<int>(fault) << "\n";
  for (std::size_t k = 0; k < c.out.size(); ++k)
    for (std::size_t l = 0; l < lanes; ++l) {
      const Array& a = c.out[k];
      if (a.values[a.values.size() == 1 ? 0 : l] == "x") continue;
      std::uint64_t got = 0;
      std::memcpy(&got, out + k * stride + l * a.bytes(), a.bytes());
      std::uint64_t want = a.bits(l);
      if (a.bytes() < 8) want &= (std::uint64_t{1} << (8 * a.bytes())) - 1;
      if (got != want)
        wrong << "out " << k << " lane " << l << ": 0x" << std::hex << got << ", expected 0x" << want
              << std::dec << "\n";
    }
  return wrong.str();
}

}  // namespace wanren::semantics
