"""Triton on modelled time: a kernel takes the same time whenever it runs, so that one run tells it."""

import os
from types import ModuleType
from typing import Any, Callable, List, Optional, Sequence


def _timed() -> bool:
    return os.environ.get("WANREN_TIMING", "fast") != "off"


def _clear(cache: Any) -> None:
    """As the framework does before each run, by the driver instead of a kernel."""
    import ctypes

    ctypes.CDLL("libcuda.so.1").cuMemsetD8_v2(ctypes.c_uint64(cache.data_ptr()), 0, ctypes.c_size_t(cache.nbytes))


def _once(testing: ModuleType) -> Callable[..., Any]:
    def do_bench(
        fn: Callable[[], Any],
        warmup: int = 25,
        rep: int = 100,
        grad_to_none: Optional[Sequence[Any]] = None,
        quantiles: Optional[List[float]] = None,
        return_mode: str = "mean",
    ) -> Any:
        """triton.testing.do_bench on a virtual chip: one run after one that warms up, with a clean L2."""
        active = testing.runtime.driver.active
        device = active.get_device_interface()
        fn()
        times = [1e-3]  # without timing all take as long
        if _timed():
            for tensor in grad_to_none or ():
                tensor.grad = None
            _clear(active.get_empty_cache_for_benchmark())
            begin, end = (device.Event(enable_timing=True) for _ in range(2))
            begin.record()
            fn()
            end.record()
            device.synchronize()
            times = [begin.elapsed_time(end)]
        else:
            device.synchronize()
        return testing._summarize_statistics(times, quantiles, return_mode)

    return do_bench


def _take_the_first(autotuner: type) -> None:
    """With timing off there is nothing to choose by: the first configuration that runs is taken."""
    prune, bench = autotuner.prune_configs, autotuner._bench

    def prune_configs(self: Any, *arguments: Any, **keywords: Any) -> Any:
        self._wanren_runs = False
        return prune(self, *arguments, **keywords)

    def _bench(self: Any, *arguments: Any, **keywords: Any) -> Any:
        never = [float("inf")] * 3
        if getattr(self, "_wanren_runs", False):
            return never
        times = bench(self, *arguments, **keywords)
        self._wanren_runs = list(times) != never
        return times

    autotuner.prune_configs, autotuner._bench = prune_configs, _bench


def prepare_testing(testing: ModuleType) -> None:
    testing.do_bench = _once(testing)


def prepare_autotuner(module: ModuleType) -> None:
    if not _timed():
        _take_the_first(module.Autotuner)
