"""Builds the library of docs/adding-a-library.md with the page's own rule, links a program with it and runs that.

usage: test_library.py SOURCE_FOLDER WANREN_EXECUTABLE"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

root, wanren = Path(sys.argv[1]), Path(sys.argv[2])
page = (root / "docs" / "adding-a-library.md").read_text(encoding="utf-8")
files = {name: text for name, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```", page, re.S | re.M)}
assert set(files) == {"twice.cu", "CMakeLists.txt", "twice.h", "main.cu"}, sorted(files)


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(c) for c in command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


with tempfile.TemporaryDirectory() as place:
    folder = Path(place)
    project = "\n".join([
        "cmake_minimum_required(VERSION 3.25)", "project(library NONE)",
        f'include("{root}/cmake/WanrenKernelLibrary.cmake")', ""])
    (folder / "program").mkdir()
    for name, text in files.items():
        name = name.replace("main.cu", "program/main.cu")
        (folder / name).write_text((project if name == "CMakeLists.txt" else "") + text, encoding="utf-8")
    run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", f"-DWANREN={wanren}")
    run("cmake", "--build", folder / "build")
    for version in ("12", "13"):
        dynamic = run("readelf", "-d", "-V", "-W", folder / "build" / f"libtwice.so.{version}")
        for part in (f"soname: [libtwice.so.{version}]", f"[libcudart.so.{version}]", f"Name: libtwice.so.{version}"):
            if part not in dynamic:
                sys.exit(f"libtwice.so.{version} has no {part}:\n{dynamic}")
    run(wanren, "cc", folder / "program/main.cu", f"-I{folder}", f"-L{folder}/build", "-ltwice", "-o", folder / "main")
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{folder}/build"}
    for timing in ("off", "full"):
        out = run(folder / "main", env={**environment, "WANREN_TIMING": timing})
        if "PASS" not in out:
            sys.exit(out)
print("PASS")
