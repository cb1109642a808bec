#pragma once
// Traced runs: warps run when the timing model asks for their next chunk.

#include <memory>

#include "engine/arena.h"
#include "engine/launch.h"
#include "trace/warp_source.h"

namespace wanren::engine {

class TraceSource : public trace::WarpSource {
 public:
  /// What has been executed so far; complete once every CTA has ended or failed() holds.
  virtual Execution execution() const = 0;
};

/// A live traced grid; `launch.code` is of the traced flavour. It refers to `arena` while it lives.
/// ordered() holds for order_sensitive kernels. Errors: as execute() refuses.
Result<std::unique_ptr<TraceSource>> trace_source(const Launch& launch, Arena& arena);

}  // namespace wanren::engine
