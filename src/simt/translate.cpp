// One PTX instruction: operands become variables, variables in memory become offsets and addresses.

#include <algorithm>
#include <bit>

#include "simt/fragments.h"
#include "simt/inliner.h"
#include "simt/opcode_traits.h"

namespace wanren::simt {

// A shared variable's offset in the CTA window, given on first use.
Operand Inliner::shared_offset(const ptx::Variable& v) {
  const auto align = static_cast<std::uint32_t>(alignment(v));
  if (v.is_extern || v.count == 0) {
    shared_.dynamic_align = std::max(shared_.dynamic_align, align);
    Operand o = Operand::imm(0);
    o.index = dynamic_shared_mark;
    return o;
  }
  const auto [it, fresh] = shared_.offsets.try_emplace(&v, 0);
  if (fresh) {
    it->second = round_up(shared_.bytes, align);
    shared_.bytes = it->second + v.bytes();
    shared_.align = std::max(shared_.align, align);
  }
  return Operand::imm(it->second);
}

// The kernel's own frame begins at 0.
Operand Inliner::frame_offset(std::uint64_t offset) const {
  Operand o = Operand::imm(offset);
  if (draft_.is_function) o.kind = Operand::Kind::frame_address;
  return o;
}

Result<Operand> Inliner::symbol(Instance& self, const std::string& name, const ptx::Location& at) {
  if (const auto it = self.locals.find(name); it != self.locals.end()) return frame_offset(it->second);
  if (self.is_kernel)
    if (const auto it = kernel_parameters_.find(name); it != kernel_parameters_.end()) {
      Operand o;
      o.kind = Operand::Kind::param_address;
      o.bits = it->second;
      return o;
    }
  for (const ptx::Variable& v : self.function->variables)
    if (v.space == ptx::Space::shared && v.name == name) return shared_offset(v);
  if (const auto p = call_parameter(self, name, at)) {
    draft_.parameters[*p].address_taken = true;
    Operand o = Operand::imm(0);
    o.index = call_parameter_mark | *p;
    return o;
  }
  if (const auto it = variables_.find(name); it != variables_.end()) {
    if (it->second->space == ptx::Space::shared) return shared_offset(*it->second);
    return global(name);
  }
  for (const ptx::Variable& v : self.function->variables)
    if (v.name == name && (v.space == ptx::Space::global || v.space == ptx::Space::constant))
      return global(name);
  if (const std::uint64_t address = graph_.addresses().of(name)) return Operand::imm(address);
  if (graph_.find(name))
    return error(at, "address of function '" + name + "', which is declared but not defined",
                 "link the object that defines it");
  return error(at, "unknown symbol '" + name + "'");
}

Operand Inliner::global(const std::string& name) {
  auto& names = draft_.kernel.globals;
  auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) it = names.insert(names.end(), name);
  Operand o;
  o.kind = Operand::Kind::global_symbol;
  o.index = static_cast<std::uint32_t>(it - names.begin());
  return o;
}

Operand Inliner::move_special(ptx::SpecialRegister reg, const ptx::Location& at) {
  const VariableId v = draft_.new_variable(register_width(ptx::type(reg)));
  Item& item = emit_inst(Opcode::mov, at, 0);
  item.inst.types[0] = ptx::type(reg);
  item.inst.dsts = {v};
  Operand o;
  o.kind = Operand::Kind::special;
  o.special = reg;
  item.inst.srcs = {o};
  return Operand::of(v);
}

// One scalar source.
Result<Operand> Inliner::value(Instance& self, const ptx::Operand& o, const std::array<ptx::Type, 4>& types,
                               const ptx::Location& at) {
  switch (o.kind) {
    case Kind::reg: {
      Operand r = Operand::of(self.first_register + o.reg);
      r.negated = o.negated;
      return r;
    }
    case Kind::integer: return Operand::imm(o.bits);
    case Kind::floating: {
      bool wide = false;
      for (const ptx::Type t : types) wide |= t == ptx::Type::f64 || t == ptx::Type::b64;
      if (!o.is_double || wide) return Operand::imm(o.bits);
      return Operand::imm(std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(o.bits))));
    }
    case Kind::symbol: {
      auto r = symbol(self, o.symbol, at);
      if (r) r->bits += o.bits;
      return r;
    }
    case Kind::special: return move_special(o.special, at);
    case Kind::none:
    case Kind::sink: return Operand{};
    case Kind::address:
    case Kind::vector: break;
  }
  return error(at, "operand of a kind that this instruction does not take");
}

