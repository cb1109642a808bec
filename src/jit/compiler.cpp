#include "jit/compiler.h"

#include <map>
#include <mutex>
#include <tuple>

#include "jit/cache.h"
#include "jit/compiled.h"
#include "jit/tiers.h"
#include "support/settings.h"

namespace wanren::jit {

namespace {

struct Slot {
  std::mutex lock;
  std::weak_ptr<engine::KernelCode> code;
};

Result<std::shared_ptr<engine::KernelCode>> code_for(const Wanted& wanted) {
  const std::string tiers = text_of(Setting::jit);
  if (tiers != "quick") {
    if (auto best = find_code(wanted, Tier::best)) return best;
  }
  const Tier first = tiers == "best" ? Tier::best : Tier::quick;
  std::shared_ptr<CompiledCode> code;
  if (first == Tier::quick) code = find_code(wanted, Tier::quick);
  if (!code) {
    auto made = make_code(wanted, first);
    if (!made) return std::unexpected(made.error());
    code = std::move(*made);
  }
  if (tiers == "tiers") return tiered(std::move(code), wanted);
  return code;
}

}  // namespace

Result<std::shared_ptr<engine::KernelCode>> Compiler::compile(
    const std::shared_ptr<const simt::Kernel>& kernel, const simt::BlockShape& shape,
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
  auto code = code_for({kernel, shape, flavour, cache_place()});
  if (!code) return std::unexpected(code.error());
  slot->code = *code;
  return *code;
}

void Compiler::finish_background() {
  jit::finish_background();
}

void Compiler::forget() {
  forget_memory_cache();
}

Result<std::string> Compiler::dump_ir(const simt::Kernel& kernel, const simt::BlockShape& shape,
                                      engine::Flavour flavour, bool optimised) {
  return ir_text(kernel, shape, flavour, optimised);
}

}  // namespace wanren::jit
