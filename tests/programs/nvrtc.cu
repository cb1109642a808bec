// NVRTC: headers in memory, options, lowered names of templates and variables, both outputs through the
// driver, and what is wrong with a program in its log.
#include <cuda.h>
#include <nvrtc.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "check.h"

#define RTC(call) EXPECT((call) == NVRTC_SUCCESS)
#define DRIVER(call) EXPECT((call) == CUDA_SUCCESS)

static const char* source = R"(
#include "numbers/three.h"
namespace a {
template <typename T, int N>
__global__ void fill(T* out) { out[threadIdx.x] = T(threadIdx.x * N + three() + OFFSET); }
__device__ int counter = 5;
__constant__ float scales[3] = {1, 2, 4};
}
extern "C" __global__ void plain(int* out) { assert(out); *out = a::counter + int(a::scales[2]); }
)";

static std::string log_of(nvrtcProgram program) {
  size_t size = 0;
  RTC(nvrtcGetProgramLogSize(program, &size));
  std::vector<char> log(size);
  RTC(nvrtcGetProgramLog(program, log.data()));
  return log.data();
}

static void run(CUmodule module, const char* fill, const char* counter) {
  CUfunction function;
  CUdeviceptr out, variable;
  size_t bytes = 0;
  DRIVER(cuMemAlloc(&out, 32 * sizeof(float)));
  DRIVER(cuModuleGetFunction(&function, module, fill));
  void* arguments[] = {&out};
  DRIVER(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr));
  float values[32];
  DRIVER(cuMemcpyDtoH(values, out, sizeof(values)));
  for (int i = 0; i < 32; ++i) EXPECT(values[i] == 7 * i + 3 + 100);

  DRIVER(cuModuleGetGlobal(&variable, &bytes, module, counter));
  EXPECT(bytes == sizeof(int));
  const int start = 38;
  DRIVER(cuMemcpyHtoD(variable, &start, sizeof(start)));
  DRIVER(cuModuleGetFunction(&function, module, "plain"));
  DRIVER(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr));
  int sum = 0;
  DRIVER(cuMemcpyDtoH(&sum, out, sizeof(sum)));
  EXPECT(sum == 42);
  DRIVER(cuMemFree(out));
}

