"""A profile names the hot line, what it waits for and its sectors; counting it changes no cycle.

usage: profile.py WANREN_EXECUTABLE PROGRAM SOURCE PROFILE_DEF"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

wanren, program, source, table = sys.argv[1:]
steps, launches = 300, 3
problems = []
cache = tempfile.TemporaryDirectory()  # The first run compiles, the second does not: that may not show either.
os.environ["CUDA_CACHE_PATH"] = cache.name


def expect(what, got, wanted):
    if got != wanted:
        problems.append(f"{what}: {got}, not {wanted}")


def run(*options):
    report = program + ".profile.report.json"
    done = subprocess.run([wanren, "run", "--timing", "full", "--report", report, *options, "--", program],
                          capture_output=True, text=True, check=False)
    expect("exit code", done.returncode, 0)
    return json.loads(Path(report).read_text(encoding="utf-8")), done.stderr


def timing(report):
    return [(k["name"], k["cycles"], k["start_us"], k["end_us"], k["counters"], k["stalls"]) for k in report["kernels"]]


path = program + ".profile.jsonl"
plain, _ = run()
profiled, said = run("--profile", path)
expect("timing with a profile", timing(profiled), timing(plain))
if "hot_lines" in plain:
    problems.append("a run without a profile has hot lines")

lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
expect("first line", lines[0], {"profile_version": 1, "program": Path(program).name})
heads = [line for line in lines[1:] if "instructions" in line]
rows = [line for line in lines[1:] if "machine" in line]
expect("launches", [(h["launch_id"], h["name"], h["cycles"]) for h in heads],
       [(k["launch_id"], k["name"], k["cycles"]) for k in profiled["kernels"]])
expect("instructions", sum(h["instructions"] for h in heads), len(rows))
counters = re.findall(r"^WR_PROFILE_COUNTER\((\w+)", Path(table).read_text(encoding="utf-8"), re.M)
keys = ["launch_id", "block", "instruction", "machine", "ptx", "ptx_line", "file", "line", *counters, "stall_cycles"]
for row in rows:
    expect("keys of an instruction", list(row), keys)

# What the instructions did is what the launch did.
for kernel in profiled["kernels"]:
    own = [row for row in rows if row["launch_id"] == kernel["launch_id"]]
    for counter, of_all in [("issues", "warp_instructions"), ("lanes", "thread_instructions")]:
        expect(f"{counter} of {kernel['name']}", sum(r[counter] for r in own), kernel["counters"][of_all])
    stalls = collections.Counter()
    for row in own:
        stalls.update(row["stall_cycles"])
    for name, cycles in stalls.items():
        if abs(cycles / kernel["counters"]["warp_cycles"] - kernel["stalls"].get(name, 0)) > 1e-9:
            problems.append(f"{name} of {kernel['name']}: {cycles} cycles, but {kernel['stalls']}")

hot_line = 1 + next(i for i, text in enumerate(Path(source).read_text(encoding="utf-8").splitlines()) if "// hot" in text)
by_line = collections.Counter()
why = collections.Counter()
sectors = misses = 0
for row in rows:
    if row["launch_id"] not in [h["launch_id"] for h in heads if h["name"].startswith("chase")]:
        continue
    by_line[row["line"]] += sum(row["stall_cycles"].values()) + row["issues"]
    if row["line"] == hot_line:
        why.update(row["stall_cycles"])
        sectors += row["l1_sectors"]
        misses += row["l2_sectors"]
expect("hottest line", by_line.most_common(1)[0][0], hot_line)
expect("what it waits for", why.most_common(1)[0][0], "long_scoreboard")
expect("sectors that it touches", sectors, launches * steps)
expect("sectors that L1 does not have, on the first way round", misses, launches * steps)

hot = profiled["hot_lines"][0]
expect("first hot line", (hot["line"], hot["top_stall"], hot["l1_sectors"]), (hot_line, "long_scoreboard", launches * steps))
if not re.search(rf"chase +profile\.cu:{hot_line} .*long_scoreboard \d+% +at = next\[at\];", said):
    problems.append(f"the table does not show the hot line:\n{said}")

refused = subprocess.run([wanren, "run", "--timing", "off", "--profile", path, "--", program], capture_output=True,
                         text=True, check=False)
if refused.returncode == 0 or "--timing is off" not in refused.stderr:
    problems.append(f"a profile without timing is not refused: {refused.stderr}")
nowhere, said = run("--profile", "/nonexistent/profile")
if "/nonexistent/profile: cannot be written" not in said:
    problems.append(f"a file that cannot be written is not named: {said}")

for problem in problems:
    print(problem)
print("FAIL" if problems else "PASS")
sys.exit(bool(problems))
