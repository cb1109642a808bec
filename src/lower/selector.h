#pragma once
// Instruction selection: works backward from effects, so that what nobody needs is never emitted.
// Each simt instruction that is needed becomes a recipe of machine instructions; fused and folded ones
// become none. For this folder only.

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "lower/ir.h"
#include "lower/narrow.h"

namespace wanren::lower {

class Selector {
 public:
  Selector(const simt::Kernel& kernel, const chip::Spec& chip);
  Result<Code> run();

 private:
  using Operand = simt::Operand;
  using Inst = simt::Inst;

  struct Definition {
    const Inst* inst = nullptr;
    const simt::Phi* phi = nullptr;
    simt::BlockId block = simt::no_block;
    std::uint32_t index = 0;     ///< Of inst in its block.
    std::uint32_t position = 0;  ///< Of the value among inst's destinations.
  };

  // Base address of an access after folding.
  struct Address {
    Words base;
    std::int64_t offset = 0;
    LowBits bits;  ///< Of the base.
  };

  // --- values (select_values.cpp)
  void index_definitions();
  int words_of(simt::ValueId v) const;
  /// Words of a value; asks for its definition.
  Words place(simt::ValueId v);
  Words words(const Operand& o, int count);
  Word predicate(const Operand& o);
  Word predicate(simt::ValueId v);
  std::optional<Words> alias(const Inst& inst, const Definition& d);
  bool launch_constant(const Operand& o) const;
  /// The definition of a value that only this use needs, in the current block.
  const Inst* sole_use(const Operand& o) const;
  const Inst* definition(const Operand& o) const;
  bool pure(const Inst& inst) const { return inst.guard == simt::no_value; }
  Words destination(const Inst& inst, std::size_t i = 0);
  void demand(simt::BlockId block, std::uint32_t index);
  Word materialise(const Word& w);
  Words in_registers(Words ws);
  /// At most one source that is no register; the others are moved into registers.
  void legalise(std::vector<Words>& sources);

  // --- emission
  VirtualInst& emit(Pipe pipe, int latency, Words dst, std::vector<Words> sources);
  VirtualInst& integer(Words dst, std::vector<Words> sources);
  VirtualInst& multiply(Words dst, std::vector<Words> sources);
  VirtualInst& fp32(Words dst, std::vector<Words> sources, int flops);
  VirtualInst& fp16(Words dst, std::vector<Words> sources, int flops);
  VirtualInst& mufu(Words dst, std::vector<Words> sources);
  VirtualInst& convert(Words dst, std::vector<Words> sources);
  void fp64(Words dst, std::vector<Words> sources, int flops, std::int64_t emulation);
  void compare(Word dst, std::vector<Words> sources, const Word& extra);
  /// `count` dependent integer (or multiply) instructions from `sources` to `dst`.
  void chain(const Words& dst, std::vector<Words> sources, int count, Pipe pipe = Pipe::integer);
  void move(Words dst, const Words& source);
  void to_convention(const Operand& o);
  void function_call(const Inst& inst);
  void system_call(const Inst& inst);
  Words temporary(int count = 1) { return code_.words_of(code_.make(static_cast<std::uint8_t>(count))); }
  Word temporary_predicate() { return Code::word_of(code_.make(1, true)); }
  int interval(std::int64_t lanes) const;

  // --- recipes by family
  Result<void> recipe(const Inst& inst);
  Result<void> recipe_integer(const Inst& inst, bool& known);
  Result<void> recipe_float(const Inst& inst, bool& known);
  void asynchronous(const Inst& inst, Memory kind);
  Result<void> recipe_memory(const Inst& inst, bool& known);
  Result<void> recipe_matrix(const Inst& inst, bool& known);
  Result<void> product(const Inst& inst);
  void product_group(const Inst& inst);
  void add(const Inst& inst);
  void multiply_add(const Inst& inst);
  void logic(const Inst& inst);
  void shift(const Inst& inst);
  void divide_integer(const Inst& inst);
  void conversion(const Inst& inst);
  void predicate_logic(const Inst& inst);
  void set_predicate(const Inst& inst);
  void half(const Inst& inst, int operations);
  void approximate(const Inst& inst);
  void divide_float(const Inst& inst);
  void access(const Inst& inst, Memory kind, Words dst, const Operand& base, std::vector<Words> data,
              std::uint32_t bytes);
  Address address(const Operand& base, std::int64_t offset, bool narrow);
  LowBits low_bits(const Operand& o, int depth = 8);
  bool wide_product(const Operand& o, std::vector<Words>& factors);
  Words extended(const Inst& inst, const Operand& o);

  Result<void> terminator(const simt::Block& block);
  void reconvergence();
  void phis();
  Result<void> require(std::string_view feature, const Inst& inst);
  void emulated(const std::string& feature);

  const simt::Kernel& kernel_;
  const chip::Spec& chip_;
  Code code_;
  std::vector<Definition> definitions_;
  std::map<simt::ValueId, LowBits> supposed_;  ///< Of phis whose low bits are being looked for.
  std::vector<std::uint32_t> uses_;
  std::vector<bool> narrow_;
  std::vector<Words> places_;
  std::vector<std::vector<bool>> wanted_;
  std::deque<std::pair<simt::BlockId, std::uint32_t>> work_;
  std::vector<std::vector<std::vector<VirtualInst>>> recipes_;  ///< [block][instruction]
  std::vector<std::vector<VirtualInst>> head_, tail_;           ///< Before and after them.
  std::map<std::tuple<simt::BlockId, Word::Kind, std::uint64_t>, Word> constants_;

  // The recipe being written.
  simt::BlockId block_ = 0;
  std::uint32_t index_ = 0;
  const Inst* inst_ = nullptr;
  std::vector<VirtualInst>* out_ = nullptr;
  Word guard_{};
};

}  // namespace wanren::lower
