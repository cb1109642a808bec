#include "jit/machine.h"

#include <atomic>
#include <mutex>

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/DebugInfo/DIContext.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/ExecutionEngine/Orc/ExecutionUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>

#include "interp/approx.h"
#include "interp/callbacks.h"
#include "jit/llvm.h"

namespace wanren::jit {

namespace {

constexpr const char* remedy = "report it; --timing off with the interpreter avoids compiled code";

std::unique_ptr<llvm::TargetMachine> make_target(Tier tier = Tier::best) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
  const std::string triple = llvm::sys::getProcessTriple();
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) return nullptr;
  llvm::TargetOptions options;
  options.EmitStackSizeSection = true;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  const HostMachine& host = host_machine();
  const auto level = tier == Tier::quick ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Default;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, host.cpu, host.features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small, level, true));
  // It knows no wide vectors and would hand over every second instruction.
  machine->setO0WantsFastISel(false);
  machine->setFastISel(false);
  return machine;
}

std::string text(llvm::Error error) {
  return llvm::toString(std::move(error));
}

Result<llvm::orc::LLJIT*> session() {
  static std::once_flag once;
  static std::unique_ptr<llvm::orc::LLJIT> jit;
  static std::string error;
  std::call_once(once, [] {
    make_target();
    auto made = llvm::orc::LLJITBuilder().setPlatformSetUp(llvm::orc::setUpInactivePlatform).create();
    if (made)
      jit = std::move(*made);
    else
      error = text(made.takeError());
  });
  if (!jit) return fail("", "LLVM cannot link code into this process: " + error, remedy);
  return jit.get();
}

/// Bounds on steps of code generation whose defaults take tens of seconds over kernels of many branches with
/// many live vectors, and give no better code.
void bound_code_generator() {
  static std::once_flag once;
  std::call_once(once, [] {
    auto& options = llvm::cl::getRegisteredOptions();
    for (const auto& [name, value] :
         {std::pair("grow-region-complexity-budget", "1000"),
          std::pair("large-interval-size-threshold", "32"), std::pair("large-interval-freq-threshold", "16"),
          std::pair("disable-x86-domain-reassignment", "true")}) {
      const auto found = options.find(name);
      if (found != options.end()) found->second->addOccurrence(0, name, value);
    }
  });
}

/// Whether the quick tier's registers are allocated over whole functions. Otherwise values go through memory
/// between basic blocks and loops run many times longer; but where there are thousands of blocks, the
/// allocator would take longer than all else, as nothing has cleaned up before it.
bool allocates_whole(const llvm::Module& module) {
  constexpr std::size_t most_blocks = 2000;
  std::size_t blocks = 0;
  for (const llvm::Function& f : module) blocks += f.size();
  return blocks <= most_blocks;
}

/// LLVM has no other switch for it than this option, which it reads when the passes are listed.
class AllocatorChoice {
 public:
  explicit AllocatorChoice(bool whole) : guard_(lock()) {
    option().setValue(whole ? llvm::cl::BOU_TRUE : llvm::cl::BOU_UNSET);
  }
  ~AllocatorChoice() { option().setValue(llvm::cl::BOU_UNSET); }

 private:
  static std::mutex& lock() {
    static std::mutex m;
    return m;
  }
  static llvm::cl::opt<llvm::cl::boolOrDefault>& option() {
    const auto found = llvm::cl::getRegisteredOptions().find("optimize-regalloc");
    WR_CHECK(found != llvm::cl::getRegisteredOptions().end());
    return *static_cast<llvm::cl::opt<llvm::cl::boolOrDefault>*>(found->second);
  }
  std::lock_guard<std::mutex> guard_;
};

/// Without optimisation LLVM 19 restores rax over the result of a function that keeps its caller's registers.
void call_plainly(llvm::Module& module) {
  constexpr const char* keeps = "no_caller_saved_registers";
  for (llvm::Function& f : module) {
    f.removeFnAttr(keeps);
    for (llvm::BasicBlock& blk : f)
      for (llvm::Instruction& inst : blk)
        if (auto* call = llvm::dyn_cast<llvm::CallInst>(&inst)) call->removeFnAttr(keeps);
  }
}

}  // namespace

const HostMachine& host_machine() {
  static const HostMachine host = [] {
    HostMachine h;
    h.cpu = llvm::sys::getHostCPUName().str();
    bool f = false, bw = false, dq = false, vl = false;
    for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
      if (!h.features.empty()) h.features += ',';
      h.features += (feature.second ? "+" : "-") + feature.first().str();
      if (!feature.second) continue;
      f |= feature.first() == "avx512f";
      bw |= feature.first() == "avx512bw";
      dq |= feature.first() == "avx512dq";
      vl |= feature.first() == "avx512vl";
    }
    h.avx512 = f && bw && dq && vl;
    return h;
  }();
  return host;
}

