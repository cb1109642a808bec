"""Reads what `wanren compare --json` wrote and answers what the table, the verdict and the pictures ask."""

import json
from dataclasses import dataclass

ROOF_KEY = {"tensor": "tensor_peak_pct", "dram": "dram_peak_pct", "fp32": "fp32_peak_pct"}
PAR = 1.25  # faster or slower by less than this counts as on a par


def short_name(kernel):
    name = kernel.split("(")[0]
    return name[5:] if name.startswith("void ") else name


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@dataclass
class Cell:
    """One program on one chip. Times in microseconds; low and high from --sensitivity."""

    chip: str
    failure: str = ""
    time_us: float = 0
    low_us: float = 0
    high_us: float = 0
    roof_pct: float = 0
    watts: float = 0
    joules: float = 0
    bound_by: str = ""
    report: dict = None
    kernels: list = None

    @property
    def ok(self):
        return not self.failure


def cell(report, program, chip):
    if report.get("failure"):
        return Cell(chip, failure=report["failure"])
    kernels = [k for k in report["kernels"]
               if k["time_us"] > 0 and (not program.kernels or short_name(k["name"]) in program.kernels)]
    if not kernels:
        return Cell(chip, failure="no timed kernel")
    time_us = sum(k["time_us"] for k in kernels)
    joules = sum(k["energy_j"] for k in kernels)
    if program.useful_bytes_per_thread:
        threads = sum(k["grid"][0] * k["block"][0] for k in kernels)
        rate = threads * program.useful_bytes_per_thread / (time_us * 1e-6)
        roof = 100 * rate / (report["chip"]["peak_dram_gbs"] * 1e9)
    else:
        roof = sum(k[ROOF_KEY[program.roof]] * k["time_us"] for k in kernels) / time_us
    by_limit = {}
    for k in kernels:
        by_limit[k["bound_by"]] = by_limit.get(k["bound_by"], 0) + k["time_us"]
    # The range is of the program's kernels together; its share carries over to the ones that count.
    low = high = 1.0
    busy = report["totals"]["busy_us"]
    if "range" in report and busy > 0:
        low, high = report["range"]["busy_low_us"] / busy, report["range"]["busy_high_us"] / busy
    return Cell(chip, "", time_us, time_us * low, time_us * high, roof, joules / (time_us * 1e-6), joules,
                max(by_limit, key=by_limit.get), report, kernels)


def cells(comparison, program, chips):
    """By the names that the comparison was asked for; reports carry the full ones (a100: a100-sxm-80g)."""
    return {chip: cell(report, program, chip) for chip, report in zip(chips, comparison["chips"])}


def peak_text(report, roof):
    chip = report["chip"]
    if roof == "tensor":
        return f"{chip['peak_bf16_tflops']:.0f} TFLOP/s"
    if roof == "dram":
        return f"{chip['peak_dram_gbs']:.0f} GB/s"
    return f"{chip['peak_fp32_tflops']:.1f} TFLOP/s"


def speed(ours, base):
    """How many times faster `ours` is than `base`: nominal, least, most."""
    return base.time_us / ours.time_us, base.low_us / ours.high_us, base.high_us / ours.low_us


def judge(least, most):
    """One word where the whole interval agrees, else nothing."""
    if least >= 1 / PAR and most <= PAR:
        return "par"
    if least > 1:
        return "ahead"
    if most < 1:
        return "behind"
    return ""


def verdict(table, chip, base="a100"):
    """table: {program title: {chip: Cell}}. A line on `chip` against `base`; an interval where the ranking flips."""
    groups = {"ahead": [], "par": [], "behind": [], "": []}
    for title, row in table.items():
        if chip not in row or base not in row or not row[chip].ok or not row[base].ok:
            continue
        nominal, least, most = speed(row[chip], row[base])
        groups[judge(least, most)].append(f"{title} ({least:.2f}–{most:.2f}x)")
    said = []
    for word, text in (("ahead", "ahead in"), ("par", "on a par in"), ("behind", "behind in")):
        if groups[word]:
            said.append(f"{text} {', '.join(groups[word])}")
    if groups[""]:
        said.append(f"cannot be told in {', '.join(groups[''])}")
    return "; ".join(said) if said else "no program ran on both"
