#pragma once
// A loaded device module: its PTX, its global variables in device memory, its kernels.

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "chip/spec.h"
#include "driver/status.h"
#include "engine/arena.h"
#include "ptx/module.h"
#include "simt/kernel.h"
#include "support/result.h"

namespace wanren::driver {

class Module;

/// One kernel of a module.
struct Function {
  Module* module = nullptr;
  std::string name;
  std::string display_name;  ///< demangled
  std::shared_ptr<const simt::Kernel> kernel;
  std::vector<std::uint64_t> global_addresses;            ///< By Kernel::globals.
  std::uint32_t stack_bytes = simt::default_stack_bytes;  ///< Of a recursive kernel's local memory.
  std::uint32_t dynamic_shared_limit = 0;  ///< 0: the chip's default; else what the program opted in to
  bool large_clusters = false;             ///< The program opted in to clusters that are not portable.
};

/// Gives a recursive kernel `bytes` of local memory per thread for its calls from the next launch on.
void fit_stack(Function& function, std::uint32_t bytes);

/// A failure that has a CUDA error code besides its words.
struct Failure {
  Status status;
  Error error;
};
template <class T>
using Loaded = std::expected<T, Failure>;

class Module {
 public:
  /// Parses PTX texts of one program unit and links them (several: relocatable ones). Device memory of
  /// global variables is taken from `arena`. Refuses what the chip does not run.
  static Loaded<std::unique_ptr<Module>> load(std::vector<std::string> ptx_texts, const std::string& name,
                                              const chip::Spec& chip, engine::Arena& arena, int domain = 0);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// Builds the kernel on first use. Errors: unknown name; an instruction that is not executed (with its
  /// PTX line).
  Loaded<Function*> function(const std::string& name);
  /// Device pointer and size of a module variable; false if there is none of that name.
  bool variable(const std::string& name, std::uint64_t& address, std::uint64_t& bytes) const;
  /// Gives every variable its first value. Errors: a value names what is not there; only at load time.
  Loaded<void> initialise();
  const ptx::Module& ptx() const { return ptx_; }
  const std::string& name() const { return name_; }

 private:
  Module(ptx::Module ptx, std::string name, engine::Arena& arena, int domain);
  Loaded<void> place_variables();

  struct Placed {
    std::uint64_t address, bytes;
  };
  ptx::Module ptx_;
  std::string name_;
  engine::Arena& arena_;
  int domain_;  ///< Of its variables.
  void* storage_ = nullptr;
  std::uint64_t storage_bytes_ = 0;
  std::map<std::string, Placed> variables_;
  std::map<std::string, std::unique_ptr<Function>> functions_;
};

/// Demangled C++ name, or the name itself.
std::string demangle(const std::string& name);

}  // namespace wanren::driver
