// atom and red, PTX ISA 9.7.13. What returns false runs out of line.

#include "jit/address.h"

namespace wanren::jit {

bool Emitter::emit_atomic(const simt::Inst& inst) {
  (void)inst;
  return false;
}

}  // namespace wanren::jit