int main() {
  DRIVER(cuInit(0));
  CUdevice device;
  CUcontext context;
  DRIVER(cuDeviceGet(&device, 0));
  DRIVER(cuDevicePrimaryCtxRetain(&context, device));
  DRIVER(cuCtxSetCurrent(context));

  int major = 0, minor = 0, count = 0;
  RTC(nvrtcVersion(&major, &minor));
  EXPECT(major == 12);
  RTC(nvrtcGetNumSupportedArchs(&count));
  std::vector<int> archs(count);
  RTC(nvrtcGetSupportedArchs(archs.data()));
  EXPECT(archs.back() == 90);

  nvrtcProgram program;
  const char *header = "__device__ int three() { return 3; }\n", *header_name = "numbers/three.h";
  RTC(nvrtcCreateProgram(&program, source, "test.cu", 1, &header, &header_name));
  const char *fill = "a::fill<float, 7>", *counter = "&a::counter", *scales = "a::scales", *lowered = nullptr;
  RTC(nvrtcAddNameExpression(program, fill));
  RTC(nvrtcAddNameExpression(program, counter));
  RTC(nvrtcAddNameExpression(program, scales));
  EXPECT(nvrtcGetLoweredName(program, fill, &lowered) == NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION);
  const char* options[] = {"--gpu-architecture=sm_80", "-D OFFSET=100", "--std=c++17", "--use_fast_math"};
  const nvrtcResult compiled = nvrtcCompileProgram(program, 4, options);
  if (compiled != NVRTC_SUCCESS) std::printf("%s\n", log_of(program).c_str());
  RTC(compiled);
  EXPECT(nvrtcAddNameExpression(program, "b") == NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION);
  const char *fill_name = nullptr, *counter_name = nullptr, *scales_name = nullptr;
  RTC(nvrtcGetLoweredName(program, fill, &fill_name));
  RTC(nvrtcGetLoweredName(program, counter, &counter_name));
  RTC(nvrtcGetLoweredName(program, scales, &scales_name));
  EXPECT(nvrtcGetLoweredName(program, "a::other", &lowered) == NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID);

  size_t size = 0;
  RTC(nvrtcGetPTXSize(program, &size));
  std::vector<char> ptx(size);
  RTC(nvrtcGetPTX(program, ptx.data()));
  EXPECT(ptx.back() == 0 && std::string(ptx.data()).size() + 1 == size);
  RTC(nvrtcGetCUBINSize(program, &size));
  EXPECT(size > 0);
  std::vector<char> cubin(size);
  RTC(nvrtcGetCUBIN(program, cubin.data()));
  RTC(nvrtcGetLTOIRSize(program, &size));
  EXPECT(size == 0);
  for (const void* image : {static_cast<void*>(ptx.data()), static_cast<void*>(cubin.data())}) {
    CUmodule module;
    DRIVER(cuModuleLoadData(&module, image));
    run(module, fill_name, counter_name);
    CUdeviceptr variable;
    DRIVER(cuModuleGetGlobal(&variable, &size, module, scales_name));
    EXPECT(size == 3 * sizeof(float));
    DRIVER(cuModuleUnload(module));
  }
  RTC(nvrtcDestroyProgram(&program));
  EXPECT(program == nullptr);

  RTC(nvrtcCreateProgram(
      &program,
      "int twice(int i) { return i + i; }\nextern \"C\" __global__ void k(int* p) { *p = twice(*p); }",
      nullptr, 0, nullptr, nullptr));
  const char* unmarked[] = {"-default-device", "-arch=compute_80"};
  RTC(nvrtcCompileProgram(program, 2, unmarked));
  RTC(nvrtcGetCUBINSize(program, &size));
  EXPECT(size == 0);
  RTC(nvrtcDestroyProgram(&program));

  RTC(nvrtcCreateProgram(&program, "__global__ void k(int* p) {\n  *p = nobody;\n}\n", "bad.cu", 0, nullptr,
                         nullptr));
  EXPECT(nvrtcCompileProgram(program, 0, nullptr) == NVRTC_ERROR_COMPILATION);
  EXPECT(log_of(program).find("bad.cu:2:8: error: use of undeclared identifier 'nobody'") !=
         std::string::npos);
  EXPECT(nvrtcGetLoweredName(program, "k", &lowered) == NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION);
  RTC(nvrtcDestroyProgram(&program));
  RTC(nvrtcCreateProgram(&program, "", "none.cu", 0, nullptr, nullptr));
  const char* wrong[] = {"--no-such-option"};
  EXPECT(nvrtcCompileProgram(program, 1, wrong) == NVRTC_ERROR_INVALID_OPTION);
  RTC(nvrtcDestroyProgram(&program));
  // A header's name cannot lead elsewhere in the file system.
  const char* outside = "../../three.h";
  RTC(nvrtcCreateProgram(&program, "", "none.cu", 1, &header, &outside));
  EXPECT(nvrtcCompileProgram(program, 0, nullptr) == NVRTC_ERROR_COMPILATION);
  EXPECT(log_of(program).find("'../../three.h'") != std::string::npos);
  RTC(nvrtcDestroyProgram(&program));
  // Quoted includes are looked for where the program's name says it lies.
  const std::filesystem::path place =
      std::filesystem::temp_directory_path() / ("wanren-nvrtc-" + std::to_string(getpid()));
  std::filesystem::create_directory(place);
  const std::string beside = place / "beside.h";
  std::FILE* file = std::fopen(beside.c_str(), "w");
  EXPECT(file != nullptr);
  std::fputs("#define FOUND 1\n", file);
  std::fclose(file);
  RTC(nvrtcCreateProgram(&program, "#include \"beside.h\"\n__device__ int found = FOUND;",
                         (place / "a.cu").c_str(), 0, nullptr, nullptr));
  const nvrtcResult found = nvrtcCompileProgram(program, 0, nullptr);
  std::filesystem::remove_all(place);
  RTC(found);
  RTC(nvrtcDestroyProgram(&program));

  std::string name;
  RTC(nvrtcGetTypeName<std::vector<int>*>(&name));
  EXPECT(name.find("vector<int") != std::string::npos);
  std::printf("PASS\n");
}
