"""Launches a kernel three times through libcuda alone, measuring the last two."""

import ctypes
import json
import sys

import wanren

cuda = ctypes.CDLL("libcuda.so.1")


def call(name, *arguments):
    status = getattr(cuda, name)(*arguments)
    if status != 0:
        sys.exit(f"{name}: {status}")


def main():
    device, context, module, function = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    memory = ctypes.c_uint64()
    call("cuInit", 0)
    call("cuDeviceGet", ctypes.byref(device), 0)
    call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    call("cuCtxSetCurrent", context)
    call("cuModuleLoad", ctypes.byref(module), sys.argv[1].encode())
    call("cuModuleGetFunction", ctypes.byref(function), module, b"count")
    call("cuMemAlloc_v2", ctypes.byref(memory), 1 << 20)
    call("cuMemsetD8_v2", memory, 0, 1 << 20)
    arguments = (ctypes.c_void_p * 1)(ctypes.addressof(memory))

    def launch():
        call("cuLaunchKernel", function, 1024, 1, 1, 256, 1, 1, 0, None, arguments, None)

    launch()
    with wanren.measure() as block:
        launch()
        launch()
    values = (ctypes.c_uint32 * 262144)()
    call("cuMemcpyDtoH_v2", values, memory, 1 << 20)
    everything = wanren.report()
    print(
        json.dumps(
            {
                "right": all(v == 3 for v in values),
                "kernels": len(block.kernels),
                "time_us": block.time_us,
                "busy_us": block.busy_us,
                "energy_j": block.energy_j,
                "table": block.table,
                "all_kernels": len(everything.kernels),
                "copies": len(everything.copies),
            }
        )
    )


main()
