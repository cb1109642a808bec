#pragma once
// Device linking: what nvlink does for -rdc objects, done at load on PTX modules.

#include <vector>

#include "ptx/module.h"
#include "support/result.h"

namespace wanren::driver {

/// One module of several relocatable ones: external declarations meet their definitions, weak
/// duplicates fold, names private to a module stay apart. Errors name the symbol defined twice.
Result<ptx::Module> link_modules(std::vector<ptx::Module> modules);

}  // namespace wanren::driver
