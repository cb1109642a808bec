#pragma once
// Contract 2b: the launch. Everything that executing a grid needs, and nothing about time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "simt/shape.h"
#include "simt/warp_context.h"
#include "support/result.h"
#include "support/units.h"

namespace wanren::engine {

enum class Flavour : std::uint8_t { plain, traced };

/// Executable form of one kernel for one block shape and flavour: made by jit, or by interp for every shape.
class KernelCode {
 public:
  virtual ~KernelCode() = default;
  virtual simt::WarpEntry entry() const = 0;
  virtual std::span<const simt::LanePattern> patterns() const = 0;
  /// Bytes of stack that one warp needs, runtime calls included.
  virtual std::size_t stack_bytes() const = 0;
  /// The instruction that host code address `pc` belongs to; false if it is not this code's.
  virtual bool locate(std::uintptr_t pc, simt::BlockId& block, std::uint32_t& inst) const = 0;
  virtual double compile_seconds() const = 0;
  /// Whether entry() returns without ever yielding in a plain run (faults apart).
  virtual bool never_yields() const { return false; }
  /// What a CTA that begins now runs: this, or code that has become ready since, of the same patterns, that
  /// needs no more than `stack_bytes`. Lives as long as this.
  virtual const KernelCode& begin(std::size_t stack_bytes) const {
    (void)stack_bytes;
    return *this;
  }
  /// Host seconds spent in it, told by whoever runs it while it wants to know: clocks cost.
  virtual void ran(double seconds) const { (void)seconds; }
  virtual bool wants_time() const { return false; }
};

struct Launch {
  std::shared_ptr<const simt::Kernel> kernel;
  std::shared_ptr<const KernelCode> code;
  std::string name;  ///< As the program knows it (demangled by reports).
  Dim3 grid, block, cluster;
  bool explicit_cluster = false;  ///< The launch or the kernel asks for `cluster`.
  std::uint32_t dynamic_shared_bytes = 0;
  std::vector<std::byte> parameters;            ///< kernel->parameter_bytes
  std::vector<std::uint64_t> global_addresses;  ///< By Kernel::globals index.
  std::uint64_t grid_id = 0;
  std::uint32_t units = 1;   ///< %nsmid
  bool cooperative = false;  ///< All CTAs must be resident at once.
  /// Of a traced launch: code of the plain flavour, made when asked for, null if that failed; and the host
  /// threads that CTAs may take which run untraced. Empty: all are traced.
  std::function<std::shared_ptr<const KernelCode>()> plain;
  int plain_threads = 1;
  /// Most CTAs that are live at once where CTAs wait for each other (units x CTAs per unit);
  /// 0: 32 per unit.
  std::uint32_t resident_ctas = 0;
};

/// Where and why a grid died.
struct FaultReport {
  simt::Fault fault = simt::Fault::none;
  std::string kernel, source_file;
  std::uint32_t source_line = 0, ptx_line = 0;
  Dim3 cta, thread;
  bool thread_known = false;
  std::uint64_t address = 0;  ///< The pointer as the program made it.
  std::string message;        ///< One line for the log: all of the above in words.
};

/// What executing a grid gave.
struct Execution {
  FaultReport fault;                     ///< fault.fault == none and !refused: success.
  std::optional<Error> refused;          ///< The host could not give what the grid needs.
  std::vector<simt::BlockCount> counts;  ///< By BlockId.
  double wall_s = 0;                     ///< Host seconds spent executing device code.
  std::uint64_t handed_over = 0;         ///< Warps that compiled code left to the interpreter.
};

}  // namespace wanren::engine
