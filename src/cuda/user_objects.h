#pragma once
// Private to src/cuda: objects of the program that graphs keep alive, for both APIs.

#include <memory>

#include "driver/status.h"

struct CUgraph_st;

/// Ends, and calls `destroy`, when neither the program nor a graph holds a reference.
struct CUuserObject_st {
  void* object;
  void (*destroy)(void*);
  unsigned program = 0;                   ///< References of the program.
  std::shared_ptr<CUuserObject_st> held;  ///< While there are such.
  std::weak_ptr<CUuserObject_st> self;
  CUuserObject_st(void* object, void (*destroy)(void*)) : object(object), destroy(destroy) {}
  ~CUuserObject_st() { destroy(object); }
};

namespace wanren::cuda {

driver::Status user_object_create(CUuserObject_st** made, void* object, void (*destroy)(void*),
                                  unsigned count, unsigned flags);
driver::Status user_object_retain(CUuserObject_st* object, unsigned count);
driver::Status user_object_release(CUuserObject_st* object, unsigned count);
driver::Status graph_retain(CUgraph_st* graph, CUuserObject_st* object, unsigned count, unsigned flags);
driver::Status graph_release(CUgraph_st* graph, CUuserObject_st* object, unsigned count);

}  // namespace wanren::cuda
