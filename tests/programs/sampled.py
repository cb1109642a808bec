"""Sampled timing gives a program's results and, within the errors that docs/accuracy.md promises, its time.

usage: sampled.py WANREN_EXECUTABLE PROGRAM"""

import json
import subprocess
import sys
from pathlib import Path

wanren, program = sys.argv[1:]
# An eighth of each chip, so that grids that are quick to simulate have many waves.
chips = {
    "a100": ["package.units_per_die=16", "package.clusters_per_die=4", "l2.bytes_per_die=5MiB", "hbm.bandwidth_per_die=280GB/s"],
    "br100": ["package.units_per_die=8", "package.clusters_per_die=2", "l2.bytes_per_die=16MiB", "hbm.bandwidth_per_die=102GB/s",
              "d2d.bandwidth=56GB/s"],
}
worst_pct, mean_pct = 6, 2
problems = []


def run(chip, timing):
    report = f"{program}.{chip}.{timing}.report.json"
    done = subprocess.run([wanren, "run", "--chip", chip, "--timing", timing, "--report", report,
                           *(f"--set={change}" for change in chips[chip]), "--", program],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"FAIL: {chip}, {timing}: exit code {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(Path(report).read_text(encoding="utf-8"))["kernels"], done.stdout


for chip in chips:
    (full, full_out), (fast, fast_out) = run(chip, "full"), run(chip, "fast")
    if full_out != fast_out:
        problems.append(f"{chip}: results {fast_out.strip()}, not {full_out.strip()}")
    errors = []
    for whole, part in zip(full, fast, strict=True):
        name = whole["name"].split("(")[0]
        error = 100 * (part["time_us"] / whole["time_us"] - 1)
        energy = 100 * (part["energy_j"] / whole["energy_j"] - 1)
        ctas = whole["grid"][0] * whole["grid"][1] * whole["grid"][2]
        print(f"{chip:8} {name:10} {whole['time_us']:9.2f} us {error:+6.2f} % time {energy:+6.2f} % energy, "
              f"said {part['sampling_error_pct']:.2f} %, simulated {100 * part['simulated_ctas'] / ctas:.0f} %")
        if whole["sampled"] or whole["simulated_ctas"] != ctas:
            problems.append(f"{chip}: full timing sampled {name}")
        if part["sampled"] != (part["simulated_ctas"] < ctas):
            problems.append(f"{chip}: {name} does not say whether it was sampled")
        if abs(error) > worst_pct or abs(energy) > worst_pct:
            problems.append(f"{chip}: {name} is off by {error:.2f} % in time, {energy:.2f} % in energy")
        if part["warp_instructions"] != whole["warp_instructions"]:
            problems.append(f"{chip}: {name} counts {part['warp_instructions']} of {whole['warp_instructions']} instructions")
        errors.append(abs(error))
    if sum(errors) / len(errors) > mean_pct:
        problems.append(f"{chip}: the mean error is {sum(errors) / len(errors):.2f} %")
    if not any(k["simulated_ctas"] < 0.7 * k["grid"][0] * k["grid"][1] for k in fast):
        problems.append(f"{chip}: nothing was sampled")

sys.exit("\n".join(f"FAIL: {p}" for p in problems) if problems else 0)
