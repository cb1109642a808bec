// Fat binaries built here by the layout that CUDA 13 uses, damaged ones, and nvcc's own.
#include "ptx/fatbinary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace wanren::ptx {
namespace {

const std::string text = "\n.version 8.0\n.target sm_90a\n.address_size 64\n.visible .entry k() { ret; }\n" +
                         std::string(300, '\n');

template <class T>
void put(std::string& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

enum class Packing { none, lz4, zstd };

std::string entry(std::uint16_t kind, const std::string& content, Packing packing) {
  std::string packed = content;
  if (packing == Packing::lz4) {
    packed.resize(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(content.size()))));
    packed.resize(static_cast<std::size_t>(LZ4_compress_default(
        content.data(), packed.data(), static_cast<int>(content.size()), static_cast<int>(packed.size()))));
  } else if (packing == Packing::zstd) {
    packed.resize(ZSTD_compressBound(content.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 3));
  }
  const std::size_t size = packed.size();
  packed.resize((size + 7) / 8 * 8);
  std::string header(0x50, '\0');
  put<std::uint16_t>(header, 0, kind);
  put<std::uint32_t>(header, 4, 0x50);
  put<std::uint64_t>(header, 8, packed.size());
  put<std::uint32_t>(header, 0x1c, 90);
  if (packing != Packing::none) {
    put<std::uint32_t>(header, 0x10, static_cast<std::uint32_t>(size));
    put<std::uint64_t>(header, 0x28, packing == Packing::lz4 ? 0x2000 : 0x8000);
    put<std::uint64_t>(header, 0x38, content.size());
  }
  return header + packed;
}

std::string fat_binary(const std::string& entries) {
  std::string header(16, '\0');
  put<std::uint32_t>(header, 0, 0xBA55ED50);
  put<std::uint16_t>(header, 4, 1);
  put<std::uint16_t>(header, 6, 16);
  put<std::uint64_t>(header, 8, entries.size());
  return header + entries;
}

Result<std::vector<PtxImage>> extract_from(const std::string& bytes) {
  // A copy on the heap of exactly this size lets a sanitizer see any read past the end.
  const std::vector<char> copy(bytes.begin(), bytes.end());
  return extract(std::as_bytes(std::span(copy)));
}

TEST(FatBinary, HoldsPlainLz4AndZstdTextBesideMachineCode) {
  const std::string bytes =
      fat_binary(entry(1, text, Packing::none) + entry(2, "machine code", Packing::none) +
                 entry(1, text, Packing::lz4) + entry(1, text, Packing::zstd));
  auto images = extract_from(bytes);
  ASSERT_TRUE(images) << images.error().message();
  ASSERT_EQ(images->size(), 3u);
  for (const PtxImage& image : *images) {
    EXPECT_EQ(image.text, text);
    EXPECT_EQ(image.target, "sm_90a");
    EXPECT_EQ(image.target_sm, 90);
  }
}

TEST(FatBinary, ItsSizeFollowsFromItsHeader) {
  const std::string bytes = fat_binary(entry(1, text, Packing::zstd));
  auto size = fat_binary_bytes(std::as_bytes(std::span(bytes)).first<fat_binary_header_bytes>());
  ASSERT_TRUE(size);
  EXPECT_EQ(*size, bytes.size());
  std::string other(16, 'x');
  EXPECT_FALSE(fat_binary_bytes(std::as_bytes(std::span(other)).first<fat_binary_header_bytes>()));
}

TEST(FatBinary, TextAloneAndSeveralBinariesInARowAreAccepted) {
  auto plain = extract_from(text + '\0');
  ASSERT_TRUE(plain);
  ASSERT_EQ(plain->size(), 1u);
  EXPECT_EQ(plain->front().text, text);
  const std::string one = fat_binary(entry(1, text, Packing::none));
  auto two = extract_from(one + std::string(24, '\0') + one);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->size(), 2u);
}

TEST(FatBinary, MachineCodeAloneGivesNoText) {
  auto images = extract_from(fat_binary(entry(2, "machine code", Packing::none)));
  ASSERT_TRUE(images);
  EXPECT_TRUE(images->empty());
}

