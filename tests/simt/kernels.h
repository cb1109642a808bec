#pragma once
// Helpers: PTX text to kernels, and names for what tests ask of them.

#include <gtest/gtest.h>

#include <string>

#include "simt/shape.h"
#include "simt/transfer.h"

namespace wanren::simt::test {

inline std::string header() {
  return ".version 7.8\n.target sm_80\n.address_size 64\n";
}

/// A kernel `k` with one pointer and one u32 parameter around `body`.
inline std::string kernel_text(const std::string& body) {
  return header() +
         ".visible .entry k(.param .u64 k_param_0, .param .u32 k_param_1)\n{\n.reg .pred %p<40>;\n" +
         ".reg .b16 %rs<40>;\n.reg .b32 %r<60>;\n.reg .f32 %f<20>;\n.reg .b64 %rd<40>;\n" + body + "\n}\n";
}

inline Result<Kernel> try_build(const std::string& text, const std::string& name = "k") {
  auto module = ptx::parse(text, "t.ptx");
  if (!module) return std::unexpected(module.error());
  return build(*module, name, "t.ptx");
}

inline Kernel must_build(const std::string& text, const std::string& name = "k") {
  auto kernel = try_build(text, name);
  if (!kernel) {
    ADD_FAILURE() << kernel.error().message();
    return {};
  }
  EXPECT_EQ(verify(*kernel), "") << dump(*kernel);
  return std::move(*kernel);
}

inline BlockShape block_of(std::uint32_t x, std::uint32_t y = 1, std::uint32_t z = 1) {
  return {false, {x, y, z}};
}

inline std::size_t phis(const Kernel& k) {
  std::size_t n = 0;
  for (const Block& b : k.blocks) n += b.phis.size();
  return n;
}

/// The first instruction with this opcode, anywhere.
inline const Inst& find(const Kernel& k, ptx::Opcode op, int skip = 0) {
  for (const Block& b : k.blocks)
    for (const Inst& i : b.insts)
      if (i.op == op && skip-- == 0) return i;
  ADD_FAILURE() << "no such instruction in\n" << dump(k);
  static const Inst none;
  return none;
}

/// What `mov` from this special register defines.
inline ValueId special(const Kernel& k, ptx::SpecialRegister reg) {
  for (const Block& b : k.blocks)
    for (const Inst& i : b.insts)
      if (i.op == ptx::Opcode::mov && i.srcs[0].kind == Operand::Kind::special && i.srcs[0].special == reg)
        return i.dsts[0];
  ADD_FAILURE() << "no read of that register in\n" << dump(k);
  return 0;
}

}  // namespace wanren::simt::test
