// NVTX as a program sees it where no tool listens: every mark and range is taken and nothing is done with it,
// which is what NVTX's own headers do then. Ids are 0, nesting levels those of a thread without a tool (-2:
// NVTX_NO_PUSH_POP_TRACKING).
#ifndef WANREN_NVTOOLSEXT_H
#define WANREN_NVTOOLSEXT_H
#define NVTOOLSEXT_H_  // libraries ask for this name

#include <stddef.h>
#include <stdint.h>

#define NVTX_VERSION 3
#define NVTX_NO_PUSH_POP_TRACKING ((int)-2)
#define NVTX_EVENT_ATTRIB_STRUCT_SIZE ((uint16_t)sizeof(nvtxEventAttributes_t))

#if defined(__cplusplus)
extern "C" {
#endif

typedef uint64_t nvtxRangeId_t;
typedef struct nvtxDomainRegistration_st* nvtxDomainHandle_t;
typedef struct nvtxStringRegistration_st* nvtxStringHandle_t;
typedef enum nvtxColorType_t { NVTX_COLOR_UNKNOWN = 0, NVTX_COLOR_ARGB = 1 } nvtxColorType_t;
typedef enum nvtxMessageType_t {
  NVTX_MESSAGE_UNKNOWN = 0,
  NVTX_MESSAGE_TYPE_ASCII = 1,
  NVTX_MESSAGE_TYPE_UNICODE = 2,
  NVTX_MESSAGE_TYPE_REGISTERED = 3
} nvtxMessageType_t;
typedef enum nvtxPayloadType_t {
  NVTX_PAYLOAD_UNKNOWN = 0,
  NVTX_PAYLOAD_TYPE_UNSIGNED_INT64 = 1,
  NVTX_PAYLOAD_TYPE_INT64 = 2,
  NVTX_PAYLOAD_TYPE_DOUBLE = 3,
  NVTX_PAYLOAD_TYPE_UNSIGNED_INT32 = 4,
  NVTX_PAYLOAD_TYPE_INT32 = 5,
  NVTX_PAYLOAD_TYPE_FLOAT = 6
} nvtxPayloadType_t;
typedef union nvtxMessageValue_t {
  const char* ascii;
  const wchar_t* unicode;
  nvtxStringHandle_t registered;
} nvtxMessageValue_t;
typedef struct nvtxEventAttributes_v2 {
  uint16_t version, size;
  uint32_t category;
  int32_t colorType;
  uint32_t color;
  int32_t payloadType, reserved0;
  union payload_t {
    uint64_t ullValue;
    int64_t llValue;
    double dValue;
    uint32_t uiValue;
    int32_t iValue;
    float fValue;
  } payload;
  int32_t messageType;
  nvtxMessageValue_t message;
} nvtxEventAttributes_v2;
typedef struct nvtxEventAttributes_v2 nvtxEventAttributes_t;

#define WANREN_NVTX static inline __attribute__((unused))
#define WANREN_NVTX_EACH(SUFFIX, CHAR)                                                          \
  WANREN_NVTX void nvtxMark##SUFFIX(const CHAR* message) {                                      \
    (void)message;                                                                              \
  }                                                                                             \
  WANREN_NVTX nvtxRangeId_t nvtxRangeStart##SUFFIX(const CHAR* message) {                       \
    (void)message;                                                                              \
    return 0;                                                                                   \
  }                                                                                             \
  WANREN_NVTX int nvtxRangePush##SUFFIX(const CHAR* message) {                                  \
    (void)message;                                                                              \
    return NVTX_NO_PUSH_POP_TRACKING;                                                           \
  }                                                                                             \
  WANREN_NVTX void nvtxNameCategory##SUFFIX(uint32_t category, const CHAR* name) {              \
    (void)category, (void)name;                                                                 \
  }                                                                                             \
  WANREN_NVTX void nvtxNameOsThread##SUFFIX(uint32_t thread, const CHAR* name) {                \
    (void)thread, (void)name;                                                                   \
  }                                                                                             \
  WANREN_NVTX nvtxDomainHandle_t nvtxDomainCreate##SUFFIX(const CHAR* name) {                   \
    (void)name;                                                                                 \
    return NULL;                                                                                \
  }                                                                                             \
  WANREN_NVTX nvtxStringHandle_t nvtxDomainRegisterString##SUFFIX(nvtxDomainHandle_t domain,    \
                                                                  const CHAR* string) {         \
    (void)domain, (void)string;                                                                 \
    return NULL;                                                                                \
  }                                                                                             \
  WANREN_NVTX void nvtxDomainNameCategory##SUFFIX(nvtxDomainHandle_t domain, uint32_t category, \
                                                  const CHAR* name) {                           \
    (void)domain, (void)category, (void)name;                                                   \
  }
