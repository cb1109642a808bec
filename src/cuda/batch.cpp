#include "cuda/batch.h"

#include <cstring>

#include "driver/graph.h"
#include "engine/arena.h"

namespace wanren::cuda {

using driver::Status;

Status copy_batch(driver::Device& device, const driver::Stream& stream, bool legacy,
                  const std::vector<BatchCopy>& copies, std::size_t* failed) {
  if (failed != nullptr) *failed = static_cast<std::size_t>(-1);  // None in particular.
  if (legacy) return Status::cudaErrorInvalidValue;
  if (driver::capturing(stream) != nullptr) return Status::cudaErrorStreamCaptureUnsupported;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const BatchCopy& one = copies[i];
    const auto found = device.arena().find(one.from);
    const bool on_device = found && found->kind == engine::Arena::Kind::device;
    // Pageable memory is read at the call, or holds the host until it has been read.
    std::vector<char> read;
    const void* from = one.from;
    if (one.read_now && !on_device && from != nullptr) {
      const driver::CopyShape& shape = one.shape;
      read.resize((shape.depth - 1) * shape.source_slice + (shape.height - 1) * shape.source_pitch +
                  shape.width);
      std::memcpy(read.data(), from, read.size());
      from = read.data();
    }
    const Status status =
        one.shape.bytes() == 0
            ? Status::cudaErrorInvalidValue
            : device.copy(one.to, from, one.shape, driver::CopyDirection::automatic, stream, true);
    if (status == Status::cudaSuccess) continue;
    if (failed != nullptr) *failed = i;
    return status;
  }
  return Status::cudaSuccess;
}

}  // namespace wanren::cuda
