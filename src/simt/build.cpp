// The pass list.

#include <fmt/format.h>

#include "simt/draft.h"
#include "support/settings.h"

namespace wanren::simt {

int bits(Width width) {
  switch (width) {
    case Width::pred: return 1;
    case Width::b16: return 16;
    case Width::b32: return 32;
    case Width::b64: return 64;
    case Width::b128: return 128;
  }
  return 0;
}

Result<Kernel> build(const ptx::Module& module, const std::string& name, const std::string& module_name) {
  Result<Draft> draft = inline_calls(module, name, module_name);
  if (!draft) return std::unexpected(draft.error());
  if (auto r = place_parameters(*draft); !r) return std::unexpected(r.error());
  make_blocks(*draft);
  merge_latches(*draft);
  order_blocks(*draft);
  construct_ssa(*draft);
  Kernel kernel = std::move(draft->kernel);
  const auto check = [&](std::string_view pass) {
    if (verifying()) verified(pass, name, verify(kernel));
  };
  check("construct_ssa");
  fold_copies(kernel);
  check("fold_copies");
  for (const Block& b : kernel.blocks)
    if (b.insts.size() >= no_slot)
      return fail(module_name,
                  fmt::format("kernel '{}' has a block of {} instructions; the most is {}", name,
                              b.insts.size(), no_slot - 1),
                  "unroll less");
  number_slots(kernel);
  check("number_slots");
  mark_dependence(kernel);
  check("mark_dependence");
  return kernel;
}

}  // namespace wanren::simt
