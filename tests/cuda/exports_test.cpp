// Every row of the tables of entry points is a symbol of the libraries, under its version node, and can be
// called by name through cuGetProcAddress.

#include <dlfcn.h>
#include <elf.h>
#include <gtest/gtest.h>
#include <link.h>

#include <string>
#include <vector>

namespace {

struct RuntimeRow {
  const char* symbol;
  int first, last;
};
const RuntimeRow runtime_rows[] = {
#define WR_HAVE(symbol, first, last, function) {#symbol, first, last},
#define WR_PER_THREAD(symbol, first, last, function) {#symbol, first, last},
#define WR_LACK(symbol, first, last) {#symbol, first, last},
#include "cuda/runtime.def"
#undef WR_HAVE
#undef WR_PER_THREAD
#undef WR_LACK
};

struct DriverRow {
  const char *symbol, *name;
  int since;
  bool per_thread;
};
const DriverRow driver_rows[] = {
#define WR_HAVE(symbol, name, since) {#symbol, #name, since, false},
#define WR_LACK(symbol, name, since) {#symbol, #name, since, false},
#define WR_PER_THREAD(symbol, name, since, function) {#symbol, #name, since, true},
#define WR_LACK_PER_THREAD(symbol, name, since) {#symbol, #name, since, true},
#include "cuda/driver.def"
#undef WR_HAVE
#undef WR_LACK
#undef WR_PER_THREAD
#undef WR_LACK_PER_THREAD
};

const struct {
  int major;
  const char* soname;
} versions[] = {{11, "libcudart.so.11.0"}, {12, "libcudart.so.12"}, {13, "libcudart.so.13"}};

void* open(const std::string& name) {
  return dlopen((std::string(WANREN_LIBRARY_DIR "/") + name).c_str(), RTLD_NOW | RTLD_LOCAL);
}

std::string soname_of(void* library) {
  link_map* map = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) return "";
  const char* strings = nullptr;
  ElfW(Xword) at = 0;
  for (const ElfW(Dyn)* entry = map->l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_STRTAB) strings = reinterpret_cast<const char*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_SONAME) at = entry->d_un.d_val;
  }
  return strings != nullptr ? strings + at : "";
}

class Driver : public testing::Test {
 protected:
  void SetUp() override {
    library = open("libcuda.so.1");
    ASSERT_NE(library, nullptr) << dlerror();
    get = reinterpret_cast<Get*>(dlsym(library, "cuGetProcAddress_v2"));
    ASSERT_NE(get, nullptr);
  }
  void* at(const char* symbol) { return dlsym(library, symbol); }
  void* found(const char* name, int version, unsigned long long flags, int* status = nullptr) {
    void* function = &library;
    EXPECT_EQ(get(name, &function, version, flags, status), 0) << name;
    return function;
  }

  using Get = int(const char*, void**, int, unsigned long long, int*);
  void* library = nullptr;
  Get* get = nullptr;
};

}  // namespace

TEST(Runtime, EveryRowIsExportedByItsVersionsUnderTheirNodes) {
  for (const auto& version : versions) {
    void* library = open(version.soname);
    ASSERT_NE(library, nullptr) << dlerror();
    EXPECT_EQ(soname_of(library), version.soname);
    for (const RuntimeRow& row : runtime_rows) {
      if (version.major < row.first || version.major > row.last) continue;
      EXPECT_NE(dlvsym(library, row.symbol, version.soname), nullptr)
          << row.symbol << " in " << version.soname;
    }
  }
}

TEST(Runtime, AVersionHasNoSymbolOfAnotherVersionOnly) {
  EXPECT_EQ(dlsym(open("libcudart.so.13"), "cudaGetDeviceProperties_v2"), nullptr);
  EXPECT_EQ(dlsym(open("libcudart.so.11.0"), "cudaLibraryLoadData"), nullptr);
}

TEST(Runtime, WhatIsLackingAnswersNotSupported) {
  for (const auto& version : versions) {
    auto* lacking = reinterpret_cast<int (*)()>(dlsym(open(version.soname), "cudaImportExternalMemory"));
    ASSERT_NE(lacking, nullptr);
    EXPECT_EQ(lacking(), 801);
  }
}