WANREN_NVTX_EACH(A, char)
WANREN_NVTX_EACH(W, wchar_t)
#undef WANREN_NVTX_EACH

WANREN_NVTX void nvtxInitialize(const void* reserved) {
  (void)reserved;
}
WANREN_NVTX void nvtxMarkEx(const nvtxEventAttributes_t* event) {
  (void)event;
}
WANREN_NVTX nvtxRangeId_t nvtxRangeStartEx(const nvtxEventAttributes_t* event) {
  (void)event;
  return 0;
}
WANREN_NVTX void nvtxRangeEnd(nvtxRangeId_t id) {
  (void)id;
}
WANREN_NVTX int nvtxRangePushEx(const nvtxEventAttributes_t* event) {
  (void)event;
  return NVTX_NO_PUSH_POP_TRACKING;
}
WANREN_NVTX int nvtxRangePop(void) {
  return NVTX_NO_PUSH_POP_TRACKING;
}
WANREN_NVTX void nvtxDomainDestroy(nvtxDomainHandle_t domain) {
  (void)domain;
}
WANREN_NVTX void nvtxDomainMarkEx(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* event) {
  (void)domain, (void)event;
}
WANREN_NVTX nvtxRangeId_t nvtxDomainRangeStartEx(nvtxDomainHandle_t domain,
                                                 const nvtxEventAttributes_t* event) {
  (void)domain, (void)event;
  return 0;
}
WANREN_NVTX void nvtxDomainRangeEnd(nvtxDomainHandle_t domain, nvtxRangeId_t id) {
  (void)domain, (void)id;
}
WANREN_NVTX int nvtxDomainRangePushEx(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* event) {
  (void)domain, (void)event;
  return NVTX_NO_PUSH_POP_TRACKING;
}
WANREN_NVTX int nvtxDomainRangePop(nvtxDomainHandle_t domain) {
  (void)domain;
  return NVTX_NO_PUSH_POP_TRACKING;
}
#undef WANREN_NVTX

#if defined(UNICODE)
#define nvtxMark nvtxMarkW
#define nvtxRangeStart nvtxRangeStartW
#define nvtxRangePush nvtxRangePushW
#define nvtxNameCategory nvtxNameCategoryW
#define nvtxNameOsThread nvtxNameOsThreadW
#define nvtxDomainCreate nvtxDomainCreateW
#define nvtxDomainRegisterString nvtxDomainRegisterStringW
#define nvtxDomainNameCategory nvtxDomainNameCategoryW
#else
#define nvtxMark nvtxMarkA
#define nvtxRangeStart nvtxRangeStartA
#define nvtxRangePush nvtxRangePushA
#define nvtxNameCategory nvtxNameCategoryA
#define nvtxNameOsThread nvtxNameOsThreadA
#define nvtxDomainCreate nvtxDomainCreateA
#define nvtxDomainRegisterString nvtxDomainRegisterStringA
#define nvtxDomainNameCategory nvtxDomainNameCategoryA
#endif

#if defined(__cplusplus)
}
#endif
#endif
