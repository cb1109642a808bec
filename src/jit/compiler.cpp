#include "jit/compiler.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "interp/interp.h"
#include "jit/cache.h"
#include "jit/emitter.h"
#include "jit/machine.h"
#include "support/settings.h"
#include "support/wall_clock.h"

namespace wanren::jit {

namespace {

class CompiledCode final : public engine::KernelCode {
 public:
  CompiledCode(std::shared_ptr<const simt::Kernel> kernel) : kernel_(std::move(kernel)) {
    // As Emitter numbers lines: from 1, a terminator after each block's instructions.
    insts_.push_back(nullptr);
    for (const simt::Block& blk : kernel_->blocks) {
      first_line_.push_back(static_cast<std::uint32_t>(insts_.size()));
      for (const simt::Inst& inst : blk.insts) insts_.push_back(&inst);
      insts_.push_back(nullptr);
    }
  }
  Result<void> load(std::vector<char> object, std::vector<simt::LanePattern> patterns) {
    auto loaded = LoadedObject::load(std::move(object), insts_);
    if (!loaded) return std::unexpected(loaded.error());
    object_ = std::move(*loaded);
    patterns_ = std::move(patterns);
    return {};
  }
  void set_compile_seconds(double s) { compile_seconds_ = s; }

  simt::WarpEntry entry() const override { return reinterpret_cast<simt::WarpEntry>(object_->entry()); }
  std::span<const simt::LanePattern> patterns() const override { return patterns_; }
  std::size_t stack_bytes() const override {
    // Below the frames: what is called out of line, at worst the interpreter, which may have been entered at
    // any depth.
    return object_->frame_bytes() + (kernel_->call_depth + 1) * (object_->callee_frame_bytes() + 64) +
           interp::stack_bytes(*kernel_) + 4096;
  }
  bool locate(std::uintptr_t pc, simt::BlockId& block, std::uint32_t& inst) const override {
    if (!object_->contains(pc)) return false;
    const std::uint32_t line = object_->line_of(pc);
    block = 0;
    inst = 0;
    for (std::size_t i = 0; i < first_line_.size() && first_line_[i] <= line; ++i) {
      block = static_cast<simt::BlockId>(i);
      inst = line - first_line_[i];
    }
    return true;
  }
  double compile_seconds() const override { return compile_seconds_; }
  bool never_yields() const override {
    return std::all_of(kernel_->blocks.begin(), kernel_->blocks.end(), [](const simt::Block& blk) {
      return (blk.suspend == simt::Suspend::none || blk.suspend == simt::Suspend::call) && !blk.term.spins;
    });
  }

 private:
  std::shared_ptr<const simt::Kernel> kernel_;
  std::unique_ptr<LoadedObject> object_;
  std::vector<simt::LanePattern> patterns_;
  std::vector<const simt::Inst*> insts_;
  std::vector<std::uint32_t> first_line_;
  double compile_seconds_ = 0;
};

/// IR of the kernel in `module`; the patterns that its trace records use.
Result<std::vector<simt::LanePattern>> emit_ir(llvm::Module& module, const simt::Kernel& kernel,
                                               const simt::BlockShape& shape, engine::Flavour flavour) {
  EmitOptions options;
  options.flavour = flavour;
  options.avx512 = host_machine().avx512;
  std::vector<simt::Kernel> copies;
  for (std::size_t i = 0; i <= kernel.functions.size() && !kernel.functions.empty(); ++i)
    copies.push_back(simt::part(kernel, static_cast<simt::FunctionId>(i - 1)));  // no_function is first
  const std::span<const simt::Kernel> parts =
      copies.empty() ? std::span(&kernel, 1) : std::span<const simt::Kernel>(copies);
  const std::vector<simt::Shapes> shapes = simt::analyse_parts(kernel, parts, shape);
  std::vector<simt::LanePattern> patterns = shapes.back().patterns;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Emitter emitter(module, kernel, static_cast<simt::FunctionId>(i - 1), parts[i], shapes[i],
                    std::move(patterns), shape, options);
    if (auto done = emitter.run(); !done) return std::unexpected(done.error());
    patterns = std::move(emitter.patterns);
  }
  if (auto done = prepare_module(module); !done) return std::unexpected(done.error());
  if (verifying()) WR_CHECK(!llvm::verifyModule(module, &llvm::errs()));
  return patterns;
}

Result<std::shared_ptr<CompiledCode>> make_code(std::shared_ptr<const simt::Kernel> kernel,
                                                const simt::BlockShape& shape, engine::Flavour flavour) {
  const double start_s = wall_seconds();
  const CacheKey key = cache_key(*kernel, shape, flavour);
  auto code = std::make_shared<CompiledCode>(kernel);
  bool ready = false;
  if (auto entry = read_cache(key))
    ready = code->load(std::move(entry->object), std::move(entry->patterns)).has_value();
  if (!ready) {
    llvm::LLVMContext context;
    llvm::Module module("kernel", context);
    auto patterns = emit_ir(module, *kernel, shape, flavour);
    if (!patterns) return std::unexpected(patterns.error());
    optimise(module);
    auto object = make_object(module);
    if (!object) return std::unexpected(object.error());
    write_cache(key, {*object, *patterns});
    if (auto loaded = code->load(std::move(*object), std::move(*patterns)); !loaded)
      return std::unexpected(loaded.error());
  }
  code->set_compile_seconds(wall_seconds() - start_s);
  return code;
}

struct Slot {
  std::mutex lock;
  std::weak_ptr<CompiledCode> code;
};

}  // namespace

Result<std::shared_ptr<engine::KernelCode>> Compiler::compile(std::shared_ptr<const simt::Kernel> kernel,
                                                              const simt::BlockShape& shape,
                                                              engine::Flavour flavour) {
  using Key = std::tuple<std::weak_ptr<const simt::Kernel>, bool, Dim3, engine::Flavour>;
  struct Less {
    bool operator()(const Key& a, const Key& b) const {
      const auto &x = std::get<0>(a), &y = std::get<0>(b);
      if (x.owner_before(y)) return true;
      if (y.owner_before(x)) return false;
      return std::tie(std::get<1>(a), std::get<2>(a), std::get<3>(a)) <
             std::tie(std::get<1>(b), std::get<2>(b), std::get<3>(b));
    }
  };
  static std::mutex lock;
  static std::map<Key, std::shared_ptr<Slot>, Less> slots;
  std::shared_ptr<Slot> slot;
  {
    std::lock_guard guard(lock);
    std::erase_if(slots, [](const auto& entry) { return std::get<0>(entry.first).expired(); });
    auto& found = slots[{kernel, shape.generic, shape.generic ? Dim3{} : shape.block, flavour}];
    if (!found) found = std::make_shared<Slot>();
    slot = found;
  }
  std::lock_guard guard(slot->lock);
  if (auto code = slot->code.lock()) return code;
  auto code = make_code(kernel, shape, flavour);
  if (!code) return std::unexpected(code.error());
  slot->code = *code;
  return *code;
}

void Compiler::forget() {
  forget_memory_cache();
}

Result<std::string> Compiler::dump_ir(const simt::Kernel& kernel, const simt::BlockShape& shape,
                                      engine::Flavour flavour, bool optimised) {
  llvm::LLVMContext context;
  llvm::Module module("kernel", context);
  if (auto done = emit_ir(module, kernel, shape, flavour); !done) return std::unexpected(done.error());
  if (optimised) optimise(module);
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out, nullptr);
  return text;
}

}  // namespace wanren::jit
