#pragma once

#include <array>
#include <map>
#include <string>

namespace wanren::cc {

// __cluster_dims__ is no attribute of clang 19. The header makes it an error with these words, upon which the
// file is compiled again with the macro below: then it annotates kernels, and the IR says whose clusters are
// how large.
inline constexpr const char* cluster_dims_marker = "__cluster_dims__ takes a second pass of wanren cc";
inline constexpr const char* cluster_dims_macro = "-D__WANREN_CLUSTER_DIMS__";

// By the kernel's name in PTX: the extents that textual LLVM IR notes.
using ClusterDims = std::map<std::string, std::array<unsigned, 3>>;
ClusterDims cluster_dims_of(const std::string& ir);

// `ptx` with .explicitcluster and .reqnctapercluster on those entry functions.
std::string give_clusters(const std::string& ptx, const ClusterDims& dims);

}  // namespace wanren::cc
