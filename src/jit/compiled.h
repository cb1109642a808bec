#pragma once
// One kernel's machine code, of one tier.

#include <memory>
#include <string>
#include <vector>

#include "engine/launch.h"
#include "jit/cache.h"
#include "jit/machine.h"
#include "simt/kernel.h"
#include "simt/shape.h"
#include "support/result.h"

namespace wanren::jit {

/// What code is made of.
struct Wanted {
  std::shared_ptr<const simt::Kernel> kernel;
  simt::BlockShape shape;
  engine::Flavour flavour = engine::Flavour::plain;
  CachePlace cache;
};

class CompiledCode final : public engine::KernelCode {
 public:
  explicit CompiledCode(std::shared_ptr<const simt::Kernel> kernel);
  Result<void> load(std::vector<char> object, std::vector<simt::LanePattern> patterns);
  void set_compile_seconds(double s) { compile_seconds_ = s; }
  std::size_t object_bytes() const { return object_->bytes(); }

  simt::WarpEntry entry() const override { return reinterpret_cast<simt::WarpEntry>(object_->entry()); }
  std::span<const simt::LanePattern> patterns() const override { return patterns_; }
  std::size_t stack_bytes() const override;
  bool locate(std::uintptr_t pc, simt::BlockId& block, std::uint32_t& inst) const override;
  double compile_seconds() const override { return compile_seconds_; }
  bool never_yields() const override;

 private:
  std::shared_ptr<const simt::Kernel> kernel_;
  std::unique_ptr<LoadedObject> object_;
  std::vector<simt::LanePattern> patterns_;
  std::vector<const simt::Inst*> insts_;
  std::vector<std::uint32_t> first_line_;
  double compile_seconds_ = 0;
};

/// From the caches; null if they have none.
std::shared_ptr<CompiledCode> find_code(const Wanted& wanted, Tier tier);
/// Compiles; the caches keep it. Errors: an instruction without code, LLVM refusing the host.
Result<std::shared_ptr<CompiledCode>> make_code(const Wanted& wanted, Tier tier);
/// The LLVM IR of a kernel as text.
Result<std::string> ir_text(const simt::Kernel& kernel, const simt::BlockShape& shape,
                            engine::Flavour flavour, bool optimised);

}  // namespace wanren::jit
