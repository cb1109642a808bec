"""Runs when a Python begins that `wanren run` has started, before the program.

Frameworks bring vendors' libraries in wheels of their own and load those by absolute path. What is loaded first
under a library's name is what counts, so this waits for the frameworks' imports and loads Wanren's libraries then.
"""

import importlib.machinery
import importlib.util
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))


def _next_sitecustomize():
    """The module of this name that would have run without Wanren."""
    others = [p for p in sys.path if os.path.abspath(p or ".") != _here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


from wanren import _clients  # noqa: E402

_clients.watch_imports()
_next_sitecustomize()
