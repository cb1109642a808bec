"""Frameworks that Wanren prepares for when they are imported."""

import ctypes
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType
from typing import Callable, Dict, Optional, Sequence

from ._place import library

#: What PyTorch's wheel is linked with, by soname; each is loaded before the vendor's, whose place it then has.
_torch_libraries = (
    "libcuda.so.1",
    "libcudart.so.{cuda}",
    "libnvrtc.so.{cuda}",
    "libcublasLt.so.{cuda}",
    "libcublas.so.{cuda}",
    "libcupti.so.{cuda}",
    "libcufft.so.{fft}",
    "libcurand.so.10",
    "libcusparse.so.12",
    "libcusolver.so.{solver}",
    "libcusparseLt.so.0",
    "libcudnn.so.9",
    "libnccl.so.2",
    "libnvshmem_host.so.3",
    "libcufile.so.0",
)


def _load(names: Sequence[str], **numbers: str) -> None:
    for name in names:
        path = library(name.format(**numbers))
        if os.path.exists(path):
            ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


def _torch_cuda(spec: importlib.machinery.ModuleSpec) -> Optional[str]:
    """CUDA's major version that this PyTorch was built for, without importing it; None for a build without CUDA."""
    folder = os.path.dirname(spec.origin or "")
    names: Dict[str, object] = {}
    try:
        with open(os.path.join(folder, "version.py"), encoding="utf-8") as file:
            exec(file.read(), names)  # noqa: S102, the framework's own file of constants
    except OSError:
        return None
    cuda = names.get("cuda")
    return str(cuda).split(".", maxsplit=1)[0] if cuda else None


def _before_torch(spec: importlib.machinery.ModuleSpec) -> None:
    cuda = _torch_cuda(spec)
    if cuda is not None:
        _load(_torch_libraries, cuda=cuda, fft=str(int(cuda) - 1), solver="11" if cuda == "12" else "12")


def _after_torch(module: ModuleType) -> None:
    if getattr(module.version, "cuda", None):
        from . import _torch

        _torch.prepare(module)


def _after_testing(module: ModuleType) -> None:
    from . import _triton

    _triton.prepare_testing(module)


def _after_autotuner(module: ModuleType) -> None:
    from . import _triton

    _triton.prepare_autotuner(module)


class _Watched:
    def __init__(
        self,
        before: Optional[Callable[[importlib.machinery.ModuleSpec], None]] = None,
        after: Optional[Callable[[ModuleType], None]] = None,
    ):
        self.before, self.after = before, after


_watched = {
    "torch": _Watched(_before_torch, _after_torch),
    "triton.testing": _Watched(after=_after_testing),
    "triton.runtime.autotuner": _Watched(after=_after_autotuner),
}


class _Loader(importlib.abc.Loader):
    """The module's own loader, with something done before and after."""

    def __init__(self, own: importlib.abc.Loader, watched: _Watched, spec: importlib.machinery.ModuleSpec):
        self._own, self._watched, self._spec = own, watched, spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[ModuleType]:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if self._watched.before is not None:
            self._watched.before(self._spec)
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        self._own.exec_module(module)
        if self._watched.after is not None:
            self._watched.after(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self._own, name)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        watched = _watched.get(name)
        if watched is None:
            return None
        # The others find it; this finder does not ask itself.
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, watched, spec)
                return spec
        return None


def watch_imports() -> None:
    sys.meta_path.insert(0, _Finder())
