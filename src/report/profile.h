#pragma once
// The profile of a run: what each machine instruction of each launch did, written launch by launch as JSON
// lines (docs/profile.md), and the hottest source lines of the whole.

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "report/record.h"
#include "support/result.h"

namespace wanren::timing {
struct InstructionProfile;
}

namespace wanren::report {

inline constexpr int profile_version = 1;

/// One machine instruction and where it comes from.
struct ProfileRow {
  std::uint32_t block = 0, instruction = 0;  ///< Block of the machine program, place in it.
  std::string machine;                       ///< "memory.load r4 <- r2:3"
  std::string ptx;                           ///< Opcode of the PTX instruction that it was made of.
  std::uint32_t ptx_line = 0;
  std::string file;  ///< CUDA source; empty where the PTX has no line tables.
  std::uint32_t line = 0;
  const timing::InstructionProfile* counts = nullptr;
};

struct LaunchProfile {
  std::uint64_t launch_id = 0;
  std::string name, chip;
  int device = 0;
  Dim3 grid, block;
  std::uint64_t cycles = 0;
  std::vector<ProfileRow> rows;
};

class ProfileStream {
 public:
  /// Opens the file and writes its first line.
  static Result<std::unique_ptr<ProfileStream>> open(const std::string& path, const std::string& program);
  void add(const LaunchProfile& launch);
  /// The lines with the most warp cycles, over all launches of a kernel.
  std::vector<HotLine> hottest(std::size_t count) const;
  /// After the last launch; the error names the file.
  Result<void> close();

 private:
  ProfileStream(std::ofstream file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  struct Place {
    std::string kernel, file;
    std::uint32_t line = 0, ptx_line = 0;  ///< ptx_line: only without a source line.
    auto operator<=>(const Place&) const = default;
  };
  struct Sum;
  std::ofstream file_;
  std::string path_;
  std::map<Place, std::shared_ptr<Sum>> sums_;
  std::map<std::string, std::uint64_t> kernel_cycles_;
};

}  // namespace wanren::report
