#pragma once
// Private to src/cuda: entry points of libcudart that the program's headers do not declare: what compilers
// call, and the forms that functions had, or got, in other versions than the headers'.

#include "cuda_runtime_api.h"
#undef cudaGetDeviceProperties
#undef cudaStreamGetCaptureInfo

namespace wanren::cuda {
struct DeviceProperties13;
}

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper);
void __cudaRegisterFatBinaryEnd(void** handle);
void __cudaUnregisterFatBinary(void** handle);
void __cudaRegisterFunction(void** handle, const char* host, char*, const char* name, int, void*, void*,
                            void*, void*, int*);
void __cudaRegisterVar(void** handle, char* host, char*, const char* name, int, size_t bytes, int, int);
void __cudaRegisterManagedVar(void**, void**, char*, const char* name, int, size_t, int, int);
char __cudaInitModule(void** handle);
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream);
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared_bytes, void* stream);
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function);
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments,
                               size_t shared_bytes, cudaStream_t stream);

// CUDA 11.
cudaError_t cudaGetDeviceProperties_v11(void* properties, int device);
cudaError_t cudaRuntimeGetVersion_v11(int* version);
cudaError_t cudaStreamGetCaptureInfo_v1(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        unsigned long long* id);
cudaError_t cudaGraphInstantiate_v11(cudaGraphExec_t* exec, cudaGraph_t graph, cudaGraphNode_t* error_node,
                                     char* log, size_t log_bytes);
cudaError_t cudaGraphExecUpdate_v11(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphNode_t* error_node,
                                    cudaGraphExecUpdateResult* result);
cudaError_t cudaGetDriverEntryPoint_v11(const char* symbol, void** function, unsigned long long flags);

// CUDA 12.
cudaError_t cudaRuntimeGetVersion_v12(int* version);

// CUDA 13; 12 has the graph functions with a suffix.
cudaError_t cudaGetDeviceProperties_v13(wanren::cuda::DeviceProperties13* properties, int device);
cudaError_t cudaRuntimeGetVersion_v13(int* version);
cudaError_t cudaStreamGetCaptureInfo_v3(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        unsigned long long* id, cudaGraph_t* graph,
                                        const cudaGraphNode_t** dependencies, const cudaGraphEdgeData** edges,
                                        size_t* count);
cudaError_t cudaStreamUpdateCaptureDependencies_v2(cudaStream_t stream, cudaGraphNode_t* nodes,
                                                   const cudaGraphEdgeData* edges, size_t count,
                                                   unsigned int flags);
cudaError_t cudaMemcpyBatchAsync_v2(const void** to, const void** from, const size_t* bytes, size_t count,
                                    cudaMemcpyAttributes* attributes, size_t* first, size_t attribute_count,
                                    cudaStream_t stream);
cudaError_t cudaMemcpy3DBatchAsync_v2(size_t count, cudaMemcpy3DBatchOp* list, unsigned long long flags,
                                      cudaStream_t stream);
cudaError_t cudaGraphAddNode_v2(cudaGraphNode_t* made, cudaGraph_t graph, const cudaGraphNode_t* after,
                                const cudaGraphEdgeData* edges, size_t count, cudaGraphNodeParams* params);
cudaError_t cudaGraphAddDependencies_v2(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                                        size_t count);
cudaError_t cudaGraphRemoveDependencies_v2(cudaGraph_t graph, const cudaGraphNode_t* from,
                                           const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                                           size_t count);
cudaError_t cudaGraphGetEdges_v2(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                                 cudaGraphEdgeData* edges, size_t* count);
cudaError_t cudaGraphNodeGetDependencies_v2(cudaGraphNode_t node, cudaGraphNode_t* nodes,
                                            cudaGraphEdgeData* edges, size_t* count);
cudaError_t cudaGraphNodeGetDependentNodes_v2(cudaGraphNode_t node, cudaGraphNode_t* nodes,
                                              cudaGraphEdgeData* edges, size_t* count);

}  // extern "C"
