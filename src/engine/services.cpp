#include "engine/services.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <tuple>
#include <vector>

#include "engine/cta.h"
#include "engine/faults.h"
#include "interp/interp.h"

namespace wanren::engine {

std::string DeviceRuntime::take_printf() {
  std::deque<Line> lines;
  {
    std::lock_guard lock(lock_);
    lines.swap(lines_);
    line_bytes_ = 0;
  }
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::tie(a.grid, a.cta, a.sequence) < std::tie(b.grid, b.cta, b.sequence);
  });
  std::string all;
  for (const Line& line : lines) all += line.text;
  return all;
}

void DeviceRuntime::add_printf(std::uint64_t grid, std::uint64_t cta, std::string text) {
  std::lock_guard lock(lock_);
  line_bytes_ += text.size();
  lines_.push_back({grid, cta, lines_made_++, std::move(text)});
  while (line_bytes_ > printf_bytes_ && !lines_.empty()) {
    line_bytes_ -= lines_.front().text.size();
    lines_.pop_front();
  }
}

void DeviceRuntime::set_printf_bytes(std::uint64_t bytes) {
  std::lock_guard lock(lock_);
  printf_bytes_ = bytes;
}

std::uint64_t DeviceRuntime::printf_bytes() const {
  std::lock_guard lock(lock_);
  return printf_bytes_;
}

bool DeviceRuntime::set_heap_bytes(std::uint64_t bytes) {
  std::lock_guard lock(lock_);
  if (heap_ready_ || bytes > arena_.heap_room_bytes()) return false;
  heap_bytes_ = std::max<std::uint64_t>(bytes, 1 << 20);
  return true;
}

std::uint64_t DeviceRuntime::heap_bytes() const {
  std::lock_guard lock(lock_);
  return heap_bytes_;
}

void* DeviceRuntime::heap_allocate(std::uint64_t bytes) {
  std::lock_guard lock(lock_);
  if (!heap_ready_) {
    if (!arena_.commit(arena_.heap_begin(), heap_bytes_)) return nullptr;
    heap_ = RangeAllocator(0, heap_bytes_);
    heap_ready_ = true;
  }
  if (bytes > heap_bytes_) return nullptr;
  const std::uint64_t size = std::max<std::uint64_t>((bytes + 15) / 16 * 16, 16);
  const auto offset = heap_.take(size, 16);
  if (!offset) return nullptr;
  heap_blocks_[*offset] = size;
  return arena_.heap_begin() + *offset;
}

bool DeviceRuntime::heap_release(void* block) {
  std::lock_guard lock(lock_);
  const auto offset = static_cast<std::uint64_t>(static_cast<std::uint8_t*>(block) - arena_.heap_begin());
  const auto it = heap_blocks_.find(offset);
  if (it == heap_blocks_.end()) return false;
  heap_.give(it->first, it->second);
  heap_blocks_.erase(it);
  return true;
}

std::uint64_t DeviceRuntime::clock() const {
  std::lock_guard lock(lock_);
  return clock_;
}

void DeviceRuntime::advance_clock(std::uint64_t to) {
  std::lock_guard lock(lock_);
  clock_ = std::max(clock_, to);
}

namespace {

/// While it lives, the watchdog leaves this warp alone: locks may be held.
class ServiceScope {
 public:
  ServiceScope() : state_(thread_state()) { state_.in_service = state_.in_service + 1; }
  ~ServiceScope() { state_.in_service = state_.in_service - 1; }

