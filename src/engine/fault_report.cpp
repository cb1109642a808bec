// From a FaultState to words that name kernel, line, CTA, thread and address.

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/faults.h"
#include "interp/interp.h"
#include "interp/mbarrier.h"
#include "interp/warp_ops.h"

namespace wanren::engine {
namespace {

/// The stack of a dead warp: its frames' red zones mean nothing any more.
__attribute__((noinline, no_sanitize("address"))) std::uintptr_t word_at(std::uintptr_t address) {
  return *reinterpret_cast<const volatile std::uintptr_t*>(address);
}

/// The instruction that was running: at `pc`, or the innermost return address into the code.
bool find_instruction(const WarpRun& run, const FaultState& fault, simt::BlockId& block,
                      std::uint32_t& inst) {
  if (fault.located) {
    block = fault.block;
    inst = fault.inst;
    return true;
  }
  if (fault.pc != 0 && run.code->locate(fault.pc, block, inst)) return true;
  // A helper was called. Its frames have no common form, so each word is tried; a return address points
  // behind its call.
  const auto low = reinterpret_cast<std::uintptr_t>(run.stack.low);
  const auto top = reinterpret_cast<std::uintptr_t>(run.stack.top);
  const std::uintptr_t begin = (std::max(fault.stack_pointer, low) + 7) & ~std::uintptr_t{7};
  if (fault.stack_pointer == 0 || begin >= top) return false;
  constexpr std::uintptr_t most_bytes = 256 << 10;
  for (std::uintptr_t at = begin; at + 8 <= std::min(top, begin + most_bytes); at += 8)
    if (run.code->locate(word_at(at) - 1, block, inst)) return true;
  return false;
}

/// The interpreter (also as callee of compiled code) says which lane's access is under way.
void note_access(const simt::WarpContext& ctx, FaultState& fault) {
  const interp::Access access = interp::access_in_flight();
  if (access.ctx != &ctx || access.inst == nullptr) return;
  interp::access_done();  // Not to be taken for the next fault's.
  if (fault.located || fault.fault != simt::Fault::illegal_address) return;
  for (const simt::Block& block : ctx.kernel->blocks) {
    if (block.insts.empty()) continue;
    const auto index = static_cast<std::size_t>(access.inst - block.insts.data());
    if (access.inst < block.insts.data() || index >= block.insts.size()) continue;
    fault.located = true;
    fault.block = block.id;
    fault.inst = static_cast<std::uint32_t>(index);
    fault.mask = LaneMask{1} << access.lane;
    return;
  }
}

Dim3 thread_of(const simt::WarpContext& ctx, int lane) {
  return {ctx.tid[lane], ctx.tid[32 + lane], ctx.tid[64 + lane]};
}

std::string text(const Dim3& d) {
  return fmt::format("({},{},{})", d.x, d.y, d.z);
}

}  // namespace

std::string_view name(simt::Fault fault) {
  switch (fault) {
    case simt::Fault::none: return "no fault";
    case simt::Fault::illegal_address: return "illegal address";
    case simt::Fault::misaligned_address: return "misaligned address";
    case simt::Fault::trap: return "trap";
    case simt::Fault::assertion: return "assertion failed";
    case simt::Fault::stack_overflow: return "stack overflow";
    case simt::Fault::deadlock: return "deadlock";
    case simt::Fault::invalid_address_space: return "invalid address space";
    case simt::Fault::illegal_instruction: return "illegal instruction";
    case simt::Fault::invalid_pc: return "call of what is no function of this signature";
    case simt::Fault::timeout: return "time limit exceeded";
  }
  return "unknown fault";
}

FaultReport describe(const Launch& launch, const Arena& arena, const simt::WarpContext& ctx,
                     const FaultState& raised) {
  FaultState fault = raised;
  note_access(ctx, fault);
  FaultReport report;
  report.fault = fault.fault;
  report.kernel = launch.name;
  report.cta = {ctx.ctaid[0], ctx.ctaid[1], ctx.ctaid[2]};
  const auto& run = *static_cast<const WarpRun*>(ctx.engine_private);
  const bool has_address = fault.address != 0 && (fault.fault == simt::Fault::illegal_address ||
                                                  fault.fault == simt::Fault::misaligned_address ||
                                                  fault.fault == simt::Fault::invalid_address_space);
  if (has_address || fault.fault == simt::Fault::illegal_address) {
    // In the guard at the bottom: NULL plus an offset, masked into the arena.
    report.address = arena.offset(reinterpret_cast<const void*>(fault.address)) < arena.guard_bytes()
                         ? arena.offset(reinterpret_cast<const void*>(fault.address))
                         : fault.address;
  }
  simt::BlockId block = simt::no_block;
  std::uint32_t inst = 0;
  if (find_instruction(run, fault, block, inst) && block < ctx.kernel->blocks.size()) {
    const simt::Block& where = ctx.kernel->blocks[block];
    const ptx::Location& location =
        inst < where.insts.size() ? where.insts[inst].location : where.term.location;
    report.ptx_line = location.ptx_line;
    report.source_line = location.line;
    if (location.file < ctx.kernel->source_files.size())
      report.source_file = ctx.kernel->source_files[location.file];
  }
  const LaneMask lanes = fault.located && fault.mask != 0 ? fault.mask : ctx.entry_mask;
  const int first = std::countr_zero(lanes), last = 31 - std::countl_zero(lanes);
  report.thread = thread_of(ctx, first);
  report.thread_known = (fault.located && fault.mask != 0) || first == last;

  report.message = fmt::format("kernel '{}': {}", launch.name, name(fault.fault));
  if (report.fault == simt::Fault::illegal_address) report.message += fmt::format(" {:#x}", report.address);
  report.message += fmt::format(", CTA {}, ", text(report.cta));
  report.message += report.thread_known
                        ? fmt::format("thread {}", text(report.thread))
                        : fmt::format("threads {} to {}", text(report.thread), text(thread_of(ctx, last)));
  if (!report.source_file.empty() && report.source_line != 0)
    report.message += fmt::format(", {}:{}", report.source_file, report.source_line);
  if (report.ptx_line != 0) report.message += fmt::format(", PTX line {}", report.ptx_line);
  const auto owned = arena.find(reinterpret_cast<const void*>(fault.address));
  if (report.fault == simt::Fault::illegal_address && owned && owned->kind == Arena::Kind::device)
    report.message +=
        "; this is memory that kernels of this device may not touch so: cudaDeviceEnablePeerAccess gives "
        "access "
        "to another device's, cudaMemPoolSetAccess to a pool's, cuMemSetAccess to what the program maps";
  if (report.fault == simt::Fault::stack_overflow && ctx.kernel->recursive)
    report.message += fmt::format(
        "; calls have {} bytes of stack per thread: raise cudaDeviceSetLimit(cudaLimitStackSize), or end the "
        "recursion earlier",
        ctx.kernel->local_bytes - ctx.kernel->frame_bytes);
  return report;
}

std::string describe_wait(const simt::WarpContext& ctx, FaultReport& report) {
  const auto state = interp::Mbarrier::from(*reinterpret_cast<const std::uint64_t*>(ctx.wait_mbarrier));
  const ptx::Location& at = ctx.wait_inst->location;
  std::string where = fmt::format("PTX line {}", at.ptx_line);
  if (at.line != 0 && at.file < ctx.kernel->source_files.size())
    where = fmt::format("{}:{}, ", ctx.kernel->source_files[at.file], at.line) + where;
  if (report.ptx_line == 0) {
    report.ptx_line = at.ptx_line;
    report.source_line = at.line;
    if (at.file < ctx.kernel->source_files.size()) report.source_file = ctx.kernel->source_files[at.file];
  }
  return fmt::format(
      "warp {} waits ({}) for the mbarrier at shared offset {:#x}, whose phase lacks {} of {} arrivals and "
      "{} "
      "bytes",
      ctx.warp_in_cta, where, ctx.wait_mbarrier - ctx.shared_base, state.pending, state.expected,
      state.bytes);
}

FaultReport describe_cta(const Launch& launch, simt::Fault fault, Dim3 cta, const std::string& why) {
  FaultReport report;
  report.fault = fault;
  report.kernel = launch.name;
  report.cta = cta;
  report.message = fmt::format("kernel '{}': {}, CTA {}: {}", launch.name, name(fault), text(cta), why);
  return report;
}

}  // namespace wanren::engine
