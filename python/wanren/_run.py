"""Programs on a virtual chip, each in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ._place import program


class Run:
    """What a run did. Times in microseconds of the modelled chip, energies in joules; 0 with timing off."""

    def __init__(self, report: Dict[str, Any]):
        self.report = report  #: report.json, as docs/counters.md names its contents

    @property
    def kernels(self) -> List[Dict[str, Any]]:
        return self.report["kernels"]

    @property
    def copies(self) -> List[Dict[str, Any]]:
        return self.report["copies"]

    @property
    def time_us(self) -> float:
        """End of the last work on the device's timeline."""
        return self.report["totals"]["time_us"]

    @property
    def busy_us(self) -> float:
        """Sum of all kernels' times."""
        return self.report["totals"]["busy_us"]

    @property
    def energy_j(self) -> float:
        return self.report["totals"]["energy_j"]

    @property
    def average_power_w(self) -> float:
        return self.report["totals"]["average_power_w"]


class Failed(RuntimeError):
    """The program did not end with 0. `exit_code` is its own, or 128 + signal."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


def run(
    command: Sequence[str],
    chip: str = "br100",
    timing: str = "fast",
    set: Optional[Mapping[str, str]] = None,  # noqa: A002, the option's name
    threads: int = 0,
    table: bool = False,
    **keywords: Any,
) -> Run:
    """Runs `command` as `wanren run` does; `keywords` go to subprocess.run.

    `set` changes figures of the chip: {"d2d.bandwidth": "224GB/s"}. `table`: the table of kernels on standard error.
    A command that begins with "python" runs this interpreter. Errors: Failed.
    """
    words = [sys.executable if i == 0 and w in ("python", "python3") else w for i, w in enumerate(command)]
    folder = tempfile.mkdtemp(prefix="wanren-")
    path = os.path.join(folder, "report.json")
    try:
        options = ["--chip", chip, "--timing", timing, "--report", path]
        for key, value in (set or {}).items():
            options += ["--set", f"{key}={value}"]
        if threads > 0:
            options += ["--threads", str(threads)]
        if not table:
            options.append("--quiet")
        done = subprocess.run([program(), "run", *options, "--", *words], check=False, **keywords)
        if done.returncode != 0:
            raise Failed(f"{' '.join(words)} ended with {done.returncode}", done.returncode)
        if not os.path.exists(path):
            raise Failed(f"{' '.join(words)} made no CUDA call", 0)
        with open(path, encoding="utf-8") as file:
            return Run(json.load(file))
    finally:
        if os.path.exists(path):
            os.remove(path)
        os.rmdir(folder)
