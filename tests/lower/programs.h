#pragma once
// PTX in, machine program out.

#include <gtest/gtest.h>

#include <string>

#include "lower/program.h"
#include "ptx/module.h"

namespace wanren::lower {

inline chip::Spec chip_named(const std::string& name) {
  Result<chip::Spec> spec = chip::load(name);
  EXPECT_TRUE(spec.has_value()) << spec.error().message();
  return spec ? *spec : chip::Spec{};
}

inline ptx::Module parsed(const std::string& text) {
  Result<ptx::Module> module = ptx::parse(text, "test.ptx");
  EXPECT_TRUE(module.has_value()) << module.error().message();
  return module ? *module : ptx::Module{};
}

struct Lowered {
  simt::Kernel kernel;
  MachineProgram program;
};

inline Lowered lowered(const std::string& text, const chip::Spec& chip, const std::string& name = "k") {
  Lowered result;
  const ptx::Module module = parsed(text);
  Result<simt::Kernel> kernel = simt::build(module, name, "test.ptx");
  EXPECT_TRUE(kernel.has_value()) << kernel.error().message();
  if (!kernel) return result;
  result.kernel = std::move(*kernel);
  Result<MachineProgram> program = lower(result.kernel, chip);
  EXPECT_TRUE(program.has_value()) << program.error().message();
  if (!program) return result;
  result.program = std::move(*program);
  EXPECT_EQ(verify(result.program, result.kernel), "") << dump(result.program, result.kernel);
  return result;
}

/// A kernel `k(u64 p, u64 q, u32 n)` whose body is `body`; %rd1, %rd2, %r1 hold the parameters, %r2 is tid.x.
inline std::string kernel_text(const std::string& body, const std::string& directives = "") {
  return ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p, .param .u64 q, "
         ".param .u32 n)\n" +
         directives +
         "{\n.reg .pred %p<20>;\n.reg .b16 %h<20>;\n.reg .b32 %r<100>;\n.reg .f32 %f<100>;\n.reg .b64 "
         "%rd<100>;\n"
         ".reg .f64 %fd<20>;\n.shared .align 16 .b8 tile[4096];\n"
         "ld.param.u64 %rd1, [p];\nld.param.u64 %rd2, [q];\nld.param.u32 %r1, [n];\nmov.u32 %r2, %tid.x;\n" +
         body + "\nret;\n}\n";
}

/// Instructions of all blocks for which `wanted` holds, repeats counted.
template <class F>
int count(const MachineProgram& program, F wanted) {
  int n = 0;
  for (const MachineBlock& block : program.blocks)
    for (const MachineInst& inst : block.insts)
      if (wanted(inst)) n += inst.repeat;
  return n;
}
inline int count(const MachineProgram& program, Pipe pipe) {
  return count(program, [=](const MachineInst& i) { return i.pipe == pipe; });
}
inline int count(const MachineProgram& program, Memory memory) {
  return count(program, [=](const MachineInst& i) { return i.memory == memory; });
}

}  // namespace wanren::lower
