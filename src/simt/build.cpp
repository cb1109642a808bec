// The pass list.

#include <fmt/format.h>

#include <algorithm>

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
  Result<std::vector<Draft>> drafts = inline_calls(module, name, module_name);
  if (!drafts) return std::unexpected(drafts.error());
  const auto check = [&](std::string_view pass, const Kernel& kernel) {
    if (verifying()) verified(pass, name, verify(kernel));
  };
  std::vector<Kernel> parts;
  std::vector<Function> functions;
  for (Draft& draft : *drafts) {
    if (auto r = place_parameters(draft); !r) return std::unexpected(r.error());
    make_blocks(draft);
    // What a vendor's assembler does to control flow, before blocks get the ids that all parts share.
    for (int round = 0; round < 8; ++round) {
      const bool converted = convert_branches(draft), unrolled = unroll_loops(draft);
      if (!converted && !unrolled) break;
      join_blocks(draft.kernel.blocks);
    }
    merge_latches(draft);
    order_blocks(draft);
    construct_ssa(draft);
    check("construct_ssa", draft.kernel);
    fold_copies(draft.kernel);
    check("fold_copies", draft.kernel);
    if (draft.is_function) functions.push_back(std::move(draft.function));
    parts.push_back(std::move(draft.kernel));
  }
  const bool callees_synchronise = std::any_of(parts.begin() + 1, parts.end(), synchronises);
  const bool sensitive = std::any_of(parts.begin(), parts.end(), sees_other_ctas);
  bool coupled = false, waits = false, meets = false, prints = false;
  for (Kernel& part : parts) {
    if (sensitive) split_ordered(part);
    check("split_ordered", part);
    for (const Block& b : part.blocks)
      if (b.insts.size() >= no_slot)
        return fail(module_name,
                    fmt::format("kernel '{}' has a block of {} instructions; the most is {}", name,
                                b.insts.size(), no_slot - 1),
                    "unroll less");
    number_slots(part);
    check("number_slots", part);
    mark_dependence(part, callees_synchronise);
    check("mark_dependence", part);
    coupled |= part.needs_coupling;
    waits |= part.waits_for_ctas;
    meets |= part.meets_at_barriers;
    prints |= part.prints;
  }
  Kernel kernel = link_functions(std::move(parts), std::move(functions));
  kernel.needs_coupling = coupled;
  kernel.waits_for_ctas = waits;
  kernel.order_sensitive = sensitive;
  kernel.meets_at_barriers = meets;
  kernel.prints = prints;
  check("link_functions", kernel);
  return kernel;
}

}  // namespace wanren::simt
