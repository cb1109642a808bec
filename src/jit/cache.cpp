#include "jit/cache.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <list>
#include <map>
#include <mutex>
#include <string>

#include <fmt/format.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/BLAKE3.h>

#include "jit/machine.h"
#include "support/settings.h"

namespace wanren::jit {

namespace fs = std::filesystem;

namespace {

constexpr char magic[8] = {'W', 'R', 'J', 'I', 'T', '0', '0', '1'};

struct Header {
  char magic[8];
  CacheKey key;
  std::uint64_t patterns, object_bytes;
  std::array<std::uint64_t, 4> checksum;  ///< Of what follows the header.
};

class Hash {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void add(const T& value) {
    blake_.update(llvm::ArrayRef<std::uint8_t>(reinterpret_cast<const std::uint8_t*>(&value), sizeof value));
  }
  void add(const std::string& s) {
    add(s.size());
    blake_.update(s);
  }
  template <class T>
  void add(const std::vector<T>& v) {
    add(v.size());
    for (const T& x : v) add(x);
  }
  void bytes(const void* data, std::size_t n) {
    blake_.update(llvm::ArrayRef<std::uint8_t>(static_cast<const std::uint8_t*>(data), n));
  }
  std::array<std::uint64_t, 4> finish() {
    std::array<std::uint64_t, 4> r;
    const auto digest = blake_.final<32>();
    std::memcpy(r.data(), digest.data(), sizeof r);
    return r;
  }

  void add(const simt::Operand& o) {
    add(o.kind);
    add(o.negated);
    add(o.value);
    add(o.special);
    add(o.index);
    add(o.bits);
  }
  void add(const simt::Inst& i) {
    add(i.op);
    add(i.syscall);
    add(i.callees);
    add(i.indirect);
    add(i.types);
    // Whole bytes: padding can only cause a miss.
    std::visit([this](const auto& family) { add(family); }, i.payload);
    add(i.dsts);
    add(i.srcs);
    add(i.offset);
    add(i.guard);
    add(i.guard_negated);
    add(i.prior);
    add(i.slot);
  }

