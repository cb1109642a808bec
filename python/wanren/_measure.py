"""What a block of a running program takes on the chip."""

import contextlib
import ctypes
import json
from typing import Any, Dict, Iterator, Optional, Tuple

from ._run import Run

_library: Optional[ctypes.CDLL] = None


def _driver() -> ctypes.CDLL:
    global _library
    if _library is None:
        try:
            library = ctypes.CDLL("libcuda.so.1")
            library.wanren_mark.restype = None
            library.wanren_report.restype = ctypes.c_size_t
        except (OSError, AttributeError):
            raise RuntimeError(
                "this process does not run on a virtual chip; start it with: wanren run -- python …"
            ) from None
        _library = library
    return _library


_Mark = Tuple[int, float]


def _mark() -> _Mark:
    launches, host_us = ctypes.c_ulonglong(), ctypes.c_double()
    _driver().wanren_mark(ctypes.byref(launches), ctypes.byref(host_us))
    return launches.value, host_us.value


def _text(since: _Mark, table: bool) -> str:
    def ask(out: Optional[ctypes.Array], size: int) -> int:
        return _driver().wanren_report(
            ctypes.c_ulonglong(since[0]), ctypes.c_double(since[1]), int(table), out, ctypes.c_size_t(size)
        )

    # The text has the moment in it, so that it may grow between two calls.
    size, needed = 0, ask(None, 0)
    while needed > size:
        size = needed + 256
        buffer = ctypes.create_string_buffer(size)
        needed = ask(buffer, size)
    return buffer.value.decode() if size > 0 else ""


def _nothing() -> Dict[str, Any]:
    names = ("time_us", "busy_us", "energy_j", "average_power_w")
    return {"kernels": [], "copies": [], "totals": dict.fromkeys(names, 0.0)}


class Measurement(Run):
    """A block's kernels and copies. `time_us` is the block's whole time, launches and host calls included;
    complete when the block has ended."""

    def __init__(self) -> None:
        super().__init__(_nothing())
        self.table = ""  #: the kernels, for people


@contextlib.contextmanager
def measure() -> Iterator[Measurement]:
    """Measures the block: with wanren.measure() as m: … The device is waited for at both ends."""
    result = Measurement()
    begin = _mark()
    yield result
    end = _mark()
    text = _text(begin, table=False)
    if text:
        result.report = json.loads(text)
        result.table = _text(begin, table=True)
    result.report["totals"]["time_us"] = end[1] - begin[1]


def report() -> Run:
    """The run so far."""
    text = _text((0, 0.0), table=False)
    return Run(json.loads(text) if text else _nothing())
