// Wide loads of shared memory: LDS.64 and LDS.128 where the source has word loads side by side.

#include <algorithm>
#include <map>

#include "lower/ir.h"

namespace wanren::lower {
namespace {

struct Candidate {
  std::size_t index;
  std::int64_t offset;
};

bool is_word_load(const VirtualInst& inst) {
  return inst.machine.memory == Memory::load && inst.access.space == Access::Space::shared &&
         !inst.access.fence && inst.machine.bytes == 4 && inst.machine.slot != simt::no_slot &&
         !inst.guard.in_register() && !inst.keeps_old && inst.defines.size() == 1 &&
         inst.defines[0].in_register();
}

bool may_write_shared(const Access& a) {
  return a.fence || (a.writes && (a.space == Access::Space::shared || a.space == Access::Space::generic));
}

void merge_block(VirtualBlock& block) {
  auto& insts = block.insts;
  std::vector<bool> gone(insts.size());
  bool any = false;
  // A stretch without writes at a time.
  for (std::size_t begin = 0; begin < insts.size();) {
    std::size_t end = begin;
    std::map<std::pair<Virtual, std::uint8_t>, std::vector<Candidate>> by_base;
    for (; end < insts.size() && !may_write_shared(insts[end].access); ++end)
      if (is_word_load(insts[end])) {
        const Access& a = insts[end].access;
        by_base[{a.base.in_register() ? a.base.id : no_virtual, a.base.index}].push_back({end, a.offset});
      }
    for (auto& [base, list] : by_base) {
      std::stable_sort(list.begin(), list.end(),
                       [](const Candidate& a, const Candidate& b) { return a.offset < b.offset; });
      for (std::size_t i = 0; i < list.size();) {
        std::size_t taken = 1;
        for (const std::size_t wanted : {std::size_t{4}, std::size_t{2}}) {
          const auto bytes = static_cast<std::int64_t>(4 * wanted);
          const Access& a = insts[list[i].index].access;
          if (i + wanted > list.size() || !a.base_bits.divides(bytes, list[i].offset)) continue;
          bool side_by_side = true;
          std::size_t first = list[i].index;
          for (std::size_t k = 1; k < wanted; ++k) {
            side_by_side &= list[i + k].offset == list[i].offset + static_cast<std::int64_t>(4 * k);
            first = std::min(first, list[i + k].index);
          }
          if (!side_by_side) continue;
          // The wide load stands where the first of them stood.
          VirtualInst wide = insts[list[i].index];
          for (std::size_t k = 1; k < wanted; ++k) {
            const VirtualInst& part = insts[list[i + k].index];
            wide.defines.push_back(part.defines[0]);
            wide.machine.merged_slots[k - 1] = part.machine.slot;
            gone[list[i + k].index] = true;
          }
          gone[list[i].index] = true;
          gone[first] = false;
          wide.machine.bytes = static_cast<std::uint16_t>(bytes);
          wide.access.bytes = static_cast<std::uint32_t>(bytes);
          wide.machine.ptx_inst = insts[first].machine.ptx_inst;
          insts[first] = std::move(wide);
          taken = wanted;
          any = true;
          break;
        }
        i += taken;
      }
    }
    begin = end + 1;
  }
  if (!any) return;
  std::vector<VirtualInst> kept;
  for (std::size_t i = 0; i < insts.size(); ++i)
    if (!gone[i]) kept.push_back(std::move(insts[i]));
  insts = std::move(kept);
}

}  // namespace

void merge_loads(Code& code) {
  for (VirtualBlock& block : code.blocks) merge_block(block);
}

}  // namespace wanren::lower
