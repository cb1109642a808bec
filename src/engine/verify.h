#pragma once
// WANREN_VERIFY: what warps leave behind is replayed and compared with what was executed.

#include <memory>
#include <string>

#include "engine/source.h"

namespace wanren::engine {

/// The same source, watched while verifying(); a broken rule ends the program.
std::unique_ptr<TraceSource> watched(std::unique_ptr<TraceSource> source, const std::string& kernel);

}  // namespace wanren::engine