Result<void> prepare_module(llvm::Module& module) {
  auto target = make_target();
  if (!target) return fail("", "LLVM has no code generator for this host", remedy);
  module.setTargetTriple(target->getTargetTriple().str());
  module.setDataLayout(target->createDataLayout());
  for (llvm::Function& f : module) {
    if (f.isDeclaration()) continue;
    f.addFnAttr("target-cpu", host_machine().cpu);
    // A helper that keeps its caller's registers must not clear their upper halves.
    const bool keeps = f.hasFnAttribute("no_caller_saved_registers");
    f.addFnAttr("target-features", host_machine().features + (keeps ? ",-vzeroupper" : ""));
  }
  return {};
}

void optimise(llvm::Module& module) {
  auto target = make_target();
  llvm::PassBuilder builder(target.get());
  llvm::LoopAnalysisManager lam;
  llvm::FunctionAnalysisManager fam;
  llvm::CGSCCAnalysisManager cgam;
  llvm::ModuleAnalysisManager mam;
  builder.registerModuleAnalyses(mam);
  builder.registerCGSCCAnalyses(cgam);
  builder.registerFunctionAnalyses(fam);
  builder.registerLoopAnalyses(lam);
  builder.crossRegisterProxies(lam, fam, cgam, mam);
  llvm::ModulePassManager passes;
  // Heavier lists give no better code for half the speed of compiling.
  constexpr const char* list =
      "function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,loop-mssa(licm),dce)";
  if (auto e = builder.parsePassPipeline(passes, list)) {
    check_failed(__FILE__, __LINE__, text(std::move(e)).c_str());
  }
  passes.run(module, mam);
}

Result<std::vector<char>> make_object(llvm::Module& module, Tier tier) {
  auto target = make_target(tier);
  if (!target) return fail("", "LLVM has no code generator for this host", remedy);
  bound_code_generator();
  if (tier == Tier::quick) call_plainly(module);
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  // As addPassesToEmitFile(), less what costs more than linear time or serves debuggers.
  auto& machine = static_cast<llvm::LLVMTargetMachine&>(*target);
  auto* info = new llvm::MachineModuleInfoWrapperPass(&machine);
  llvm::TargetPassConfig* config = machine.createPassConfig(passes);
  config->setDisableVerify(true);
  config->disablePass(&llvm::PostRASchedulerID);
  config->disablePass(&llvm::LiveDebugValuesID);
  if (tier == Tier::quick) config->disablePass(&llvm::MachineSchedulerID);
  passes.add(config);
  passes.add(info);
  if (config->addISelPasses()) return fail("", "LLVM cannot select instructions for this host", remedy);
  {
    const AllocatorChoice choice(tier == Tier::quick && allocates_whole(module));
    config->addMachinePasses();
  }
  config->setInitialized();
  if (machine.addAsmPrinter(passes, out, nullptr, llvm::CodeGenFileType::ObjectFile,
                            info->getMMI().getContext()))
    return fail("", "LLVM cannot write objects for this host", remedy);
  passes.add(llvm::createFreeMachineFunctionPass());
  passes.run(module);
  return std::vector<char>(bytes.begin(), bytes.end());
}

struct LoadedObject::Library {
  llvm::orc::LLJIT* jit = nullptr;
  llvm::orc::JITDylib* dylib = nullptr;
  ~Library() {
    if (dylib) llvm::consumeError(jit->getExecutionSession().removeJITDylib(*dylib));
  }
};

LoadedObject::~LoadedObject() = default;

