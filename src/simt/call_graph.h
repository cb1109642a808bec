#pragma once
// Who calls whom below a kernel, and which calls are inlined.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "simt/kernel.h"

namespace wanren::simt {

/// How parameters and results of a function travel: scalars as values, everything else in memory at the start
/// of the callee's frame, where the caller puts it and finds it.
struct Passing {
  struct Item {
    bool by_value = true;
    Width width = Width::b32;  ///< by value
    std::uint32_t offset = 0;  ///< in memory
    std::uint64_t bytes = 0;
    friend bool operator==(const Item&, const Item&) = default;
  };
  std::vector<Item> parameters, results;
  std::uint32_t area_bytes = 0;
  friend bool operator==(const Passing&, const Passing&) = default;
};
Passing passing(const std::vector<ptx::Variable>& parameters, const std::vector<ptx::Variable>& results);

/// The register that holds a value of this type.
Width register_width(ptx::Type type);
std::uint64_t alignment(const ptx::Variable& variable);
Syscall syscall_of(const std::string& name);

/// The functions that a kernel reaches.
class CallGraph {
 public:
  CallGraph(const ptx::Module& module, const ptx::Function& kernel);

  /// The definition of that name, else its declaration, else null.
  const ptx::Function* find(const std::string& name) const;
  /// Direct calls of it become part of the caller: always where lanes wait for each other in it, never where
  /// it calls itself, else by its size and the number of calls.
  bool is_inlined(const ptx::Function& function) const;
  /// Functions that stay functions, in the module's order: their index is their FunctionId.
  const std::vector<const ptx::Function*>& kept() const { return kept_; }
  FunctionId id(const ptx::Function& function) const;
  /// Whom the indirect call `in` of `caller` may reach: its .calltargets, else every function of its
  /// prototype's passing whose address is taken.
  std::vector<FunctionId> candidates(const ptx::Function& caller, const ptx::Instruction& in) const;
  /// The prototype that it names; null: none of that name.
  const ptx::Prototype* prototype(const ptx::Function& caller, const ptx::Instruction& in) const;
  bool may_exit(const ptx::Function& function) const;
  const FunctionAddresses& addresses() const;

 private:
  struct Node {
    std::vector<const ptx::Function*> callees;  ///< One for each direct call.
    std::vector<const ptx::Instruction*> indirect;
    std::size_t instructions = 0;
    std::size_t expanded = 0;  ///< Instructions with what is inlined; 0: not yet known.
    std::size_t calls = 0;     ///< Direct calls of it.
    bool recursive = false, waits = false, exits = false;
  };
  void visit(const ptx::Function& function);
  void take_addresses();
  std::size_t expand(const ptx::Function& function);
  std::vector<const ptx::Function*> targets(const ptx::Function& caller, const ptx::Instruction& in) const;

  const ptx::Module& module_;
  std::unordered_map<std::string, const ptx::Function*> functions_;
  std::unordered_map<const ptx::Function*, Node> nodes_;
  std::vector<const ptx::Function*> order_;  ///< As visited: callers and callees alike.
  std::vector<const ptx::Function*> taken_, kept_;
  bool addresses_known_ = false;
  mutable std::unique_ptr<FunctionAddresses> addresses_;
};

}  // namespace wanren::simt