// [base + offset]
Result<Operand> Inliner::address(Instance& self, const ptx::Operand& o, std::int64_t& offset,
                                 const ptx::Location& at) {
  offset = static_cast<std::int64_t>(o.bits);
  if (o.has_reg) return Operand::of(self.first_register + o.reg);
  if (!o.symbol.empty()) return symbol(self, o.symbol, at);
  return Operand::imm(0);
}

// ld/st of a .param variable by name. False: not one.
Result<bool> Inliner::parameter_access(Instance& self, const ptx::Instruction& in, Item& item) {
  if (in.opcode != Opcode::ld && in.opcode != Opcode::st) return false;
  if (item.inst.space() != ptx::Space::param) return false;
  const auto& operands = in.opcode == Opcode::ld   ? in.sources
                         : in.destinations.empty() ? in.sources
                                                   : in.destinations;
  const auto at =
      std::find_if(operands.begin(), operands.end(), [](const auto& o) { return o.kind == Kind::address; });
  if (at == operands.end()) return error(in.location, "memory access without an address");
  if (at->has_reg) {
    // A kernel's parameter buffer is generic memory; a callee's parameters live in its frame.
    item.inst.set_space(self.is_kernel ? ptx::Space::none : ptx::Space::local);
    return false;
  }
  item.inst.offset = static_cast<std::int64_t>(at->bits);
  item.inst.srcs = {Operand::imm(0)};
  if (self.is_kernel)
    if (const auto it = kernel_parameters_.find(at->symbol); it != kernel_parameters_.end()) {
      item.inst.offset += static_cast<std::int64_t>(it->second);
      return true;
    }
  const auto p = call_parameter(self, at->symbol, in.location);
  if (!p) return error(in.location, "unknown parameter '" + at->symbol + "'");
  item.parameter = *p;
  item.counts = 0;
  return true;
}

// wgmma: {A's registers or descriptor, B's descriptor, scale-d, words that are constant}. The words become
// the operation's, and the accumulators, which the text names once, are read too.
Result<void> Inliner::product_operands(Inst& inst) {
  const ptx::Type type = inst.types[1];
  const std::size_t half = ptx::bits(type) == 16, scales = ptx::is_float(type) ? 2 : 0;
  Tile& tile = inst.set_tile();
  tile.a_in_registers = inst.srcs.size() == 4 + 2 + scales + half;
  const std::size_t constants = tile.a_in_registers ? 6 : 3,
                    words = scales + half * (tile.a_in_registers ? 1 : 2);
  const auto wrong = [&](const char* what) {
    return error(inst.location, std::string("wgmma.mma_async: ") + what,
                 "see PTX ISA 9.7.15.5 for its operands");
  };
  const bool float_sum = inst.types[0] == ptx::Type::f32 || inst.types[0] == ptx::Type::f16;
  const bool sums = ptx::is_float(type) ? float_sum : inst.types[0] == ptx::Type::s32;
  if (!sums || ptx::bits(inst.types[2]) != ptx::bits(type)) return wrong("its types do not go together");
  if (inst.srcs.size() != constants + words) return wrong("its operands do not fit its types");
  if (inst.guard != no_value)
    return wrong("all threads of the warpgroup execute it together, without a guard");
  for (std::size_t i = 0; i < words; ++i) {
    const Operand& o = inst.srcs[constants + i];
    const auto value = static_cast<std::int32_t>(o.bits);
    const bool scale = i < scales;
    if (o.kind != Operand::Kind::imm || (scale ? value != 1 && value != -1 : value != 0 && value != 1))
      return wrong("scales are 1 or -1, transpositions 0 or 1");
    if (scale)
      tile.negated ^= value < 0;
    else if (i + 1 == words)
      tile.b_col = value == 0;
    else
      tile.a_col = value == 1;
  }
  if (half == 0) tile.b_col = true;
  inst.srcs.resize(constants);
  const auto registers =
      static_cast<std::size_t>(tile.n / 2) * static_cast<std::size_t>(ptx::bits(inst.types[0])) / 32;
  const bool shape =
      tile.m == 64 && tile.n >= 8 && tile.n <= 256 && tile.n % 8 == 0 && tile.k == product_depth(type);
  if (!shape || inst.dsts.size() != registers) return wrong("the accumulators do not fit the shape");
  for (const ValueId d : inst.dsts) {
    if (d == no_value) return wrong("an accumulator is missing");
    inst.srcs.push_back(Operand::of(d));
  }
  return {};
}

