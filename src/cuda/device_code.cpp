#include "cuda/device_code.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "support/log.h"

namespace wanren::cuda {

namespace {

constexpr std::uint32_t wrapper_magic = 0x466243b1, fat_binary_magic = 0xba55ed50;

/// Bytes of a text that ends with a zero byte, or where memory stops being text: not every client terminates
/// it.
std::size_t text_bytes(const unsigned char* text) {
  std::size_t at = 0;
  for (;;) {
    const unsigned char c = text[at];
    std::size_t more = 0;
    if (c >= 0xc2 && c <= 0xf4)
      more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    else if (c >= 0x7f || (c < 0x20 && (c < '\t' || c > '\r')))
      return at;
    for (std::size_t i = 1; i <= more; ++i)
      if ((text[at + i] & 0xc0) != 0x80) return at;
    at += 1 + more;
  }
}

std::size_t elf_bytes(const std::byte* data) {
  Elf64_Ehdr header;
  std::memcpy(&header, data, sizeof header);
  std::uint64_t end = header.e_shoff + std::uint64_t{header.e_shnum} * header.e_shentsize;
  if (header.e_phnum != 0)
    end = std::max<std::uint64_t>(end, header.e_phoff + std::uint64_t{header.e_phnum} * header.e_phentsize);
  return static_cast<std::size_t>(end);
}

}  // namespace

Result<std::vector<ptx::PtxImage>> images_at(const void* data) {
  std::uint32_t magic = 0;
  std::memcpy(&magic, data, sizeof magic);
  if (magic == wrapper_magic) {
    std::memcpy(&data, static_cast<const std::byte*>(data) + 8, sizeof data);
    std::memcpy(&magic, data, sizeof magic);
  }
  const auto* bytes = static_cast<const std::byte*>(data);
  if (magic == fat_binary_magic) {
    const auto size = ptx::fat_binary_bytes(
        std::span<const std::byte, ptx::fat_binary_header_bytes>(bytes, ptx::fat_binary_header_bytes));
    if (!size) return std::unexpected(size.error());
    return ptx::extract({bytes, *size});
  }
  if (std::memcmp(data, ELFMAG, SELFMAG) == 0) return ptx::extract({bytes, elf_bytes(bytes)});
  return ptx::extract({bytes, text_bytes(static_cast<const unsigned char*>(data))});
}

const ptx::PtxImage* best_image(const std::vector<ptx::PtxImage>& images, const chip::Spec& chip) {
  const int target = static_cast<int>(chip.identity.ptx_target);
  const ptx::PtxImage* best = nullptr;
  for (const ptx::PtxImage& image : images)
    if (image.target_sm <= target && (best == nullptr || image.target_sm > best->target_sm)) best = &image;
  return best;
}

driver::Loaded<std::string> pick_image(Result<std::vector<ptx::PtxImage>> images, const chip::Spec& chip,
                                       const std::string& name) {
  auto refuse = [](driver::Status status, Error error) {
    log::error(error.message());
    return std::unexpected(driver::Failure{status, std::move(error)});
  };
  if (!images) return refuse(driver::Status::cudaErrorInvalidKernelImage, images.error());
  const int target = static_cast<int>(chip.identity.ptx_target);
  if (const ptx::PtxImage* best = best_image(*images, chip)) return best->text;
  int lowest = 1 << 20;
  for (const ptx::PtxImage& image : *images) lowest = std::min(lowest, image.target_sm);
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

// Mark, number of texts, then each with a zero byte behind it.
constexpr char linked_mark[8] = {'W', 'R', 'L', 'I', 'N', 'K', '0', '1'};

std::vector<std::byte> linked_image(const std::vector<std::string>& texts) {
  // One text is an image of its own, which other tools can read as well.
  std::string image;
  if (texts.size() > 1) {
    const std::uint64_t count = texts.size();
    image.assign(linked_mark, sizeof linked_mark);
    image.append(reinterpret_cast<const char*>(&count), sizeof count);
  }
  for (const std::string& text : texts) image.append(text.c_str(), text.size() + 1);
  const auto* begin = reinterpret_cast<const std::byte*>(image.data());
  return {begin, begin + image.size()};
}

std::vector<std::string> linked_texts(const void* data) {
  if (std::memcmp(data, linked_mark, sizeof linked_mark) != 0) return {};
  const auto* at = static_cast<const char*>(data) + sizeof linked_mark;
  std::uint64_t count = 0;
  std::memcpy(&count, at, sizeof count);
  at += sizeof count;
  std::vector<std::string> texts;
  for (; texts.size() < count; at += texts.back().size() + 1) texts.emplace_back(at);
  return texts;
}

}  // namespace wanren::cuda
