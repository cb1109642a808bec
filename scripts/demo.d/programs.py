"""What the demo compares: four programs, four chips."""

from dataclasses import dataclass

CHIPS = ("br104", "br100", "a100", "h100")


@dataclass(frozen=True)
class Program:
    title: str
    name: str  # executable in build/programs
    kernels: tuple  # kernels that count, by name without parameters; empty: all
    roof: str  # "tensor", "dram" or "fp32": the claimed peak that matters
    small: tuple  # arguments
    large: tuple
    small_size: str
    large_size: str
    small_set: tuple = ()  # --set KEY=VALUE
    note: str = ""  # for the caption of the small table
    useful_bytes_per_thread: int = 0  # roof "dram": what STREAM counts


PROGRAMS = (
    Program("BF16 GEMM", "bf16_gemm", ("gemm",), "tensor", ("-n", "1280", "-k", "512"), ("--large",), "1280², k = 512", "n = 4096"),
    Program("STREAM triad", "stream", ("triad",), "dram", ("-n", "2097152", "-r", "1"), ("--large", "-r", "1"),
            "3 x 8 MiB", "3 x 1 GiB", ("l2.bytes_per_die=1MiB",),
            "STREAM runs with L2 cut to 1 MiB a die, so that arrays of a quick run are four times the cache, as "
            "STREAM asks; the rate from DRAM does not depend on it.", 12),
    Program("SGEMM", "sgemm", ("blocked",), "fp32", ("-n", "1280", "-k", "64", "-step", "blocked"),
            ("--large", "-step", "blocked"), "1280², k = 64", "n = 4096"),
    Program("MLP training", "mlp", (), "fp32", ("-epochs", "10"), ("--large",), "2,048 points, 10 epochs",
            "65,536 points, to 95 %"),
)