// Selectors of a video instruction's operands: .b0 to .b3, .h0, .h1, and lists of them, the upper part first.
Result<void> Inliner::video_parts(const ptx::Instruction& in, Inst& inst) {
  auto& v = std::get<Video>(inst.payload);
  const char last = ptx::name(inst.op).back();
  const int count = last == '2' ? 2 : last == '4' ? 4 : 1;
  const auto wrong = [&](const std::string& selector) {
    return error(in.location,
                 "operand selector ." + selector + " does not fit " + std::string(ptx::name(inst.op)));
  };
  const std::string destination = in.destinations.empty() ? "" : in.destinations[0].symbol;
  if (count == 1) {
    const auto part = [](const std::string& selector, std::uint8_t& bits, std::uint8_t& index) {
      if (selector.empty()) return true;
      bits = selector[0] == 'b' ? 8 : 16;
      index = static_cast<std::uint8_t>(selector[1] - '0');
      return selector.size() == 2 && index < 32 / bits;
    };
    if (!part(in.sources[0].symbol, v.a_bits, v.a[0])) return wrong(in.sources[0].symbol);
    if (!part(in.sources[1].symbol, v.b_bits, v.b[0])) return wrong(in.sources[1].symbol);
    if (!part(destination, v.d_bits, v.d_index)) return wrong(destination);
  } else {
    const char letter = count == 2 ? 'h' : 'b';
    const auto parts = [&](const std::string& selector, std::array<std::uint8_t, 4>& to, int first) {
      for (int i = 0; i < count; ++i) to[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(first + i);
      if (selector.empty()) return true;
      if (selector[0] != letter || static_cast<int>(selector.size()) != count + 1) return false;
      for (int i = 0; i < count; ++i) {
        const int part = selector[static_cast<std::size_t>(count - i)] - '0';
        if (part >= 2 * count) return false;
        to[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(part);
      }
      return true;
    };
    if (!parts(in.sources[0].symbol, v.a, 0)) return wrong(in.sources[0].symbol);
    if (!parts(in.sources[1].symbol, v.b, count)) return wrong(in.sources[1].symbol);
    if (destination.empty()) v.mask = static_cast<std::uint8_t>((1 << count) - 1);
    for (std::size_t i = 1; i < destination.size(); ++i) {
      if (destination[0] != letter || destination[i] - '0' >= count) return wrong(destination);
      v.mask |= static_cast<std::uint8_t>(1 << (destination[i] - '0'));
    }
  }
  const bool third =
      count > 1 || inst.op == Opcode::vmad || v.d_bits < 32 || v.secondary != ptx::AtomOp::none;
  if (inst.dsts.size() != 1 || inst.srcs.size() < (third ? 3 : 2))
    return error(in.location, std::string(ptx::name(inst.op)) + " lacks an operand");
  return {};
}

// Compilers also take the address of a parameter as 32 bits: `mov.b32 %r, name`.
bool Inliner::has_short_parameter_addresses(Instance& self) {
  if (!self.is_kernel) return false;
  if (!self.short_parameter_addresses)
    self.short_parameter_addresses =
        std::ranges::any_of(self.function->body, [&](const ptx::Statement& statement) {
          const ptx::Instruction& in = statement.instruction;
          return statement.kind == ptx::Statement::Kind::instruction && in.opcode == Opcode::mov &&
                 ptx::bits(in.mods.types[0]) == 32 && !in.sources.empty() &&
                 kernel_parameters_.contains(in.sources[0].symbol);
        });
  return *self.short_parameter_addresses;
}

// The buffer is less than 2 GiB, so the distance of the low halves from its start is all that is missing.
void Inliner::restore_parameter_address(Inst& inst) {
  Operand start;
  start.kind = Operand::Kind::param_address;
  Operand distance = inst.srcs[0];
  const auto step = [&](Opcode op, ptx::Type type, Operand by) {
    Inst& added = emit_inst(op, inst.location, 0).inst;
    added.types[0] = type;
    added.guard = inst.guard;
    added.guard_negated = inst.guard_negated;
    added.dsts = {draft_.new_variable(Width::b64)};
    added.srcs = {distance, by};
    distance = Operand::of(added.dsts[0]);
  };
  step(Opcode::sub, ptx::Type::u64, start);
  step(Opcode::shl, ptx::Type::b64, Operand::imm(32));
  step(Opcode::shr, ptx::Type::s64, Operand::imm(32));
  static_cast<Operation&>(inst) = {Opcode::add, {ptx::Type::u64}, {}};
  inst.srcs = {distance, start};
}

Result<void> Inliner::plain(Instance& self, const ptx::Instruction& in, bool keep_guard) {
  Item item;
  Inst& inst = item.inst;
  static_cast<Operation&>(inst) = operation_of(in.opcode, in.mods);
  inst.location = in.location;
  if (keep_guard && in.guard) {
    inst.guard = self.first_register + *in.guard;
    inst.guard_negated = in.guard_negated;
  }
  if (in.mods.variant == ptx::Variant::im2col)
    return error(in.location, "copies of tensors in im2col mode are not executed", "use tiled mode");
  auto parameter = parameter_access(self, in, item);
  if (!parameter) return std::unexpected(parameter.error());

  // Addresses first, whichever side of the text they stand on.
  std::vector<const ptx::Operand*> data;
  bool have_address = *parameter;
  auto sort_operand = [&](const ptx::Operand& o) -> Result<void> {
    if (o.kind != Kind::address) {
      data.push_back(&o);
      return {};
    }
    if (*parameter) return {};
    for (const ptx::Operand& coordinate : o.elements) data.push_back(&coordinate);
    std::int64_t offset = 0;
    auto base = address(self, o, offset, in.location);
    if (!base) return std::unexpected(base.error());
    if (!have_address) {
      have_address = true;
      inst.srcs.insert(inst.srcs.begin(), *base);
      inst.offset = offset;
      return {};
    }
    // A second address (cp.async's source) has no offset field of its own.
    if (offset != 0 && base->kind == Operand::Kind::value) {
      const Width width = draft_.variables[base->value];
      const VariableId sum = draft_.new_variable(width);
      Item& add = emit_inst(Opcode::add, in.location, 0);
      add.inst.types[0] = width == Width::b64 ? ptx::Type::s64 : ptx::Type::s32;
      add.inst.dsts = {sum};
      add.inst.srcs = {*base, Operand::imm(static_cast<std::uint64_t>(offset))};
      *base = Operand::of(sum);
    } else {
      base->bits += static_cast<std::uint64_t>(offset);
    }
    inst.srcs.push_back(*base);
    return {};
  };
  for (const ptx::Operand& o : in.destinations) {
    if (o.kind == Kind::address) {
      if (auto r = sort_operand(o); !r) return r;
      continue;
    }
    std::vector<const ptx::Operand*> parts;
    collect(o, parts);
    for (const ptx::Operand* p : parts) {
      if (p->kind != Kind::reg && p->kind != Kind::sink && p->kind != Kind::none)
        return error(in.location, "destination is not a register");
      inst.dsts.push_back(p->kind == Kind::reg ? self.first_register + p->reg : no_value);
    }
  }
  for (std::size_t i = 0; i < in.sources.size(); ++i) {
    if (in.opcode == Opcode::cp_async && i == 2) continue;  // the operation has it
    if (auto r = sort_operand(in.sources[i]); !r) return r;
  }
  for (const ptx::Operand* o : data) {
    std::vector<const ptx::Operand*> parts;
    collect(*o, parts);
    for (const ptx::Operand* p : parts) {
      if (p->kind == Kind::special && in.opcode == Opcode::mov && parts.size() == 1) {
        Operand special;
        special.kind = Operand::Kind::special;
        special.special = p->special;
        inst.srcs.push_back(special);
        continue;
      }
      auto v = value(self, *p, in.mods.types, in.location);
      if (!v) return std::unexpected(v.error());
      inst.srcs.push_back(*v);
    }
  }
  using enum Opcode;
  if (ptx::is_video(inst.op))
    if (auto r = video_parts(in, inst); !r) return r;
  if (inst.op == wgmma_wait_group && (inst.srcs.size() != 1 || inst.srcs[0].kind != Operand::Kind::imm))
    return error(inst.location, "wgmma.wait_group takes a constant");
  if (inst.op == wgmma_mma_async)
    if (auto r = product_operands(inst); !r) return r;
  if (inst.op == addc || inst.op == subc || inst.op == madc) inst.srcs.push_back(Operand::of(carry_));
  if (inst.arithmetic().cc) inst.dsts.push_back(carry_);
  if (inst.op == cvta) {
    // Global, constant and parameter memory are generic memory at the same addresses.
    const ptx::Space s = inst.space();
    if (s == ptx::Space::global || s == ptx::Space::constant || s == ptx::Space::param) {
      static_cast<Operation&>(inst) = {mov, {inst.types[0]}, {}};
    }
    if (s == ptx::Space::param && has_short_parameter_addresses(self)) restore_parameter_address(inst);
  }
  draft_.items.push_back(std::move(item));
  return {};
}

}  // namespace wanren::simt
