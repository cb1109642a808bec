#!/usr/bin/env bash
# Measures a real GPU with the kernels that Wanren is validated on; writes CSV to the file named (default:
# validate/measured/<GPU>.csv). Needs the vendor's compiler and a GPU. Clocks and power are logged beside it.
set -euo pipefail
cd "$(dirname "$0")"
command -v nvcc >/dev/null || { echo "measure.sh: nvcc is not on PATH: install the CUDA toolkit on the machine with the GPU" >&2; exit 1; }
command -v nvidia-smi >/dev/null || { echo "measure.sh: nvidia-smi is missing: no NVIDIA driver on this machine" >&2; exit 1; }
gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -1 | tr ' ' '-')
out=${1:-measured/$gpu.csv}
mkdir -p "$(dirname "$out")"
work=$(mktemp -d)
nvidia-smi --query-gpu=timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu --format=csv -lms 200 >"${out%.csv}.power.csv" &
logger=$!
trap 'kill $logger 2>/dev/null; rm -rf "$work"' EXIT
arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
echo "benchmark,parameter,value,unit" >"$out"
for kernel in fma stream latency matrix sgemm sgemm_ladder occupancy launch; do
  nvcc -O3 -std=c++17 -arch="sm_$arch" "kernels/$kernel.cu" -o "$work/$kernel"
  echo "# $kernel $(date +%T)" >>"${out%.csv}.power.csv"
  "$work/$kernel" >>"$out"
done
echo "wrote $out and ${out%.csv}.power.csv"
