// Readable text of a kernel.

#include <fmt/format.h>

#include <iterator>

#include "simt/kernel.h"

namespace wanren::simt {
namespace {

std::string text(const Kernel& k, const Operand& o) {
  const char* sign = o.negated ? "!" : "";
  switch (o.kind) {
    case Operand::Kind::none: return "_";
    case Operand::Kind::value: return fmt::format("{}v{}", sign, o.value);
    case Operand::Kind::imm: return o.bits < 4096 ? fmt::format("{}", o.bits) : fmt::format("0x{:x}", o.bits);
    case Operand::Kind::special: return std::string(ptx::name(o.special));
    case Operand::Kind::global_symbol: {
      const std::string name = o.index < k.globals.size() ? k.globals[o.index] : "?";
      return o.bits ? fmt::format("@{}+{}", name, static_cast<std::int64_t>(o.bits)) : "@" + name;
    }
    case Operand::Kind::param_address: return fmt::format("param+{}", o.bits);
    case Operand::Kind::frame_address: return fmt::format("frame+{}", o.bits);
    case Operand::Kind::argument: return fmt::format("argument {}", o.index);
    case Operand::Kind::undefined: return "undef";
  }
  return "?";
}

const char* text(Syscall s) {
  switch (s) {
    case Syscall::vprintf: return "vprintf";
    case Syscall::malloc: return "malloc";
    case Syscall::free: return "free";
    case Syscall::assertfail: return "assertfail";
    case Syscall::none: break;
  }
  return "none";
}

const char* text(Width w) {
  switch (w) {
    case Width::pred: return "pred";
    case Width::b16: return "b16";
    case Width::b32: return "b32";
    case Width::b64: return "b64";
    case Width::b128: return "b128";
  }
  return "?";
}

const char* text(ptx::Space s) {
  using enum ptx::Space;
  switch (s) {
    case constant: return ".const";
    case global: return ".global";
    case local: return ".local";
    case param: return ".param";
    case shared: return ".shared";
    case shared_cluster: return ".shared::cluster";
    default: return "";
  }
}

void list(std::string& out, const Kernel& k, const std::vector<Operand>& operands) {
  for (std::size_t i = 0; i < operands.size(); ++i) out += (i ? ", " : "") + text(k, operands[i]);
}

}  // namespace

std::string dump(const Kernel& k) {
  std::string out = fmt::format("kernel {} params {} shared {} local {}{}{}\n", k.name, k.parameter_bytes,
                                k.static_shared_bytes, k.local_bytes, k.needs_coupling ? " coupled" : "",
                                k.order_sensitive ? " order_sensitive" : "");
  auto to = std::back_inserter(out);
  for (const Block& b : k.blocks) {
    if (const FunctionId f = function_at(k, b.id); f != no_function && k.functions[f].first_block == b.id)
      fmt::format_to(to, "function {} frame {}{}\n", k.functions[f].name, k.functions[f].frame_bytes,
                     k.functions[f].may_exit ? " may exit" : "");
    fmt::format_to(to, "block {}:", b.id);
    if (!b.preds.empty()) {
      out += " preds";
      for (const BlockId p : b.preds) fmt::format_to(to, " {}", p);
    }
    if (b.loop_header != no_block) fmt::format_to(to, " loop {} depth {}", b.loop_header, b.loop_depth);
    if (b.immediate_post_dominator != no_block) fmt::format_to(to, " ipdom {}", b.immediate_post_dominator);
    fmt::format_to(to, " ptx {}\n", b.ptx_instructions);
    for (const Phi& phi : b.phis) {
      fmt::format_to(to, "  v{}:{} = phi ", phi.dst, text(k.values[phi.dst].width));
      list(out, k, phi.incoming);
      out += '\n';
    }
    for (const Inst& inst : b.insts) {
      out += "  ";
      if (inst.guard != no_value) fmt::format_to(to, "@{}v{} ", inst.guard_negated ? "!" : "", inst.guard);
      for (std::size_t i = 0; i < inst.dsts.size(); ++i) {
        if (i) out += ", ";
        if (inst.dsts[i] == no_value)
          out += "_";
        else
          fmt::format_to(to, "v{}:{}", inst.dsts[i], text(k.values[inst.dsts[i]].width));
      }
      if (!inst.dsts.empty()) out += " = ";
      out += ptx::name(inst.op);
      out += text(inst.space());
      for (const ptx::Type t : inst.types)
        if (t != ptx::Type::none) fmt::format_to(to, ".{}", ptx::name(t));
      if (inst.syscall != Syscall::none) fmt::format_to(to, " {}", text(inst.syscall));
      if (inst.indirect) out += " one of";
      for (const FunctionId f : inst.callees)
        fmt::format_to(to, " {}", f < k.functions.size() ? k.functions[f].name : "?");
      if (!inst.srcs.empty()) out += " ";
      list(out, k, inst.srcs);
      if (inst.offset) fmt::format_to(to, " offset {}", inst.offset);
      if (!inst.prior.empty()) {
        out += " prior ";
        list(out, k, inst.prior);
      }
      if (inst.slot != no_slot) fmt::format_to(to, " slot {}", inst.slot);
      out += '\n';
    }
    const Terminator& t = b.term;
    const char* sign = t.negated ? "!" : "";
    switch (t.kind) {
      case Terminator::Kind::jump: fmt::format_to(to, "  jump {}", t.targets.at(0)); break;
      case Terminator::Kind::branch:
        fmt::format_to(to, "  branch {}v{} {} {}", sign, t.cond, t.targets.at(0), t.targets.at(1));
        break;
      case Terminator::Kind::index:
        fmt::format_to(to, "  index v{}", t.cond);
        for (const BlockId s : t.targets) fmt::format_to(to, " {}", s);
        break;
      case Terminator::Kind::exit: out += "  exit"; break;
      case Terminator::Kind::trap: out += "  trap"; break;
    }
    if (t.spins) out += " spins";
    if (b.ordered) out += " ordered";
    switch (b.suspend) {
      case Suspend::none: break;
      case Suspend::barrier: out += " suspend barrier"; break;
      case Suspend::clock: out += " suspend clock"; break;
      case Suspend::sleep: out += " suspend sleep"; break;
      case Suspend::phase: out += " suspend phase"; break;
      case Suspend::products: out += " suspend products"; break;
      case Suspend::call: out += " suspend call"; break;
    }
    out += '\n';
  }
  return out;
}

}  // namespace wanren::simt
