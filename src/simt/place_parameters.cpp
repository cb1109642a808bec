// Arguments and results of calls. A part of a .param variable that every access reads or writes with
// one offset and width is a register; a variable whose accesses disagree, or whose address is taken, is
// memory in the thread's frame.

#include <algorithm>
#include <map>

#include "simt/draft.h"

namespace wanren::simt {
namespace {

using ptx::Opcode;

std::uint32_t element_bytes(const Item& item) {
  return std::max(1, ptx::bits(item.inst.types[0]) / 8);
}

struct Placement {
  bool in_memory = false;
  std::uint64_t frame_offset = 0;
  std::map<std::uint64_t, std::pair<std::uint32_t, VariableId>> parts;  // offset -> bytes, variable
};

Width width_of(std::uint32_t bytes) {
  return bytes <= 2 ? Width::b16 : bytes == 4 ? Width::b32 : bytes == 8 ? Width::b64 : Width::b128;
}

ptx::Type type_of(std::uint32_t bytes, bool is_signed) {
  using enum ptx::Type;
  switch (bytes) {
    case 1: return is_signed ? s8 : u8;
    case 2: return is_signed ? s16 : u16;
    case 4: return is_signed ? s32 : u32;
    default: return is_signed ? s64 : u64;
  }
}

// dst = src where one may be wider than the part; `bytes` of it count.
Inst transfer(const Draft& draft, const Item& item, VariableId dst, Operand src, std::uint32_t bytes) {
  Inst inst;
  inst.location = item.inst.location;
  inst.guard = item.inst.guard;
  inst.guard_negated = item.inst.guard_negated;
  inst.dsts = {dst};
  inst.srcs = {src};
  const Width to = draft.variables[dst];
  const int from_bits = src.kind == Operand::Kind::value ? bits(draft.variables[src.value]) : bits(to);
  if (from_bits == bits(to) && static_cast<int>(bytes) * 8 == from_bits) {
    inst.op = Opcode::mov;
    inst.types[0] = to == Width::b128 ? ptx::Type::b128 : type_of(bytes, false);
    return inst;
  }
  const bool is_signed = ptx::is_signed(item.inst.types[0]);
  inst.op = Opcode::cvt;
  inst.types[0] = type_of(static_cast<std::uint32_t>(bits(to)) / 8, is_signed);
  inst.types[1] = type_of(bytes, is_signed);
  return inst;
}

}  // namespace

Result<void> place_parameters(Draft& draft) {
  std::vector<Placement> placements(draft.parameters.size());
  for (const Item& item : draft.items) {
    if (item.parameter == no_parameter) continue;
    Placement& p = placements[item.parameter];
    const std::uint32_t bytes = element_bytes(item);
    for (std::uint32_t e = 0; e < item.inst.memory().vector; ++e) {
      const std::uint64_t at = static_cast<std::uint64_t>(item.inst.offset) + e * bytes;
      auto [it, fresh] = p.parts.try_emplace(at, bytes, 0);
      p.in_memory |= it->second.first != bytes;
      if (it != p.parts.begin()) p.in_memory |= std::prev(it)->first + std::prev(it)->second.first > at;
      if (std::next(it) != p.parts.end()) p.in_memory |= at + bytes > std::next(it)->first;
    }
  }
  std::uint64_t top = draft.kernel.frame_bytes;
  for (std::size_t i = 0; i < placements.size(); ++i) {
    Placement& p = placements[i];
    const CallParameter& parameter = draft.parameters[i];
    p.in_memory |= parameter.address_taken || parameter.frame_offset >= 0;
    if (parameter.frame_offset >= 0) {
      p.frame_offset = static_cast<std::uint64_t>(parameter.frame_offset);
    } else if (p.in_memory) {
      std::uint64_t bytes = parameter.bytes;
      for (const auto& [at, part] : p.parts) bytes = std::max(bytes, at + part.first);
      top = round_up(top, std::max<std::uint64_t>(parameter.align, 16));
      p.frame_offset = top;
      top += bytes;
    } else {
      for (auto& [at, part] : p.parts) part.second = draft.new_variable(width_of(part.first));
    }
  }
  Kernel& k = draft.kernel;
  k.frame_bytes = static_cast<std::uint32_t>(round_up(top, 16));
  for (std::size_t i = 0; i < placements.size(); ++i)
    if (draft.parameters[i].outgoing) placements[i].frame_offset += k.frame_bytes;

  std::vector<Item> items;
  items.reserve(draft.items.size());
  for (Item& item : draft.items) {
    for (Operand& o : item.inst.srcs) {
      if (o.kind != Operand::Kind::imm || o.index == 0) continue;
      if (o.index == dynamic_shared_mark) {
        o.bits += k.static_shared_bytes;
      } else {
        o.bits += placements[o.index & ~call_parameter_mark].frame_offset;
        if (draft.is_function) o.kind = Operand::Kind::frame_address;
      }
      o.index = 0;
    }
    if (item.parameter == no_parameter) {
      items.push_back(std::move(item));
      continue;
    }
    Placement& p = placements[item.parameter];
    if (p.in_memory) {
      item.inst.set_space(ptx::Space::local);
      item.inst.offset += static_cast<std::int64_t>(p.frame_offset);
      if (draft.is_function) item.inst.srcs[0].kind = Operand::Kind::frame_address;
      item.parameter = no_parameter;
      items.push_back(std::move(item));
      continue;
    }
    const std::uint32_t bytes = element_bytes(item);
    for (std::uint32_t e = 0; e < item.inst.memory().vector; ++e) {
      const VariableId part = p.parts[static_cast<std::uint64_t>(item.inst.offset) + e * bytes].second;
      Item move;
      move.counts = 0;
      if (item.inst.op == Opcode::ld) {
        if (item.inst.dsts[e] == no_value) continue;
        move.inst = transfer(draft, item, item.inst.dsts[e], Operand::of(part), bytes);
      } else {
        move.inst = transfer(draft, item, part, item.inst.srcs[1 + e], bytes);
      }
      items.push_back(std::move(move));
    }
  }
  draft.items = std::move(items);
  return {};
}

}  // namespace wanren::simt
