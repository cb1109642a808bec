#include "engine/interpreted.h"

#include "interp/interp.h"

namespace wanren::engine {
namespace {

class InterpretedCode final : public KernelCode {
 public:
  explicit InterpretedCode(std::shared_ptr<const simt::Kernel> kernel) : kernel_(std::move(kernel)) {}
  simt::WarpEntry entry() const override { return &interp::run_warp; }
  std::span<const simt::LanePattern> patterns() const override { return interp::patterns(); }
  std::size_t stack_bytes() const override { return interp::stack_bytes(*kernel_); }
  /// Its host code belongs to no instruction: interp::access_in_flight() tells.
  bool locate(std::uintptr_t, simt::BlockId&, std::uint32_t&) const override { return false; }
  double compile_seconds() const override { return 0; }

 private:
  std::shared_ptr<const simt::Kernel> kernel_;
};

}  // namespace

std::shared_ptr<const KernelCode> interpreted(std::shared_ptr<const simt::Kernel> kernel) {
  return std::make_shared<InterpretedCode>(std::move(kernel));
}

}  // namespace wanren::engine
