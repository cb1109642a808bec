#include "jit/compiled.h"

#include <algorithm>

#include "interp/interp.h"
#include "jit/cache.h"
#include "jit/emitter.h"
#include "support/settings.h"
#include "support/wall_clock.h"

namespace wanren::jit {

namespace {

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

}  // namespace

CompiledCode::CompiledCode(std::shared_ptr<const simt::Kernel> kernel) : kernel_(std::move(kernel)) {
  // As Emitter numbers lines: from 1, a terminator after each block's instructions.
  insts_.push_back(nullptr);
  for (const simt::Block& blk : kernel_->blocks) {
    first_line_.push_back(static_cast<std::uint32_t>(insts_.size()));
    for (const simt::Inst& inst : blk.insts) insts_.push_back(&inst);
    insts_.push_back(nullptr);
  }
}

Result<void> CompiledCode::load(std::vector<char> object, std::vector<simt::LanePattern> patterns) {
  auto loaded = LoadedObject::load(std::move(object), insts_);
  if (!loaded) return std::unexpected(loaded.error());
  object_ = std::move(*loaded);
  patterns_ = std::move(patterns);
  return {};
}

std::size_t CompiledCode::stack_bytes() const {
  // Below the frames: what is called out of line, at worst the interpreter, which may have been entered at
  // any depth.
  return object_->frame_bytes() + (kernel_->call_depth + 1) * (object_->callee_frame_bytes() + 64) +
         interp::stack_bytes(*kernel_) + 4096;
}

bool CompiledCode::locate(std::uintptr_t pc, simt::BlockId& block, std::uint32_t& inst) const {
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

bool CompiledCode::never_yields() const {
  return std::all_of(kernel_->blocks.begin(), kernel_->blocks.end(), [](const simt::Block& blk) {
    return (blk.suspend == simt::Suspend::none || blk.suspend == simt::Suspend::call) && !blk.term.spins;
  });
}

std::shared_ptr<CompiledCode> find_code(const Wanted& wanted, Tier tier) {
  const double start_s = wall_seconds();
  auto entry = read_cache(wanted.cache, cache_key(*wanted.kernel, wanted.shape, wanted.flavour, tier));
  if (!entry) return nullptr;
  auto code = std::make_shared<CompiledCode>(wanted.kernel);
  if (!code->load(std::move(entry->object), std::move(entry->patterns))) return nullptr;
  code->set_compile_seconds(wall_seconds() - start_s);
  return code;
}

Result<std::shared_ptr<CompiledCode>> make_code(const Wanted& wanted, Tier tier) {
  const double start_s = wall_seconds();
  llvm::LLVMContext context;
  llvm::Module module("kernel", context);
  auto patterns = emit_ir(module, *wanted.kernel, wanted.shape, wanted.flavour);
  if (!patterns) return std::unexpected(patterns.error());
  optimise(module);
  auto object = make_object(module, tier);
  if (!object) return std::unexpected(object.error());
  write_cache(wanted.cache, cache_key(*wanted.kernel, wanted.shape, wanted.flavour, tier),
              {*object, *patterns});
  auto code = std::make_shared<CompiledCode>(wanted.kernel);
  if (auto loaded = code->load(std::move(*object), std::move(*patterns)); !loaded)
    return std::unexpected(loaded.error());
  code->set_compile_seconds(wall_seconds() - start_s);
  return code;
}

Result<std::string> ir_text(const simt::Kernel& kernel, const simt::BlockShape& shape,
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
