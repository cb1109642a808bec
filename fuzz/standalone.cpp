// A fuzzer without libFuzzer, for compilers that do not bring it: mutates the files of a corpus, same flags.
//   NAME [-runs=N] [-max_total_time=SECONDS] [-seed=N] [-max_len=BYTES] FILE|FOLDER…
// A single file without -runs is run once, to repeat a failure. What crashes or takes over ten seconds is
// written to
// ./crash-NAME.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;
using Input = std::vector<std::uint8_t>;

constexpr unsigned slow_seconds = 10;

Input current;
std::string crash_file;

extern "C" void on_crash(int number) {
  const int file = open(crash_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && write(file, current.data(), current.size()) >= 0) {
    const char text[] = "fuzz: the input that did it is in ";
    (void)!write(2, text, sizeof text - 1);
    (void)!write(2, crash_file.c_str(), crash_file.size());
    (void)!write(2, "\n", 1);
  }
  signal(number, SIG_DFL);
  raise(number);
}

void run_one(const Input& input) {
  current = input;
  alarm(slow_seconds);
  // A copy of exactly this size, so that a sanitizer sees any read past the end.
  const Input exact(current);
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  alarm(0);
}

class Mutator {
 public:
  Mutator(const std::vector<Input>& corpus, std::uint64_t seed, std::size_t most)
      : corpus_(corpus), random_(seed), most_(most) {}

  Input next() {
    Input input = corpus_.empty() ? Input{} : corpus_[below(corpus_.size())];
    for (std::size_t i = 1 + below(6); i > 0; --i) change(input);
    if (input.size() > most_) input.resize(most_);
    return input;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random_() % n); }

  void change(Input& input) {
    const std::size_t at = below(input.size() + 1),
                      length = below(std::min<std::size_t>(input.size() - at, 64) + 1);
    const auto begin = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(8)) {
      case 0:  // flip a bit
        if (at < input.size()) input[at] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 1:  // another byte
        if (at < input.size()) input[at] = static_cast<std::uint8_t>(random_());
        break;
      case 2: input.erase(begin, begin + static_cast<std::ptrdiff_t>(length)); break;
      case 3: {  // repeat a piece
        const Input piece(begin, begin + static_cast<std::ptrdiff_t>(length));
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(below(input.size() + 1)), piece.begin(),
                     piece.end());
        break;
      }
      case 4:
      case 5: {  // a piece of another file
        if (corpus_.empty()) break;
        const Input& other = corpus_[below(corpus_.size())];
        const std::size_t from = below(other.size() + 1),
                          n = below(std::min<std::size_t>(other.size() - from, 96) + 1);
        input.insert(begin, other.begin() + static_cast<std::ptrdiff_t>(from),
                     other.begin() + static_cast<std::ptrdiff_t>(from + n));
        break;
      }
      case 6: {  // an edge number, as text and as bytes
        static constexpr std::string_view numbers[] = {
            "0", "-1", "4294967296", "18446744073709551615", "1e308", "0x7fffffff"};
        const std::string_view number = numbers[below(std::size(numbers))];
        input.insert(begin, number.begin(), number.end());
        break;
      }
      default:
        if (input.size() >= 4 && at + 4 <= input.size()) {
          static constexpr std::uint32_t words[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000};
          const std::uint32_t word = words[below(std::size(words))];
          for (int i = 0; i < 4; ++i)
            input[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(word >> 8 * i);
        }
    }
  }

  const std::vector<Input>& corpus_;
  std::mt19937_64 random_;
  std::size_t most_;
};

Input read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool option(const std::string& argument, std::string_view name, std::uint64_t& value) {
  if (!argument.starts_with(name)) return false;
  value = std::strtoull(argument.c_str() + name.size(), nullptr, 10);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t runs = 0, seconds = 0, seed = 1, most = 1 << 16;
  std::vector<Input> corpus;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (option(argument, "-runs=", runs) || option(argument, "-max_total_time=", seconds) ||
        option(argument, "-seed=", seed) || option(argument, "-max_len=", most))
      continue;
    if (fs::is_directory(argument)) {
      std::vector<fs::path> files;
      for (const auto& entry : fs::recursive_directory_iterator(argument))
        if (entry.is_regular_file()) files.push_back(entry.path());
      std::sort(files.begin(), files.end());
      for (const fs::path& file : files) corpus.push_back(read(file));
    } else if (fs::exists(argument)) {
      corpus.push_back(read(argument));
    } else {
      std::fprintf(stderr, "fuzz: '%s' is neither a flag nor a file\n", argument.c_str());
      return 2;
    }
  }
  crash_file = "crash-" + fs::path(argv[0]).filename().string();
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) signal(number, on_crash);

  for (const Input& input : corpus) run_one(input);
  if (runs == 0 && seconds == 0) return 0;
  const auto begin = std::chrono::steady_clock::now();
  Mutator mutator(corpus, seed, most);
  std::uint64_t done = 0;
  for (; runs == 0 || done < runs; ++done) {
    if (seconds > 0 && std::chrono::steady_clock::now() - begin > std::chrono::seconds(seconds)) break;
    run_one(mutator.next());
  }
  std::printf("fuzz: %zu files of the corpus and %llu mutations of them passed\n", corpus.size(),
              static_cast<unsigned long long>(done));
  return 0;
}
