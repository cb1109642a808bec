#!/usr/bin/env python3
"""What the device library's functions weigh once lowered: math_weight.py WANREN. The limits are a few instructions
above what nvcc 13 makes of the same line for sm_80 (in parentheses), kernel and address included; a heavier library
would make every softmax and GELU of `wanren cc` slower than it is on the chip."""
import pathlib, subprocess, sys, tempfile

LIMITS = {"expf(v)": 18,      # 18
          "__expf(v)": 13,    # 13
          "logf(v)": 36,      # 34
          "tanhf(v)": 34,     # 25
          "erff(v)": 40,      # 36
          "powf(v, w)": 110,  # 97
          # One instruction in nvcc's code, a function of the headers here: kernels hold many, and must still compile.
          "tex2D<float>(*(cudaTextureObject_t*)(x + 64), v, w)": 560}


def main():
    wanren = sys.argv[1]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        source, ptx = pathlib.Path(folder) / "k.cu", pathlib.Path(folder) / "k.ptx"
        for call, limit in LIMITS.items():
            source.write_text("__global__ void k(float* x) { float v = x[threadIdx.x], w = x[threadIdx.x + 1]; "
                              f"x[threadIdx.x] = {call}; }}\n")
            subprocess.run([wanren, "cc", "-arch=sm_80", "--ptx", source, "-o", ptx], check=True)
            text = subprocess.run([wanren, "lower", ptx, "--chip", "a100"], check=True, capture_output=True, text=True).stdout
            count = sum(line.startswith("  ") for line in text.splitlines())
            print(f"{call:12} {count:4} instructions, limit {limit}")
            failed |= not 3 < count <= limit
    sys.exit(failed)


main()