 private:
  ThreadState& state_;
};

const std::uint8_t* host(const simt::WarpContext* ctx, std::uint64_t pointer) {
  return reinterpret_cast<const std::uint8_t*>(ctx->arena_base | (pointer & ctx->arena_mask));
}

Cta& cta_of(const simt::WarpContext* ctx) {
  return *static_cast<Cta*>(static_cast<const WarpRun*>(ctx->engine_private)->cta);
}

std::uint64_t linear_cta(const simt::WarpContext* ctx) {
  return ctx->linear_cta_low | std::uint64_t{ctx->linear_cta_high} << 32;
}

/// Reads a device string; may fault, so no lock is held and nothing is owned yet.
std::size_t device_length(const simt::WarpContext* ctx, std::uint64_t pointer) {
  return std::strlen(reinterpret_cast<const char*>(host(ctx, pointer)));
}

std::string device_text(const simt::WarpContext* ctx, std::uint64_t pointer) {
  if (pointer == 0) return "(null)";
  return std::string(reinterpret_cast<const char*>(host(ctx, pointer)), device_length(ctx, pointer));
}

void suspend(simt::WarpContext* ctx) {
  switch_to_engine(ctx);
}

void print(simt::WarpContext* ctx, LaneMask mask, const std::uint64_t (*arguments)[warp_size],
           std::uint64_t* results) {
  DeviceRuntime& runtime = cta_of(ctx).arena().runtime();
  std::string text;
  for (LaneMask left = mask; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    if (arguments[0][lane] == 0) {
      results[lane] = static_cast<std::uint32_t>(-1);
      continue;
    }
    int parsed = 0;
    const std::uint64_t buffer = arguments[1][lane];
    text += format_printf(
        reinterpret_cast<const char*>(host(ctx, arguments[0][lane])),
        buffer == 0 ? nullptr : host(ctx, buffer),
        [ctx](std::uint64_t pointer) { return reinterpret_cast<const char*>(host(ctx, pointer)); }, parsed);
    results[lane] = static_cast<std::uint32_t>(parsed);
  }
  runtime.add_printf(ctx->grid_id, linear_cta(ctx), std::move(text));
}

[[noreturn]] void assertion(simt::WarpContext* ctx, LaneMask mask,
                            const std::uint64_t (*arguments)[warp_size]) {
  for (LaneMask left = mask; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    const ServiceScope scope;
    // As CUDA prints it.
    const std::string line = fmt::format(
        "{}:{}: {}: block: [{},{},{}], thread: [{},{},{}] Assertion `{}` failed.\n",
        device_text(ctx, arguments[1][lane]), static_cast<std::uint32_t>(arguments[2][lane]),
        device_text(ctx, arguments[3][lane]), ctx->ctaid[0], ctx->ctaid[1], ctx->ctaid[2], ctx->tid[lane],
        ctx->tid[32 + lane], ctx->tid[64 + lane], device_text(ctx, arguments[0][lane]));
    std::fputs(line.c_str(), stderr);
  }
  FaultState fault;
  fault.fault = simt::Fault::assertion;
  fault.pc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  fault.stack_pointer = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  fault.mask = mask;
  raise_fault(ctx, fault);
}

void syscall(simt::WarpContext* ctx, std::uint32_t call, LaneMask mask,
             const std::uint64_t (*arguments)[warp_size], std::uint64_t* results) {
  switch (static_cast<simt::Syscall>(call)) {
    case simt::Syscall::vprintf: {
      // A bad pointer must fault before anything is allocated.
      for (LaneMask left = mask; left != 0; left &= left - 1) {
        const std::uint64_t format = arguments[0][std::countr_zero(left)];
        if (format != 0) device_length(ctx, format);
      }
      const ServiceScope scope;
      print(ctx, mask, arguments, results);
      return;
    }
    case simt::Syscall::malloc: {
      const ServiceScope scope;
      for (LaneMask left = mask; left != 0; left &= left - 1) {
        const int lane = std::countr_zero(left);
        results[lane] =
            reinterpret_cast<std::uint64_t>(cta_of(ctx).arena().runtime().heap_allocate(arguments[0][lane]));
      }
      return;
    }
    case simt::Syscall::free: {
      LaneMask wrong = 0;
      {
        const ServiceScope scope;
        for (LaneMask left = mask; left != 0; left &= left - 1) {
          const int lane = std::countr_zero(left);
          void* block = const_cast<std::uint8_t*>(host(ctx, arguments[0][lane]));
          if (arguments[0][lane] != 0 && !cta_of(ctx).arena().runtime().heap_release(block))
            wrong |= LaneMask{1} << lane;
        }
      }
      if (wrong == 0) return;
      FaultState fault;
      fault.fault = simt::Fault::illegal_address;
      fault.address = arguments[0][std::countr_zero(wrong)];
      fault.mask = wrong;
      fault.stack_pointer = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
      raise_fault(ctx, fault);
    }
    case simt::Syscall::assertfail: assertion(ctx, mask, arguments);
    case simt::Syscall::none: break;
  }
  WR_CHECK(!"a system call of the vocabulary");
}

void fault(simt::WarpContext* ctx, std::uint32_t cause, simt::BlockId block, std::uint32_t inst,
           LaneMask mask) {
  FaultState state;
  state.fault = static_cast<simt::Fault>(cause);
  state.located = true;
  state.block = block;
  state.inst = inst;
  state.mask = mask;
  raise_fault(ctx, state);
}

std::uint64_t* leave_begin(simt::WarpContext* ctx, simt::FunctionId function) {
  const ServiceScope scope;
  return cta_of(ctx).take_frame(ctx->warp_in_cta, function);
}

std::uint32_t phases(simt::WarpContext* ctx, const std::uint8_t* mbarrier, std::uint32_t now) {
  const ServiceScope scope;
  Cta& cta = cta_of(ctx);
  if (ctx->cluster_nctarank == 1) return cta.phases(mbarrier, now);
  return cta.cluster().owner(mbarrier)->phases(mbarrier, now);
}

std::uint32_t cluster_arrive(simt::WarpContext* ctx, LaneMask mask) {
  const ServiceScope scope;
  Cta& cta = cta_of(ctx);
  const Cluster::Arrival arrival = cta.cluster().arrive(cta.rank(), ctx->warp_in_cta, mask);
  return arrival.phase << 1 | static_cast<std::uint32_t>(arrival.first);
}

std::uint32_t cluster_waits(simt::WarpContext* ctx, LaneMask mask) {
  const ServiceScope scope;
  Cta& cta = cta_of(ctx);
  const bool waits = cta.cluster().waits(cta.rank(), ctx->warp_in_cta, mask);
  return (cta.cluster().over() + static_cast<std::uint32_t>(waits)) << 1 | static_cast<std::uint32_t>(waits);
}

void leave_end(simt::WarpContext* ctx) {
  const ServiceScope scope;
  cta_of(ctx).give_frame(ctx->warp_in_cta);
}

void leave_run(simt::WarpContext* ctx, simt::BlockId block, std::uint32_t inst, LaneMask mask) {
  const auto* run = static_cast<const WarpRun*>(ctx->engine_private);
  WR_CHECK(!run->frames.empty());
  interp::run_from(ctx, run->frames.back().get(), block, inst, mask);
  leave_end(ctx);
}

void silent_syscall(simt::WarpContext* ctx, std::uint32_t call, LaneMask mask,
                    const std::uint64_t (*arguments)[warp_size], std::uint64_t* results) {
  switch (static_cast<simt::Syscall>(call)) {
    case simt::Syscall::vprintf:
      for (LaneMask left = mask; left != 0; left &= left - 1) results[std::countr_zero(left)] = 0;
      return;
    case simt::Syscall::assertfail: {
      FaultState state;
      state.fault = simt::Fault::assertion;
      state.mask = mask;
      raise_fault(ctx, state);
    }
    default: syscall(ctx, call, mask, arguments, results);
  }
}

}  // namespace

const simt::Services* services() {
  static constexpr simt::Services table{&suspend,   &syscall, &fault,          &leave_begin,  &leave_run,
                                        &leave_end, &phases,  &cluster_arrive, &cluster_waits};
  return &table;
}

const simt::Services* silent_services() {
  static constexpr simt::Services table{&suspend,     &silent_syscall, &fault,
                                        &leave_begin, &leave_run,      &leave_end,
                                        &phases,      &cluster_arrive, &cluster_waits};
  return &table;
}

}  // namespace wanren::engine
