#pragma once
// LLVM's two ends: IR to an object file for this host, and an object file to callable code.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "simt/kernel.h"
#include "support/result.h"

namespace llvm {
class Module;
class TargetMachine;
}  // namespace llvm

namespace wanren::jit {

/// How much the code generator does: quick is compiled two to four times as fast and runs up to twice as
/// long.
enum class Tier : std::uint8_t { quick, best };

struct HostMachine {
  std::string cpu, features;
  bool avx512 = false;
};
const HostMachine& host_machine();

/// Data layout, triple and target attributes of the host.
Result<void> prepare_module(llvm::Module& module);
void optimise(llvm::Module& module);
/// An ELF object. Errors: LLVM has no code generator for this host.
Result<std::vector<char>> make_object(llvm::Module& module, Tier tier);

/// An object in memory, ready to run. Its `wanren_insts` is `insts`.
class LoadedObject {
 public:
  /// Errors: not a loadable object (a damaged cache entry).
  static Result<std::unique_ptr<LoadedObject>> load(std::vector<char> object,
                                                    const std::vector<const simt::Inst*>& insts);
  ~LoadedObject();
  std::uintptr_t entry() const { return entry_; }
  std::size_t bytes() const { return object_.size(); }
  /// Code of the kernel or of a function, not of what they share.
  bool contains(std::uintptr_t pc) const {
    for (const auto& [begin, end] : code_)
      if (pc >= begin && pc < end) return true;
    return false;
  }
  /// Of `kernel`, and the largest of any other.
  std::size_t frame_bytes() const { return frame_bytes_; }
  std::size_t callee_frame_bytes() const { return callee_frame_bytes_; }
  /// Line of the address in the object's line table; 0 if it has none.
  std::uint32_t line_of(std::uintptr_t pc) const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  std::vector<char> object_;
  const void* insts_ = nullptr;
  std::uintptr_t entry_ = 0;
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> code_;
  std::size_t frame_bytes_ = 0, callee_frame_bytes_ = 0;
  std::uint64_t offset_in_section_ = 0, section_index_ = 0;
};

}  // namespace wanren::jit
