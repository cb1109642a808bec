#pragma once
// From embedded device code to the PTX text that a chip runs.

#include <string>
#include <vector>

#include "chip/spec.h"
#include "driver/module.h"
#include "ptx/fatbinary.h"

namespace wanren::cuda {

/// The PTX texts of device code in memory: a fat binary or its wrapper, an ELF image, or PTX text that a zero
/// byte or the first byte that is no text ends.
Result<std::vector<ptx::PtxImage>> images_at(const void* data);

/// The image with the highest target that `chip` runs, or null.
const ptx::PtxImage* best_image(const std::vector<ptx::PtxImage>& images, const chip::Spec& chip);

/// The text with the highest target that `chip` runs. Errors are logged too: unreadable image, no PTX at all,
/// PTX for later chips only. `name` is the program's or file's, for messages.
driver::Loaded<std::string> pick_image(Result<std::vector<ptx::PtxImage>> images, const chip::Spec& chip,
                                       const std::string& name);

/// What cuLinkComplete returns for these texts, and back: empty if `data` is no such image.
std::vector<std::byte> linked_image(const std::vector<std::string>& texts);
std::vector<std::string> linked_texts(const void* data);

}  // namespace wanren::cuda
