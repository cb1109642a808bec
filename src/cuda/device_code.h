#pragma once
// From embedded device code to the PTX text that a chip runs.

#include <string>
#include <vector>

#include "chip/spec.h"
#include "driver/module.h"
#include "ptx/fatbinary.h"

namespace wanren::cuda {

/// The PTX texts of embedded device code: a fat binary, or PTX text that a zero byte ends.
Result<std::vector<ptx::PtxImage>> images_at(const void* data);

/// The text with the highest target that `chip` runs. Errors are logged too: unreadable image, no PTX at all,
/// PTX for later chips only. `name` is the program's or file's, for messages.
driver::Loaded<std::string> pick_image(Result<std::vector<ptx::PtxImage>> images, const chip::Spec& chip,
                                       const std::string& name);

}  // namespace wanren::cuda