TEST(Runtime, LibrariesOfSeveralVersionsShareOneDevice) {
  void *old = open("libcudart.so.11.0"), *recent = open("libcudart.so.13");
  void* pointer = nullptr;
  ASSERT_EQ(reinterpret_cast<int (*)(void**, size_t)>(dlsym(old, "cudaMalloc"))(&pointer, 4096), 0);
  struct {
    int type, device;
    void *on_device, *on_host;
  } attributes{};
  ASSERT_EQ(reinterpret_cast<int (*)(void*, const void*)>(dlsym(recent, "cudaPointerGetAttributes"))(
                &attributes, pointer),
            0);
  EXPECT_EQ(attributes.type, 2);  // device memory
  EXPECT_EQ(reinterpret_cast<int (*)(void*)>(dlsym(recent, "cudaFree"))(pointer), 0);
}

TEST_F(Driver, EveryRowIsExportedWithoutAVersionNode) {
  EXPECT_EQ(soname_of(library), "libcuda.so.1");
  for (const DriverRow& row : driver_rows) EXPECT_NE(at(row.symbol), nullptr) << row.symbol;
  EXPECT_EQ(at("cudaMalloc"), nullptr);
}

TEST_F(Driver, ExportsNoSymbolOfLlvm) {
  EXPECT_EQ(at("LLVMContextCreate"), nullptr);
  EXPECT_EQ(at("_ZN4llvm11LLVMContextC1Ev"), nullptr);
}

TEST_F(Driver, GetProcAddressGivesEveryRowAtItsOwnVersion) {
  for (const DriverRow& row : driver_rows)
    EXPECT_EQ(found(row.name, row.since, row.per_thread ? 2 : 1), at(row.symbol))
        << row.name << " " << row.since;
}

TEST_F(Driver, GetProcAddressGivesTheNewestFormOfTheVersionAskedFor) {
  EXPECT_EQ(found("cuMemAlloc", 2000, 1), at("cuMemAlloc"));
  EXPECT_EQ(found("cuMemAlloc", 3010, 1), at("cuMemAlloc"));
  EXPECT_EQ(found("cuMemAlloc", 12080, 1), at("cuMemAlloc_v2"));
  EXPECT_EQ(found("cuStreamGetCaptureInfo", 11020, 1), at("cuStreamGetCaptureInfo"));
  EXPECT_EQ(found("cuStreamGetCaptureInfo", 12000, 1), at("cuStreamGetCaptureInfo_v2"));
  EXPECT_EQ(found("cuStreamGetCaptureInfo", 13000, 1), at("cuStreamGetCaptureInfo_v3"));
}

TEST_F(Driver, GetProcAddressHonoursStreamsPerThread) {
  EXPECT_EQ(found("cuMemcpyHtoDAsync", 12000, 0), at("cuMemcpyHtoDAsync_v2"));
  EXPECT_EQ(found("cuMemcpyHtoDAsync", 12000, 2), at("cuMemcpyHtoDAsync_v2_ptsz"));
  EXPECT_EQ(found("cuMemAlloc", 12000, 2), at("cuMemAlloc_v2"));  // has no such form
}

TEST_F(Driver, GetProcAddressSaysWhyThereIsNoFunction) {
  int status = -1;
  EXPECT_EQ(found("cuNoSuchFunction", 12000, 0, &status), nullptr);
  EXPECT_EQ(status, 1);
  EXPECT_EQ(found("cuLibraryLoadData", 11000, 0, &status), nullptr);
  EXPECT_EQ(status, 2);
  EXPECT_NE(found("cuLibraryLoadData", 12000, 0, &status), nullptr);
  EXPECT_EQ(status, 0);
  void* function = nullptr;
  EXPECT_EQ(get("cuInit", &function, 99000, 0, &status), 1);  // newer than the driver
  EXPECT_EQ(get("cuInit", &function, 12000, 4, &status), 1);  // no such flag
}

TEST_F(Driver, HasNoPrivateTables) {
  const void* table = this;
  const char id[16] = {};
  testing::internal::CaptureStderr();
  EXPECT_EQ(reinterpret_cast<int (*)(const void**, const void*)>(at("cuGetExportTable"))(&table, id), 801);
  EXPECT_EQ(table, nullptr);
  // The way out, for programs with CUDA's static runtime.
  EXPECT_NE(testing::internal::GetCapturedStderr().find("nvcc -cudart shared"), std::string::npos);
}