Result<std::unique_ptr<LoadedObject>> LoadedObject::load(std::vector<char> object,
                                                         const std::vector<const simt::Inst*>& insts) {
  static std::atomic<unsigned> counter{0};
  auto jit = session();
  if (!jit) return std::unexpected(jit.error());
  auto loaded = std::unique_ptr<LoadedObject>(new LoadedObject);
  loaded->object_ = std::move(object);
  const llvm::StringRef bytes(loaded->object_.data(), loaded->object_.size());
  auto broken = [](llvm::Error e) { return fail("", "unusable object: " + text(std::move(e)), remedy); };

  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(bytes, "kernel"));
  if (!file) return broken(file.takeError());
  for (const auto& symbol : (*file)->symbols()) {
    auto type = symbol.getType();
    auto name = symbol.getName();
    const bool named = static_cast<bool>(name), typed = static_cast<bool>(type);
    if (!named) llvm::consumeError(name.takeError());
    if (!typed) llvm::consumeError(type.takeError());
    if (!named || !typed || *type != llvm::object::SymbolRef::ST_Function) continue;
    if (*name != "kernel" && !name->starts_with("function")) continue;
    auto address = symbol.getAddress();
    if (!address) return broken(address.takeError());
    loaded->code_.emplace_back(*address, *address + llvm::object::ELFSymbolRef(symbol).getSize());
    if (*name != "kernel") continue;
    auto section = symbol.getSection();
    if (!section) return broken(section.takeError());
    if (*section == (*file)->section_end()) continue;
    loaded->offset_in_section_ = *address;
    loaded->section_index_ = (*section)->getIndex();
  }
  for (const auto& section : (*file)->sections()) {
    auto name = section.getName();
    if (!name || *name != ".stack_sizes") {
      if (!name) llvm::consumeError(name.takeError());
      continue;
    }
    // Entries: 8-byte address (relocated), ULEB128 size; in the order of the module, `kernel` first. A helper
    // in a group of its own has a section of its own.
    auto contents = section.getContents();
    if (!contents) return broken(contents.takeError());
    const llvm::StringRef data = *contents;
    const auto* elf = llvm::dyn_cast<llvm::object::ELF64LEObjectFile>(file->get());
    bool is_kernel = elf && elf->getSection(section.getRawDataRefImpl())->sh_link == loaded->section_index_;
    for (std::size_t at = 8; at < data.size(); at += 9) {
      std::size_t bytes = 0;
      for (std::size_t shift = 0; at < data.size(); ++at, shift += 7) {
        bytes |= (static_cast<std::size_t>(data[at]) & 127) << shift;
        if (!(data[at] & 0x80)) break;
      }
      if (is_kernel)
        loaded->frame_bytes_ = bytes;
      else
        loaded->callee_frame_bytes_ = std::max(loaded->callee_frame_bytes_, bytes);
      is_kernel = false;
    }
  }

  auto& execution = (*jit)->getExecutionSession();
  auto dylib = execution.createJITDylib("kernel" + std::to_string(counter++));
  if (!dylib) return broken(dylib.takeError());
  loaded->library_ = std::make_unique<Library>();
  loaded->library_->jit = *jit;
  loaded->library_->dylib = &*dylib;
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      (*jit)->getDataLayout().getGlobalPrefix());
  if (!process) return broken(process.takeError());
  dylib->addGenerator(std::move(*process));
  llvm::orc::SymbolMap symbols;
  auto add = [&](const char* name, const void* address) {
    symbols[execution.intern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                       llvm::JITSymbolFlags::Exported};
  };
  auto add_function = [&](const char* name, auto* f) { add(name, reinterpret_cast<const void*>(f)); };
  add("wanren_insts", insts.data());
  add_function("wanren_interp_alu", &wanren_interp_alu);
  add_function("wanren_interp_warp_op", &wanren_interp_warp_op);
  add_function("wanren_interp_async_op", &wanren_interp_async_op);
  add_function("wanren_interp_product_lines", &wanren_interp_product_lines);
  add_function("wr_ex2_f32", &wr_ex2_f32);
  add_function("wr_ex2_odd_f32", &wr_ex2_odd_f32);
  add_function("wr_tanh_odd_f32", &wr_tanh_odd_f32);
  add_function("wr_lg2_f32", &wr_lg2_f32);
  add_function("wr_sin_f32", &wr_sin_f32);
  add_function("wr_cos_f32", &wr_cos_f32);
  add_function("wr_tanh_f32", &wr_tanh_f32);
  add_function("wr_rsqrt_f32", &wr_rsqrt_f32);
  if (auto e = dylib->define(llvm::orc::absoluteSymbols(std::move(symbols)))) return broken(std::move(e));
  if (auto e = (*jit)->addObjectFile(*dylib, llvm::MemoryBuffer::getMemBuffer(bytes, "kernel", false)))
    return broken(std::move(e));
  auto entry = (*jit)->lookup(*dylib, "kernel");
  if (!entry) return broken(entry.takeError());
  loaded->entry_ = static_cast<std::uintptr_t>(entry->getValue());
  for (auto& [begin, end] : loaded->code_) {
    begin += loaded->entry_ - loaded->offset_in_section_;
    end += loaded->entry_ - loaded->offset_in_section_;
  }
  return loaded;
}

std::uint32_t LoadedObject::line_of(std::uintptr_t pc) const {
  const llvm::StringRef bytes(object_.data(), object_.size());
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(bytes, "kernel"));
  if (!file) {
    llvm::consumeError(file.takeError());
    return 0;
  }
  auto dwarf = llvm::DWARFContext::create(**file);
  const llvm::DILineInfo info =
      dwarf->getLineInfoForAddress({pc - entry_ + offset_in_section_, section_index_});
  return info.Line;
}

}  // namespace wanren::jit
