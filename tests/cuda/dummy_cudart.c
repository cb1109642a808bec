// A made-up libcudart to link importer.c against: names and version node only. Calls of it fail.

#define NAME(symbol) \
  int symbol(void);  \
  int symbol(void) { \
    return 999;      \
  }

NAME(__cudaRegisterFatBinary)
NAME(__cudaRegisterFatBinaryEnd)
NAME(__cudaUnregisterFatBinary)
NAME(__cudaRegisterFunction)
NAME(cudaRuntimeGetVersion)
NAME(cudaGetDeviceCount)
NAME(cudaGetDeviceProperties)
NAME(cudaGetDeviceProperties_v2)
NAME(cudaDeviceGetAttribute)
NAME(cudaMalloc)
NAME(cudaMallocManaged)
NAME(cudaFree)
NAME(cudaMemcpy)
NAME(cudaMemAdvise)
NAME(cudaLaunchKernel)
NAME(cudaDeviceSynchronize)
NAME(cudaGetLastError)
NAME(cudaStreamCreate)
NAME(cudaStreamBeginCapture)
NAME(cudaStreamGetCaptureInfo)
NAME(cudaStreamEndCapture)
NAME(cudaStreamSynchronize)
NAME(cudaGraphInstantiate)
NAME(cudaGraphLaunch)
