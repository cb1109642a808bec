#pragma once
// A PTX module as text meant it: what parse() returns and print() writes back.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ptx/types.h"
#include "support/result.h"

namespace wanren::ptx {

/// One mnemonic each; ptx/opcodes.def is the table.
enum class Opcode : std::uint8_t {
#define WR_OPCODE(id, text, flags, modifiers, cost) id,
#include "ptx/opcodes.def"
#undef WR_OPCODE
};
std::string_view name(Opcode opcode);  ///< "mad"

/// The flags of ptx/opcodes.def.
enum OpcodeFlag : std::uint8_t {
  has_destination = 1,  ///< D
  accesses_memory = 2,  ///< M
  may_suspend = 4,      ///< S
  not_executed = 8,     ///< X
  control_flow = 16,    ///< C
  collective = 32,      ///< P
};
std::uint8_t flags(Opcode opcode);  ///< OpcodeFlag, or'ed.

/// A video instruction: rows of ptx/opcodes.def that stand together.
constexpr bool is_video(Opcode opcode) {
  return opcode >= Opcode::vabsdiff && opcode <= Opcode::vsub4;
}

using RegisterId = std::uint32_t;  ///< Index into Function::registers.

struct Operand {
  enum class Kind : std::uint8_t {
    none,
    reg,       ///< reg
    integer,   ///< bits
    floating,  ///< bits: the pattern in the instruction's operand type, f64 pattern if `is_double`
    symbol,    ///< symbol (+ bits): a variable's address, a function or a label
    special,   ///< special
    address,   ///< [reg + bits] or [symbol + bits] or [bits]; textures: then {elements}
    vector,    ///< {elements}
    sink,      ///< _
  };
  Kind kind = Kind::none;
  bool negated = false;    ///< !%p
  bool has_reg = false;    ///< address: base is a register
  bool is_double = false;  ///< floating: written 0d…
  bool is_pair = false;    ///< vector: written d|p
  RegisterId reg = 0;
  SpecialRegister special{};
  std::uint64_t bits = 0;         ///< Value, or the byte offset as two's complement.
  std::string symbol;             ///< reg: the part that a video instruction selects, "b0" or "h1"
  std::vector<Operand> elements;  ///< vector; for `d|p` destinations the pair is a vector too.
};

struct Location {
  std::uint32_t ptx_line = 0;  ///< 1-based line in the PTX text.
  std::uint32_t file = 0;      ///< Index into Module::files; 0 is none.
  std::uint32_t line = 0;      ///< Line in that CUDA source file.
};

struct Instruction {
  Opcode opcode{};
  Modifiers mods;
  std::optional<RegisterId> guard;
  bool guard_negated = false;
  std::vector<Operand> destinations;
  std::vector<Operand> sources;  ///< call: the callee, then the arguments.
  std::string prototype;         ///< Indirect call: its .callprototype or .calltargets.
  std::string raw_modifiers;     ///< Opcodes flagged X: the modifiers as written; `mods` is empty.
  Location location;
};

/// A body is a flat list; labels stand before the instruction they name.
struct Statement {
  /// no_unroll: .pragma "nounroll"; the loop that begins here keeps its form.
  enum class Kind : std::uint8_t { instruction, label, branch_targets, no_unroll } kind;
  Instruction instruction;
  std::string label;                 ///< label, branch_targets: its name
  std::vector<std::string> targets;  ///< branch_targets, .calltargets
  bool is_call_targets = false;      ///< branch_targets: written .calltargets
};

struct Register {
  std::string name;
  Type type;
};

/// Opaque objects of PTX ISA 5.3 are variables of type b64.
enum class Opaque : std::uint8_t { none, texref, samplerref, surfref };

/// A variable: module scope, function scope (.shared, .local, .param) or a parameter.
struct Variable {
  std::string name;
  Space space = Space::global;
  Type type = Type::b8;
  std::uint8_t vector = 1;
  std::uint32_t align = 0;  ///< Bytes; natural alignment if the text gave none.
  std::uint64_t count = 1;  ///< Elements (product of array bounds); 0 for `[]` (extern shared).
  bool is_extern = false, is_visible = false, is_weak = false, is_common = false, is_managed = false;
  Opaque opaque = Opaque::none;
  std::vector<std::uint8_t> initial;  ///< Empty: zero. Little endian, may be shorter than size.
  struct Relocation {
    std::uint64_t offset;
    std::string symbol;
    std::int64_t addend;
    bool generic;
  };
  std::vector<Relocation> relocations;
  Location location;
  std::uint64_t bytes() const { return count * vector * ((static_cast<std::uint64_t>(bits(type)) + 7) / 8); }
};

struct LaunchBounds {
  std::uint32_t max_threads[3] = {0, 0, 0};  ///< .maxntid; 0: not given
  std::uint32_t required_threads[3] = {0, 0, 0};
  std::uint32_t min_ctas = 0, max_registers = 0;
  std::uint32_t required_cluster[3] = {0, 0, 0};
  bool explicit_cluster = false;
};

/// The signature of an indirect call's target.
struct Prototype {
  std::string name;
  std::vector<Variable> returns;
  std::vector<Variable> parameters;
  bool noreturn = false;
};

struct Function {
  std::string name;
  bool is_kernel = false, is_extern = false, is_visible = false, is_weak = false, has_body = false,
       noreturn = false;
  std::vector<Variable> returns;
  std::vector<Variable> parameters;
  std::vector<Register> registers;
  std::vector<Variable> variables;  ///< .shared, .local and call .param variables of the body.
  std::vector<Statement> body;
  std::vector<Prototype> prototypes;
  LaunchBounds bounds;
  Location location;
};

struct Module {
  int version_major = 0, version_minor = 0;
  std::string target;              ///< "sm_80", "sm_90a"
  int target_sm = 0;               ///< 80, 90
  std::vector<std::string> files;  ///< .file table; index 0 unused.
  std::vector<Variable> variables;
  std::vector<Function> functions;
};

/// Parses all of PTX ISA 8.x that the opcode table names. `name` stands in error places.
/// Errors: place is name:line:column; the cause names the token and, if near, the valid spelling.
Result<Module> parse(std::string_view text, std::string_view name);

/// Text that parses back to the same module.
std::string print(const Module& module);
std::string print(const Instruction& instruction, const Function& function);

}  // namespace wanren::ptx
