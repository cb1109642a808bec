#pragma once
// Code between instruction selection and register allocation. For this folder only.

#include <cstdint>
#include <string>
#include <vector>

#include "lower/program.h"

namespace wanren::lower {

using Virtual = std::uint32_t;  ///< Index into Code::virtuals.
inline constexpr Virtual no_virtual = ~Virtual{0};

/// The stack pointer, and one register that calling conventions keep free.
inline constexpr std::uint32_t abi_registers = 2;

/// One 32-bit word of a value: in a virtual register, or known without one.
struct Word {
  enum class Kind : std::uint8_t {
    none,
    virtual_register,
    immediate,      ///< bits
    constant_bank,  ///< launch constants: parameters, %ntid, addresses of variables; bits tells them apart
  };
  Kind kind = Kind::none;
  std::uint8_t index = 0;  ///< Word within the virtual register.
  Virtual id = no_virtual;
  std::uint64_t bits = 0;
  bool in_register() const { return kind == Kind::virtual_register; }
  friend bool operator==(const Word&, const Word&) = default;
};

/// A value or operand, low word first. Empty: absent.
using Words = std::vector<Word>;

struct VirtualRegister {
  std::uint8_t words = 1;
  bool predicate = false;
};

/// What is known of the low end of a number: it is `rest` modulo 2^`known`.
struct LowBits {
  std::uint8_t known = 0, rest = 0;
  bool operator==(const LowBits&) const = default;
  bool divides(std::int64_t power, std::int64_t offset) const {
    return (std::int64_t{1} << known) >= power && (offset + rest) % power == 0;
  }
};

/// How an access may collide with others, for order within a block.
struct Access {
  enum class Space : std::uint8_t { none, generic, global, shared, local, constant, spill };
  Space space = Space::none;
  bool reads = false, writes = false;
  bool read_only = false;  ///< Memory that no thread writes (ld.global.nc, ld.const).
  bool fence = false;      ///< Keeps its place among all accesses (fences, acquire, volatile …).
  Word base{};             ///< Low word of the base address; immediate: none.
  LowBits base_bits;
  std::int64_t offset = 0;
  std::uint32_t bytes = 0;
};

/// A machine instruction on virtual registers.
struct VirtualInst {
  MachineInst machine;      ///< All but registers.
  std::vector<Words> uses;  ///< One entry per source; several words must be consecutive registers.
  Words defines;            ///< Consecutive registers.
  Word define_predicate{}, guard{};
  Access access;
  bool last = false;       ///< Stays behind everything in the block (branches, suspending instructions).
  bool keeps_old = false;  ///< Writes its result in some lanes only: the old value stays alive.
};

struct VirtualBlock {
  std::vector<VirtualInst> insts;
};

struct Code {
  const simt::Kernel* kernel = nullptr;
  const chip::Spec* chip = nullptr;
  std::vector<VirtualRegister> virtuals;
  std::vector<VirtualBlock> blocks;
  /// What a phi asks for: target = source at the end of block `from`.
  struct Copy {
    simt::BlockId from, to;
    Virtual target;
    Words source;
  };
  std::vector<Copy> copies;
  std::string tensor_path;
  std::vector<std::string> emulated;

  Virtual make(std::uint8_t words, bool predicate = false) {
    WR_CHECK(words <= 16);
    virtuals.push_back({words, predicate});
    return static_cast<Virtual>(virtuals.size() - 1);
  }
  static Word word_of(Virtual v, std::uint8_t index = 0) {
    Word w;
    w.kind = Word::Kind::virtual_register;
    w.id = v;
    w.index = index;
    return w;
  }
  Words words_of(Virtual v) const {
    Words ws;
    for (std::uint8_t i = 0; i < virtuals[v].words; ++i) ws.push_back(word_of(v, i));
    return ws;
  }
};

/// Where a virtual register lives: word `offset` of a group of consecutive registers.
struct Grouping {
  struct Seat {
    std::uint32_t group = 0;
    std::uint8_t offset = 0;
  };
  std::vector<Virtual> web;  ///< By virtual register: its representative after coalescing.
  std::vector<Seat> seats;   ///< By representative.
  struct Group {
    std::uint8_t words = 1;
    bool predicate = false;
    bool brief = false;  ///< Made by spilling: from a reload to its use.
  };
  std::vector<Group> groups;
};

/// Live representatives per block (bit sets by virtual register).
struct Liveness {
  using Set = std::vector<std::uint64_t>;
  std::vector<Set> in, out;
  static bool has(const Set& s, Virtual v) { return (s[v >> 6] >> (v & 63) & 1) != 0; }
};

/// Instructions for every needed value and effect; aliases, folded addresses and launch constants
/// produce none. Errors: a feature that the chip refuses.
Result<Code> select(const simt::Kernel& kernel, const chip::Spec& chip);

/// Turns unguarded loads of neighbouring words of shared memory into one load of two or four, where the
/// address is known to be aligned and nothing between them writes shared memory.
void merge_loads(Code& code);

/// Liveness of representatives. `web` maps virtual registers to representatives.
Liveness liveness(const Code& code, const std::vector<Virtual>& web);

/// Merges phis with their inputs where they do not interfere, else adds moves; seats values that one
/// instruction wants in consecutive registers, else adds moves.
Grouping coalesce(Code& code);

/// Most general registers that are live at once in the code's order.
std::uint32_t peak(const Code& code, const Grouping& grouping);

/// Most general registers that are live where some block begins.
std::uint32_t live_between_blocks(const Code& code, const Grouping& grouping);

/// Orders each block for the chip's latencies, with at most `budget` general registers live if the
/// source order allows it.
void schedule(Code& code, const Grouping& grouping, std::uint32_t budget);

/// Schedules for at most `budget` general registers and assigns them, with spill code where no order of
/// the instructions suffices. Fills blocks, registers used and spill bytes of the program.
void allocate(Code& code, Grouping& grouping, std::uint32_t budget, MachineProgram& program);

}  // namespace wanren::lower
