"""Brings the outputs and pictures in README.md and docs/ up to date: run scripts/demo, then this.

A fenced block behind `<!-- demo: examples|table|change -->` is that part of build/demo/demo.txt; one behind
`<!-- run -->` holds commands (`$ …`), which are run again, and what they print."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def demo_parts(text):
    rule = text.index("───")
    change = text.index("One change on")
    return {"examples": text[:text.index("\n\n")],
            "table": text[rule:text.index("\n\nOne change on")],
            "change": text[change:text.index("\n\n", change)]}


def run(block):
    out = []
    for command in re.findall(r"^\$ (.*)$", block, re.M):
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"'{command}' ended with {done.returncode}: {done.stderr}")
        said = re.sub(r"\r[^\n]*\x1b\[K", "", done.stdout + done.stderr)
        out += ["$ " + command] + [line.rstrip() for line in said.strip().splitlines()]
    return "\n".join(out)


def main():
    made = ROOT / "build" / "demo"
    parts = demo_parts((made / "demo.txt").read_text(encoding="utf-8"))
    (ROOT / "docs" / "pictures").mkdir(exist_ok=True)
    for picture in ("dies", "times", "roofline"):
        shutil.copy(made / f"{picture}.svg", ROOT / "docs" / "pictures")
    for page in (ROOT / "README.md", ROOT / "docs" / "tour.md"):
        text = page.read_text(encoding="utf-8")
        text = re.sub(r"(<!-- demo: (\w+) -->\n+```\n).*?(\n```)", lambda m: m[1] + parts[m[2]] + m[3], text, flags=re.S)
        text = re.sub(r"(<!-- run -->\n+```\n)(.*?)(\n```)", lambda m: m[1] + run(m[2]) + m[3], text, flags=re.S)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
