"""The determinism matrix: programs x host threads x quantum lengths x repeats. What a program prints and the cycles
and counters of every launch must be the same in each run; a table says where they are not."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Host-side figures, and what depends on the host's libraries.
HOST_KEYS = {"compile_wall_s", "functional_wall_s", "timing_wall_s"}


def cases(programs):
    """(label, command) of every program: those of cases.h by case, others once."""
    for program in programs:
        name = Path(program).name
        if name in ("alone", "communicating"):
            listed = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
            for case in listed:
                yield f"{name}:{case}", [program, case]
        else:
            yield name, [program]


def run(command, threads, quantum, folder, chip):
    report = Path(folder) / "report.json"
    environment = dict(os.environ, WANREN_TIMING="full", WANREN_THREADS=str(threads), WANREN_QUANTUM=str(quantum),
                       WANREN_REPORT=str(report), WANREN_CHIP=chip)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stdout[-200:]}{done.stderr[-200:]}"
    launches = [{k: v for k, v in launch.items() if k not in HOST_KEYS}
                for launch in json.loads(report.read_text())["kernels"]]
    return json.dumps(launches, sort_keys=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--chip", default="br100")
    parser.add_argument("--threads", default="1,2,8")
    parser.add_argument("--quanta", default="0,37,5", help="0: the longest that the chip's latencies allow")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--diagonal", action="store_true",
                        help="one run per threads and quantum in step instead of their product")
    arguments = parser.parse_args()
    threads = [int(t) for t in arguments.threads.split(",")]
    quanta = [int(q) for q in arguments.quanta.split(",")]
    grid = list(zip(threads, quanta)) if arguments.diagonal else [(t, q) for t in threads for q in quanta]
    grid *= arguments.repeats

    failed, count, begin = [], 0, time.monotonic()
    print(f"{'program':32} {'launches':>8} {'cycles':>12} {'runs':>5}  verdict")
    with tempfile.TemporaryDirectory() as folder:
        for label, command in cases(arguments.programs):
            count += 1
            seen = {}
            for t, q in grid:
                seen.setdefault(run(command, t, q, folder, arguments.chip), []).append((t, q))
            first = next(iter(seen))
            good = len(seen) == 1 and not first.startswith("exit")
            launches = json.loads(first) if first.startswith("[") else []
            cycles = sum(launch["cycles"] for launch in launches)
            print(f"{label:32} {len(launches):8} {cycles:12.0f} {len(grid):5}  "
                  f"{'the same' if good else 'DIFFERS'}", flush=True)
            if good:
                continue
            failed.append(label)
            for outcome, runs in seen.items():
                where = " ".join(f"{t}x{q}" for t, q in runs)
                what = ([launch["cycles"] for launch in json.loads(outcome)] if outcome.startswith("[") else outcome)
                print(f"    {where}: {str(what)[:300]}")
    print(f"{count} programs, {count * len(grid)} runs, {len(failed)} differ, {time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


sys.exit(main())
