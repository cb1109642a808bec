#include "cc/cluster_dims.h"

#include <cstdlib>
#include <string_view>

namespace wanren::cc {
namespace {

// The name behind '@' at `at`: a bare or a quoted one.
std::string name_at(std::string_view text, std::size_t at) {
  if (at < text.size() && text[at] == '"')
    return std::string(text.substr(at + 1, text.find('"', at + 1) - at - 1));
  return std::string(text.substr(at, text.find_first_of(" ,})\n", at) - at));
}

// The text of a global's definition, to the end of its line.
std::string_view definition(std::string_view ir, const std::string& name) {
  const std::size_t begin = ir.find("\n@" + name + " = ");
  if (begin == std::string_view::npos) return {};
  return ir.substr(begin + 1, ir.find('\n', begin + 1) - begin - 1);
}

}  // namespace

ClusterDims cluster_dims_of(const std::string& ir) {
  ClusterDims dims;
  // { ptr @kernel, ptr @what, ptr @file, i32 line, ptr @arguments }
  constexpr std::string_view entry = "{ ptr @";
  const std::string_view list = definition(ir, "llvm.global.annotations");
  for (std::size_t at = list.find(entry); at != std::string_view::npos; at = list.find(entry, at + 1)) {
    const std::string_view fields = list.substr(at, list.find('}', at) - at);
    const std::string kernel = name_at(fields, entry.size());
    const std::size_t what = fields.find('@', entry.size()), arguments = fields.rfind('@');
    if (definition(ir, name_at(fields, what + 1)).find("wanren.cluster_dims") == std::string_view::npos)
      continue;
    std::array<unsigned, 3> extents = {1, 1, 1};
    const std::string_view values = definition(ir, name_at(fields, arguments + 1));
    std::size_t value = values.find("} {");
    for (unsigned& extent : extents) {
      value = value == std::string_view::npos ? value : values.find("i32 ", value);
      if (value == std::string_view::npos) break;
      value += 4;
      extent =
          static_cast<unsigned>(std::strtoul(std::string(values.substr(value, 12)).c_str(), nullptr, 10));
    }
    dims[kernel] = extents;
  }
  return dims;
}

std::string give_clusters(const std::string& ptx, const ClusterDims& dims) {
  std::string out;
  std::size_t at = 0;
  for (;;) {
    constexpr std::string_view mark = ".entry ";
    const std::size_t entry = ptx.find(mark, at);
    const std::size_t body = entry == std::string::npos ? entry : ptx.find_first_of("{;", entry);
    if (body == std::string::npos) break;
    if (ptx[body] == ';') {  // A declaration.
      out.append(ptx, at, body - at);
      at = body;
      continue;
    }
    const std::size_t name = entry + mark.size();
    out.append(ptx, at, body - at);
    if (const auto found = dims.find(ptx.substr(name, ptx.find_first_of("( \n", name) - name));
        found != dims.end()) {
      const auto& [x, y, z] = found->second;
      out += ".explicitcluster\n.reqnctapercluster " + std::to_string(x) + ", " + std::to_string(y) + ", " +
             std::to_string(z) + "\n";
    }
    at = body;
    out += ptx[at++];
  }
  out.append(ptx, at, std::string::npos);
  return out;
}

}  // namespace wanren::cc
