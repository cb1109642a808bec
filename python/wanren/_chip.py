"""Chips and their figures."""

import json
import subprocess
from dataclasses import dataclass
from typing import Dict, List, Union

from ._place import program


@dataclass(frozen=True)
class Figure:
    value: Union[float, bool, str]
    unit: str  #: as in chip files; empty where there is none
    origin: str  #: "datasheet", "measured", "derived", "assumed" …; empty for defaults
    source: str


@dataclass(frozen=True)
class Chip:
    """A chip file's contents. `chip["hbm.bandwidth_per_die"]` is a Figure."""

    name: str
    file: str
    figures: Dict[str, Figure]
    features: Dict[str, str]  #: "native", "emulated" or "refused"

    def __getitem__(self, key: str) -> Figure:
        return self.figures[key]

    @property
    def title(self) -> str:
        return str(self.figures["identity.title"].value)


def _value(text: str) -> Union[float, bool, str]:
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def _ask(*words: str) -> str:
    done = subprocess.run([program(), "chips", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return done.stdout


def chip(name: str) -> Chip:
    """A shipped chip, an alias, or a TOML file. Errors: ValueError that says what is wrong with it."""
    data = json.loads(_ask("show", name, "--json"))
    figures = {
        key: Figure(_value(f["value"]), f["unit"], f.get("origin", ""), f.get("source", ""))
        for key, f in data["figures"].items()
    }
    return Chip(data["name"], data["file"], figures, data.get("features", {}))


def chips() -> List[str]:
    """Names of all shipped chips."""
    return [line.split()[0] for line in _ask("list").splitlines() if line]
