#include "cuda/device_code.h"

#include <algorithm>
#include <cstring>

#include "support/log.h"

namespace wanren::cuda {

Result<std::vector<ptx::PtxImage>> images_at(const void* data) {
  const auto* bytes = static_cast<const std::byte*>(data);
  constexpr unsigned char fat_binary_magic[] = {0x50, 0xed, 0x55, 0xba};
  if (std::memcmp(data, fat_binary_magic, sizeof fat_binary_magic) != 0)
    return ptx::extract({bytes, std::strlen(static_cast<const char*>(data))});
  const auto size = ptx::fat_binary_bytes(
      std::span<const std::byte, ptx::fat_binary_header_bytes>(bytes, ptx::fat_binary_header_bytes));
  if (!size) return std::unexpected(size.error());
  return ptx::extract({bytes, *size});
}

driver::Loaded<std::string> pick_image(Result<std::vector<ptx::PtxImage>> images, const chip::Spec& chip,
                                       const std::string& name) {
  auto refuse = [](driver::Status status, Error error) {
    log::error(error.message());
    return std::unexpected(driver::Failure{status, std::move(error)});
  };
  if (!images) return refuse(driver::Status::cudaErrorInvalidKernelImage, images.error());
  const int target = static_cast<int>(chip.identity.ptx_target);
  const ptx::PtxImage* best = nullptr;
  int lowest = 1 << 20;
  for (const ptx::PtxImage& image : *images) {
    lowest = std::min(lowest, image.target_sm);
    if (image.target_sm <= target && (best == nullptr || image.target_sm > best->target_sm)) best = &image;
  }
  if (best != nullptr) return best->text;
  if (images->empty())
    return refuse(driver::Status::cudaErrorNoKernelImageForDevice,
                  Error{name, "its device code is machine code for another vendor's chip, without PTX",
                        "recompile with wanren cc, or with nvcc -gencode arch=compute_80,code=compute_80"});
  return refuse(driver::Status::cudaErrorNoKernelImageForDevice,
                Error{name,
                      "its PTX is for sm_" + std::to_string(lowest) + "; chip " + chip.name +
                          " runs PTX up to sm_" + std::to_string(target),
                      "recompile with -arch=sm_" + std::to_string(target) + " or choose another chip"});
}

}  // namespace wanren::cuda
