"""Keeps the pages true: links lead somewhere, the chip page shows what the program prints, its example loads, settings.md is the table.

usage: test_docs.py SOURCE_FOLDER [WANREN_EXECUTABLE]"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

problems = []
root = Path(sys.argv[1])
wanren = Path(sys.argv[2]) if len(sys.argv) > 2 else None

pages = [root / "README.md", root / "CONTRIBUTING.md"] + sorted((root / "docs").glob("*.md"))
for page in pages:
    if not page.exists():
        problems.append(f"{page} is missing")
        continue
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not (page.parent / target).exists():
            problems.append(f"{page.name}: the link {target} leads nowhere")
    for path in re.findall(r"`((?:src|docs|scripts|chips|examples|tests|bench|validate|include|lib)/[\w./-]+)`", text):
        if not (root / path).exists() and not re.search(r"\b(NAME|FOLDER|THING)\b", path):
            problems.append(f"{page.name}: {path} does not exist")

chip_page = (root / "docs" / "adding-a-chip.md").read_text(encoding="utf-8")
if wanren and wanren.exists():
    keys = subprocess.run([wanren, "chips", "keys"], capture_output=True, text=True, check=False).stdout
    for line in re.search(r"```\n(\[hbm\].*?)```", chip_page, re.S).group(1).splitlines():
        if line not in keys.splitlines():
            problems.append(f"adding-a-chip.md shows a line that `chips keys` does not print: {line}")
    for member in re.findall(r"^WR_FIELD\(\w+, (\w+)",
                             (root / "src" / "chip" / "fields.def").read_text(encoding="utf-8"), re.M):
        if not re.search(rf"^  {member} ", keys, re.M):
            problems.append(f"`chips keys` does not list {member}")

example = re.search(r"```toml\n(.*?)```", chip_page, re.S).group(1)
if wanren and wanren.exists():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "quad.toml"
        file.write_text(example, encoding="utf-8")
        shown = subprocess.run([wanren, "chips", "show", file], capture_output=True, text=True, check=False)
        if shown.returncode != 0 or not re.search(r"dies\s+4\s", shown.stdout):
            problems.append(f"the example chip does not load: {shown.stderr or shown.stdout[:300]}")

# The naming that CONTRIBUTING.md states.
for test in sorted((root / "tests").glob("*/*.cpp")):
    names = re.findall(r"^TEST(?:_F|_P)?\(\w+,\s*(\w+)", test.read_text(encoding="utf-8"), re.M)
    if names and not test.name.endswith("_test.cpp"):
        problems.append(f"{test.relative_to(root)} holds tests, so its name ends with _test.cpp")
    problems += [f"{test.relative_to(root)}: {name} is no sentence" for name in names if "_" in name or name[0].islower()]

# What the page on execution says is not executed is what the table says.
page = (root / "docs/execution.md").read_text(encoding="utf-8")
listed = set(re.findall(r"`([^`]+)`", re.search(r"refused when it is built, with the line:\n(.*?)\(", page, re.S).group(1)))
table = (root / "src/ptx/opcodes.def").read_text(encoding="utf-8")
refused = {text for text, flags in re.findall(r'^WR_OPCODE\(\w+, "([^"]+)", ([^,]+),', table, re.M) if "X" in flags}
if listed != refused:
    problems.append(f"execution.md: {sorted(listed ^ refused)} is not executed, or not listed")

# The page on instructions tells of fns as it is.
page = (root / "docs/adding-an-instruction.md").read_text(encoding="utf-8")
for row in re.findall(r"WR_OPCODE\(.*?\)\)", page):
    if row not in (root / "src/ptx/opcodes.def").read_text(encoding="utf-8"):
        problems.append(f"adding-an-instruction.md: {row} is no row of opcodes.def")
if subprocess.run(["grep", "-rlw", "fns", root / "src"], capture_output=True, text=True, check=False).stdout.count("\n") != 2:
    problems.append("adding-an-instruction.md: fns is no longer in two files of src/chip and src/timing")

# The page on policies tells of fifo as it is; rows and files of policies belong together.
page = (root / "docs/adding-a-policy.md").read_text(encoding="utf-8")
policy_rows = (root / "src/chip/policies.def").read_text(encoding="utf-8")
folder = root / "src/timing/policies"
if re.search(r"```cpp\n(.*?)```", page, re.S).group(1) != (folder / "replacement/fifo.cpp").read_text(encoding="utf-8"):
    problems.append("adding-a-policy.md does not show replacement/fifo.cpp as it is")
for row in re.findall(r"WR_POLICY\(.*?\)", page):
    if row not in policy_rows:
        problems.append(f"adding-a-policy.md: {row} is no row of policies.def")
if subprocess.run(["grep", "-rlE", r"\bfifo\b", root / "src/timing", root / "src/chip"], capture_output=True, text=True, check=False).stdout.count("\n") != 2:
    problems.append("adding-a-policy.md: fifo is no longer in two files of src/chip and src/timing")
words = set()
for kind, section, member, body in re.findall(
        r"^WR_POLICY_BEGIN\(\w+, (\w+), (\w+), (\w+), \w+\)$(.*?)^WR_POLICY_END", policy_rows, re.M | re.S):
    words |= {f"{kind}/{word}" for word in re.findall(r"^WR_POLICY\((\w+),", body, re.M)}
    if f"`{section}.{member}`" not in page:
        problems.append(f"adding-a-policy.md does not have {section}.{member}")
for name in words ^ {f"{file.parent.name}/{file.stem}" for file in folder.glob("*/*.cpp")}:
    problems.append(f"src/timing/policies/{name}.cpp and the rows of policies.def differ")

counter_page = (root / "docs/counters.md").read_text(encoding="utf-8")
for table, row in [("counters", r'^WR_\w+_COUNTER\((?!id)(\w+), "(.*)"\)'), ("stalls", r'^WR_STALL\(\w+, "(.*?)", "(.*)"\)')]:
    for name, doc in re.findall(row, (root / f"src/timing/{table}.def").read_text(encoding="utf-8"), re.M):
        if f"| `{name}` | {doc} |" not in counter_page:
            problems.append(f"counters.md does not have {name}: {doc}")

profile_page = (root / "docs/profile.md").read_text(encoding="utf-8")
for name, doc in re.findall(r'^WR_PROFILE_COUNTER\((\w+), "(.*)"\)',
                            (root / "src/timing/profile.def").read_text(encoding="utf-8"), re.M):
    if f"| `{name}` | {doc} |" not in profile_page:
        problems.append(f"profile.md does not have {name}: {doc}")

rows = []
for row in re.findall(r"^WR_SETTING\((.*)\)$", (root / "src/support/settings.def").read_text(encoding="utf-8"), re.M):
    fields = re.findall(r'"(?:[^"\\]|\\.)*"|[^,"\s][^,"]*', row)
    _, _, default, variable, option, words, doc = (field.strip('"') for field in fields)
    code = lambda text: f"`{text}`" if text else ""
    choice = f" ({words.replace('|', ', ')})" if words else ""
    rows.append(f"| {code(variable)} | {code(option)} | {code(default)} | {doc}{choice} |")
listed = re.findall(r"^\| `.*\|$", (root / "docs/settings.md").read_text(encoding="utf-8"), re.M)
for row in set(rows) ^ set(listed):
    problems.append(f"settings.md and src/support/settings.def differ: {row}")
if wanren and wanren.exists():
    said = subprocess.run([wanren, "--help"], capture_output=True, text=True, check=False).stdout
    for row in rows:
        variable, doc = row.split("`")[1], row.split(" | ")[3].split(" (")[0].strip(" |")
        if variable not in said or doc not in " ".join(said.split()):
            problems.append(f"wanren --help does not say what {variable} does")
known = {row.split("`")[1] for row in rows}
for page in pages:
    for variable in re.findall(r"\bWANREN_[A-Z_]+\b", page.read_text(encoding="utf-8")):
        if variable not in known:
            problems.append(f"{page.name}: {variable} is no setting")
for source in sorted((root / "src").rglob("*.cpp")):
    for variable in re.findall(r'getenv\("((?:WANREN|CUDA)_\w+)"', source.read_text(encoding="utf-8")):
        problems.append(f"{source.relative_to(root)} reads {variable} past the table of settings")

for problem in problems:
    print(problem)
print("FAIL" if problems else "PASS")
sys.exit(bool(problems))
