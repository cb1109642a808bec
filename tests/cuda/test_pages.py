"""Keeps docs/api.md and docs/adding-a-runtime-function.md true.

usage: test_pages.py SOURCE_FOLDER"""

import re
import subprocess
import sys
from pathlib import Path

root = Path(sys.argv[1])
problems = []

made = subprocess.run([sys.executable, root / "scripts/api_page", "--check"], capture_output=True, text=True)
if made.returncode != 0:
    problems.append(made.stderr.strip())

# The page's example is in exactly the files that the page lists.
page = (root / "docs/adding-a-runtime-function.md").read_text()
function = re.search(r"<!-- files: (\w+) -->", page).group(1)
listed = set(re.findall(r"^\d\. `([^`]+)`", page, re.M))
word = re.compile(rf"\b{function}\b")
found = set()
for folder in ("include", "src", "docs", "scripts", "cmake", "lib"):
    for path in sorted((root / folder).rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and name != "docs/adding-a-runtime-function.md":
            if word.search(path.read_text(errors="replace")):
                found.add(name)
if found != listed:
    problems.append(f"adding-a-runtime-function.md lists {sorted(listed)}; {function} is in {sorted(found)}")
if len(listed) > 4:
    problems.append(f"a runtime function is in {len(listed)} places; four are enough")

# The rule of architecture.md: neither API is built on the other's entry points.
for pattern, call in (("driver_*.cpp", r"\bcuda[A-Z]\w*\("), ("runtime_*.cpp", r"\bcu[A-Z]\w*\(")):
    for path in sorted((root / "src/cuda").glob(pattern)):
        code = re.sub(r"//[^\n]*|\"[^\"\n]*\"", "", path.read_text())
        for name in sorted(set(re.findall(call, code))):
            problems.append(f"{path.name} calls {name[:-1]} of the other API")

print("\n".join(problems))
sys.exit(1 if problems else 0)