TEST(FatBinary, WrongFieldsAreNamed) {
  const auto damaged = [](std::size_t offset, std::uint64_t value, std::size_t size) {
    std::string bytes = fat_binary(entry(1, text, Packing::zstd));
    std::memcpy(bytes.data() + offset, &value, size);
    auto images = extract_from(bytes);
    return images ? std::string("accepted") : images.error().message();
  };
  EXPECT_THAT(damaged(8, 1u << 20, 8), testing::HasSubstr("states 1048592 bytes"));
  EXPECT_THAT(damaged(16 + 4, 8, 4), testing::HasSubstr("entry header of 8 bytes"));
  EXPECT_THAT(damaged(16 + 8, ~0ull, 8), testing::HasSubstr("reaches past the end"));
  EXPECT_THAT(damaged(16 + 0x10, 1u << 30, 4), testing::HasSubstr("compressed bytes in an entry"));
  EXPECT_THAT(damaged(16 + 0x38, 1ull << 40, 8), testing::HasSubstr("text of 1099511627776 bytes"));
  EXPECT_THAT(damaged(16 + 0x38, 5, 8), testing::HasSubstr("the entry states 5"));
  EXPECT_THAT(damaged(16 + 0x50, 0, 4), testing::HasSubstr("damaged zstd"));
  EXPECT_THAT(damaged(0, 0x466243B1, 4), testing::HasSubstr("wrapper"));
}

TEST(FatBinary, CutOrChangedBytesNeverReachOutside) {
  const std::string bytes = fat_binary(entry(1, text, Packing::lz4) + entry(1, text, Packing::zstd));
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_FALSE(extract_from(bytes.substr(0, size))) << size;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int flip : {0x01, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      auto images = extract_from(changed);
      EXPECT_TRUE(!images || images->size() <= 3u) << i;
    }
}

TEST(FatBinary, AnElfFileWithATableOutsideIsRefused) {
  std::string elf(64, '\0');
  std::memcpy(elf.data(),
              "\x7f"
              "ELF\x02\x01",
              6);
  put<std::uint64_t>(elf, 0x28, 1u << 20);
  put<std::uint16_t>(elf, 0x3a, 64);
  put<std::uint16_t>(elf, 0x3c, 3);
  auto images = extract_from(elf);
  ASSERT_FALSE(images);
  EXPECT_THAT(images.error().cause, testing::HasSubstr("section table lies outside"));
  EXPECT_FALSE(extract_from(elf.substr(0, 20)));
}

TEST(FatBinary, ComesOutOfNvccObjectsAndFatBinaries) {
  const std::string nvcc = "/usr/local/cuda/bin/nvcc";
  if (!std::filesystem::exists(nvcc)) GTEST_SKIP() << "nvcc is not installed";
  const auto folder = std::filesystem::temp_directory_path() / ("wanren_fat_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "a.cu") << "__global__ void k(int* a) { a[threadIdx.x] = 1; }\n";
  for (const char* flags :
       {"-arch=sm_80 -c", "-arch=sm_80 -rdc=true -c", "-arch=compute_90 -fatbin",
        "-arch=compute_90 -fatbin --compress-mode=none", "-arch=compute_90 -fatbin --compress-mode=speed"}) {
    const std::string command =
        "cd '" + folder.string() + "' && " + nvcc + " " + flags + " a.cu -o out > log.txt 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << flags;
    std::ifstream file(folder / "out", std::ios::binary);
    auto images = extract_from({std::istreambuf_iterator<char>(file), {}});
    ASSERT_TRUE(images) << flags << ": " << images.error().message();
    ASSERT_EQ(images->size(), 1u) << flags;
    EXPECT_THAT(images->front().text, testing::HasSubstr(".entry _Z1kPi(")) << flags;
    EXPECT_EQ(images->front().target_sm, std::string(flags).find("90") == std::string::npos ? 80 : 90)
        << flags;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace wanren::ptx
