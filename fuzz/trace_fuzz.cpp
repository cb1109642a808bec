// Any text is a dumped trace or an error; any words replay, dump and read back without leaving their bounds.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "trace/replay.h"
#include "trace/trace.h"

namespace {

wanren::simt::Kernel kernel() {
  using namespace wanren::simt;
  Kernel k;
  k.blocks.resize(3);
  for (BlockId b = 0; b < 3; ++b) {
    k.blocks[b].id = b;
    k.blocks[b].slots = static_cast<std::uint16_t>(b);
    k.blocks[b].term.kind = b < 2 ? Terminator::Kind::jump : Terminator::Kind::exit;
    if (b < 2) k.blocks[b].term.targets = {b + 1};
  }
  return k;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wanren;
  static const simt::Kernel blocks = kernel();
  static const std::vector<simt::LanePattern> patterns(2);
  (void)trace::parse_dump({reinterpret_cast<const char*>(data), size}, "fuzz");
  std::vector<std::uint64_t> words(size / 8);
  std::memcpy(words.data(), data, words.size() * 8);
  // Small ids, so that some blocks exist.
  for (std::uint64_t& word : words)
    if ((word & 0x700) == 0) word &= 0xffffffff00000003;
  const std::string text = trace::dump(words, blocks, patterns);
  (void)trace::parse_dump(text, "dump");
  trace::ReplayedWarp warp;
  std::vector<simt::BlockCount> counts;
  (void)trace::Replay(blocks, patterns).run(warp, words, true, counts);
  return 0;
}