 private:
  llvm::BLAKE3 blake_;
};

/// Size and time of the file that this code was loaded from: another build may emit other code.
std::string build_identity() {
  Dl_info info{};
  struct stat file{};
  if (!dladdr(reinterpret_cast<const void*>(&cache_key), &info) || stat(info.dli_fname, &file) != 0)
    return "unknown";
  return fmt::format("{} {}.{}", file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
}

/// Empty: no cache.
fs::path cache_folder() {
  if (text_of(Setting::cache_disable) == "1") return {};
  if (const std::string path = text_of(Setting::cache_path); !path.empty()) return fs::path(path) / "wanren";
  if (const char* path = std::getenv("XDG_CACHE_HOME"); path && *path) return fs::path(path) / "wanren";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "wanren";
  return {};
}

fs::path file_of(const CacheKey& key) {
  return fmt::format("{:016x}{:016x}.jit", key[0], key[1]);
}

/// Oldest entries go first; so do files that a process which ended meanwhile has left half written.
void shrink(const CachePlace& place) {
  struct File {
    fs::path path;
    std::uint64_t bytes;
    fs::file_time_type used;
  };
  std::vector<File> files;
  std::uint64_t total = 0;
  std::error_code ignored;
  for (const auto& f : fs::directory_iterator(place.folder, ignored)) {
    files.push_back({f.path(), f.file_size(ignored), f.last_write_time(ignored)});
    total += files.back().bytes;
  }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.used < b.used; });
  for (const File& f : files) {
    const bool left = f.path.extension() != ".jit" && files.back().used - f.used > std::chrono::hours(1);
    if (total <= place.most_bytes && !left) continue;
    fs::remove(f.path, ignored);
    total -= f.bytes;
  }
}

constexpr std::uint64_t most_file_bytes = std::uint64_t{1} << 30;

/// Entries of this process, least recently used first to go.
class Memory {
 public:
  std::optional<CacheEntry> find(const CacheKey& key) {
    std::lock_guard guard(lock_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    order_.splice(order_.end(), order_, found->second.place);
    return found->second.entry;
  }
  void keep(const CacheKey& key, const CacheEntry& entry) {
    std::lock_guard guard(lock_);
    const std::size_t size = bytes_of(entry);
    if (size > most_bytes || entries_.contains(key)) return;
    for (; bytes_ + size > most_bytes; order_.pop_front()) {
      const auto oldest = entries_.find(order_.front());
      bytes_ -= bytes_of(oldest->second.entry);
      entries_.erase(oldest);
    }
    bytes_ += size;
    entries_[key] = {entry, order_.insert(order_.end(), key)};
  }
  void forget() {
    std::lock_guard guard(lock_);
    entries_.clear();
    order_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr std::size_t most_bytes = std::size_t{64} << 20;
  static std::size_t bytes_of(const CacheEntry& e) {
    return e.object.size() + e.patterns.size() * sizeof(simt::LanePattern);
  }
  struct Held {
    CacheEntry entry;
    std::list<CacheKey>::iterator place;
  };
  std::mutex lock_;
  std::map<CacheKey, Held> entries_;
  std::list<CacheKey> order_;
  std::size_t bytes_ = 0;
};

Memory& memory() {
  static Memory m;
  return m;
}

}  // namespace

CachePlace cache_place() {
  return {cache_folder(), std::strtoull(text_of(Setting::cache_max_bytes).c_str(), nullptr, 10)};
}

CacheKey cache_key(const simt::Kernel& kernel, const simt::BlockShape& shape, engine::Flavour flavour,
                   Tier tier) {
  static const std::string host = host_machine().cpu + '\n' + host_machine().features + '\n' +
                                  LLVM_VERSION_STRING + '\n' + build_identity();
  Hash h;
  h.add(host);
  h.add(shape.generic);
  if (!shape.generic) h.add(shape.block);
  h.add(flavour);
  h.add(tier);
  h.add(kernel.local_bytes);
  h.add(kernel.parameter_bytes);
  h.add(kernel.frame_bytes);
  h.add(kernel.recursive);
  h.add(kernel.functions.size());
  for (const simt::Function& f : kernel.functions) {
    h.add(f.address);
    h.add(f.first_block);
    h.add(f.first_value);
    h.add(f.parameters);
    h.add(f.results);
    h.add(f.frame_bytes);
    h.add(f.may_exit);
  }
  h.add(kernel.values.size());
  for (const simt::Value& v : kernel.values) h.add(v.width);
  h.add(kernel.blocks.size());
  for (const simt::Block& b : kernel.blocks) {
    h.add(b.phis.size());
    for (const simt::Phi& p : b.phis) {
      h.add(p.dst);
      h.add(p.incoming);
    }
    h.add(b.insts);
    h.add(b.term.kind);
    h.add(b.term.cond);
    h.add(b.term.negated);
    h.add(b.term.targets);
    h.add(b.term.spins);
    h.add(b.preds);
    h.add(b.suspend);
    h.add(b.ordered);
    h.add(b.loop_depth);
  }
  return h.finish();
}

std::vector<char> encode(const CacheKey& key, const CacheEntry& entry) {
  const std::size_t pattern_bytes = entry.patterns.size() * sizeof(simt::LanePattern);
  std::vector<char> file(sizeof(Header) + pattern_bytes + entry.object.size());
  Header header{};
  std::memcpy(header.magic, magic, sizeof magic);
  header.key = key;
  header.patterns = entry.patterns.size();
  header.object_bytes = entry.object.size();
  if (pattern_bytes) std::memcpy(file.data() + sizeof header, entry.patterns.data(), pattern_bytes);
  std::copy(entry.object.begin(), entry.object.end(),
            file.begin() + static_cast<std::ptrdiff_t>(sizeof header + pattern_bytes));
  Hash h;
  h.bytes(file.data() + sizeof header, file.size() - sizeof header);
  header.checksum = h.finish();
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

std::optional<CacheEntry> decode(std::span<const char> file, const CacheKey& key) {
  Header header{};
  if (file.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, file.data(), sizeof header);
  const auto rest = file.subspan(sizeof header);
  if (std::memcmp(header.magic, magic, sizeof magic) != 0 || header.key != key) return std::nullopt;
  if (header.patterns > rest.size() / sizeof(simt::LanePattern) ||
      header.object_bytes != rest.size() - header.patterns * sizeof(simt::LanePattern))
    return std::nullopt;
  Hash h;
  h.bytes(rest.data(), rest.size());
  if (h.finish() != header.checksum) return std::nullopt;
  CacheEntry entry;
  entry.patterns.resize(header.patterns);
  const std::size_t pattern_bytes = header.patterns * sizeof(simt::LanePattern);
  if (pattern_bytes) std::memcpy(entry.patterns.data(), rest.data(), pattern_bytes);
  entry.object.assign(rest.begin() + static_cast<std::ptrdiff_t>(pattern_bytes), rest.end());
  return entry;
}

std::optional<CacheEntry> read_cache(const CachePlace& place, const CacheKey& key) {
  if (auto entry = memory().find(key)) return entry;
  if (place.folder.empty()) return std::nullopt;
  const fs::path path = place.folder / file_of(key);
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::error_code ignored;
  const std::uint64_t bytes = fs::file_size(path, ignored);
  if (ignored || bytes > most_file_bytes) return std::nullopt;
  std::vector<char> file(bytes);
  if (!in.read(file.data(), static_cast<std::streamsize>(bytes))) return std::nullopt;
  auto entry = decode(file, key);
  if (!entry) return std::nullopt;
  memory().keep(key, *entry);
  // The time is the system's: to ask a clock would count as the program's under a modelled one.
  utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return entry;
}

void write_cache(const CachePlace& place, const CacheKey& key, const CacheEntry& entry) {
  static std::atomic<unsigned> counter{0};
  memory().keep(key, entry);
  const fs::path& folder = place.folder;
  if (folder.empty()) return;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return;
  // Written aside and renamed, so that no reader sees half an entry.
  const fs::path aside = folder / fmt::format("{}.{}.{}", file_of(key).string(), getpid(), counter++);
  {
    const std::vector<char> file = encode(key, entry);
    std::ofstream out(aside, std::ios::binary);
    out.write(file.data(), static_cast<std::streamsize>(file.size()));
    if (!out) {
      out.close();
      fs::remove(aside, error);
      return;
    }
  }
  fs::rename(aside, folder / file_of(key), error);
  if (error) fs::remove(aside, error);
  shrink(place);
}

void forget_memory_cache() {
  memory().forget();
}

}  // namespace wanren::jit
