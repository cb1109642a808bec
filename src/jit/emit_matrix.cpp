// Matrix instructions, PTX ISA 9.7.14. What returns false runs out of line.

#include "jit/emitter.h"

namespace wanren::jit {

bool Emitter::emit_matrix(const simt::Inst& inst) {
  (void)inst;
  return false;
}

}  // namespace wanren::jit
