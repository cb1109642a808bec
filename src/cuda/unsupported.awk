# From the prototypes of cuda_runtime_api.h: one weak entry point each that answers "not supported".
# Entry points that Wanren implements override them.
/^cudaError_t cuda[A-Za-z0-9_]+\(/ {
  name = $0
  sub(/^cudaError_t /, "", name)
  sub(/\(.*/, "", name)
  if (!(name in seen)) {
    seen[name] = 1
    printf "__attribute__((weak, visibility(\"default\"))) int %s(void) { return wanren_not_supported(\"%s\"); }\n", name, name
  }
}
BEGIN { print "int wanren_not_supported(const char* name);" }
