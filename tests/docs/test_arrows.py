"""The arrows of docs/architecture.md hold: what a folder of src/ can include are folders that its list names before it,
LLVM is seen by jit alone, and an include past them does not compile.

usage: test_arrows.py SOURCE_FOLDER ARROWS COMPILER; ARROWS has a line per target, folder:include path:include path…"""

import re
import subprocess
import sys
from pathlib import Path

root, arrows, compiler = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
problems = []

page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
order = re.findall(r"^(\w+) {1,}\S", re.search(r"```\n(.*?)```", page, re.S).group(1), re.M)
folders = sorted(p.name for p in (root / "src").iterdir() if (p / "CMakeLists.txt").exists())
for folder in set(folders) ^ set(order):
    problems.append(f"architecture.md and src/ do not both have {folder}")

sees = {}
for line in arrows.read_text(encoding="utf-8").splitlines():
    folder, *paths = line.split(":")
    sees.setdefault(folder, set()).update(p for p in paths if p)


def includes(paths, header):
    """Whether the compiler finds the header."""
    flags = [f"-I{p}" for p in sorted(paths)]
    run = subprocess.run([compiler, "-std=c++23", "-E", "-x", "c++", "-", "-o", "/dev/null", *flags],
                         input=f'#include "{header}"\n', capture_output=True, text=True, check=False)
    return run.returncode == 0


for folder, paths in sees.items():
    views = {Path(p).name for p in paths if Path(p).parent.name == "include" and Path(p).name in folders}
    for seen in views - {folder}:
        if seen in order and folder in order and order.index(seen) > order.index(folder):
            problems.append(f"{folder} sees {seen}, which comes after it")
    if any(Path(p) in (root / "src", root) for p in paths):
        problems.append(f"{folder} sees all of src/")
    if any("llvm" in p for p in paths) and folder != "jit":
        problems.append(f"{folder} sees LLVM")
    for other in folders:
        header = next((h.name for h in sorted((root / "src" / other).glob("*.h"))), None)
        if header and other not in views and any((Path(p) / other / header).exists() for p in paths):
            problems.append(f"{folder} finds {other}/{header}, which it does not link")

if not includes(sees["simt"], "ptx/module.h"):
    problems.append("simt does not find ptx/module.h, which it links")
for folder, header in [("ptx", "simt/kernel.h"), ("simt", "interp/interp.h"), ("timing", "engine/launch.h"),
                       ("lower", "timing/device.h"), ("engine", "jit/compiler.h"), ("driver", "cuda/registry.h")]:
    if not (root / "src" / header).exists():
        problems.append(f"src/{header} is gone: name another header here")
    if includes(sees[folder], header):
        problems.append(f"{folder} compiles an include of {header}")

for problem in problems:
    print(problem)
print("FAIL" if problems else "PASS")
sys.exit(bool(problems))
