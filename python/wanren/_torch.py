"""PyTorch's operators on a virtual chip.

Its wheel has ATen's kernels as machine code of other chips alone, which nothing here can run. Each operator gets the
first that there is of: FlagGems's kernel (operators written in Triton, from PyPI), ATen's own composition of other
operators, PyTorch's decomposition into others, its functional form for one that writes its result, and the host: the
operator of the CPU between two copies, counted and named when the program ends.
"""

import atexit
import collections
import contextlib
import dataclasses
import functools
import importlib.util
import os
import sys
import threading
from types import ModuleType
from typing import Any, Callable, Counter, Dict, Iterator, List, Optional, Set

#: Launch nothing, or only copies: what the wheel has for these works.
_native = {
    "as_strided", "empty", "empty_strided", "view", "_reshape_alias", "set_", "resize_", "unfold", "view_as_real",
    "view_as_complex", "record_stream", "is_set_to", "_local_scalar_dense", "_efficientzerotensor", "_pin_memory",
    "_nested_view_from_buffer",
}  # fmt: skip
#: ATen's products are cuBLAS's, which runs here, and sums with products are decomposed into these.
_of_cublas = {"mm", "bmm"}
_of_products = {"addmm", "addmm_", "baddbmm", "baddbmm_", "mv", "addmv", "dot", "vdot"}
#: FlagGems's are wrong: 5.0.2 takes the first dimension alone for the rows and writes behind the results; what its
#: forward form returns has a shape of its own.
_wrong_in_gems = {"layer_norm", "layer_norm_backward"}
#: The host's own answers would be wrong for these, which choose between kernels or are them.
_left_alone = ("cudnn_", "miopen_", "_cudnn_", "_miopen_", "_flash_attention", "_efficient_attention", "_scaled_dot_product",
               "_cslt_", "_use_", "_sparse_semi", "_nested_", "_fused_sdp_choice")  # fmt: skip

#: A device without kernels of its own, for which an operator's composition is what counts.
_plain_key = "HPU"

_host_calls: Counter[str] = collections.Counter()
_inside = threading.local()


def _tell_host_calls() -> None:
    if not _host_calls:
        return
    names = ", ".join(f"{name} {count}x" for name, count in _host_calls.most_common(12))
    more = f" and {len(_host_calls) - 12} more" if len(_host_calls) > 12 else ""
    print(
        f"wanren: operators without a kernel ran on the host, and are not in the chip's time: {names}{more}",
        file=sys.stderr,
    )


class _Host:
    """Operators of the CPU on copies of a device's tensors."""

    def __init__(self, torch: ModuleType, native_copy: Callable[[Any, Any], None]):
        self._torch, self._copy = torch, native_copy

    def _bytes(self, tensor: Any) -> Any:
        """The memory that a tensor spans, without gaps, as one dimension of its type."""
        span = 1 + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride())) if tensor.numel() else 0
        return self._torch.as_strided(tensor, (span,), (1,), tensor.storage_offset())

    def to_host(self, tensor: Any) -> Any:
        span = self._bytes(tensor)
        flat = self._torch.empty(span.shape, dtype=tensor.dtype)
        if span.numel():
            self._copy(flat, span)
        host = flat.as_strided(tensor.shape, tensor.stride())
        return host.conj() if tensor.is_conj() else self._torch._neg_view(host) if tensor.is_neg() else host

    def write_back(self, tensor: Any, host: Any) -> None:
        if tensor.shape != host.shape:
            tensor.resize_(host.shape)
        mirror = self._torch.empty(self._bytes(tensor).shape, dtype=tensor.dtype)
        if not mirror.numel():
            return
        # What lies between the elements of a view stays as it is.
        if tensor.numel() != mirror.numel():
            self._copy(mirror, self._bytes(tensor))
        mirror.as_strided(tensor.shape, tensor.stride()).copy_(host)
        self._copy(self._bytes(tensor), mirror)

    def to_device(self, host: Any, device: Any) -> Any:
        dense = self._torch.empty_strided(host.shape, host.stride(), dtype=host.dtype, device=device)
        self.write_back(dense, host.resolve_conj().resolve_neg())
        return dense

    def call(self, op: Any, arguments: Any, keywords: Any) -> Any:
        torch = self._torch
        _host_calls[op.name()] += 1
        hosts: Dict[int, Any] = {}
        device: List[Any] = []

        def here(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                if value.device.type != "cuda":
                    return value
                device.append(value.device)
                if id(value) not in hosts:
                    hosts[id(value)] = (value, self.to_host(value))
                return hosts[id(value)][1]
            if isinstance(value, (list, tuple)):
                return type(value)(here(one) for one in value)
            if isinstance(value, torch.device) and value.type == "cuda":
                device.append(value)
                return torch.device("cpu")
            if isinstance(value, torch.Generator) and value.device.type == "cuda":
                return None
            return value

        host_arguments = [here(value) for value in arguments]
        host_keywords = {name: here(value) for name, value in keywords.items()}
        if host_keywords.get("pin_memory"):
            host_keywords["pin_memory"] = None
        result = op(*host_arguments, **host_keywords)
        place = device[0] if device else torch.device("cuda", torch.cuda.current_device())

        written: Dict[int, Any] = {}
        for i, described in enumerate(op._schema.arguments):
            if described.alias_info is None or not described.alias_info.is_write:
                continue
            given = arguments[i] if i < len(arguments) else keywords.get(described.name)
            for one in given if isinstance(given, (list, tuple)) else [given]:
                if id(one) in hosts:
                    tensor, host = hosts[id(one)]
                    self.write_back(tensor, host)
                    written[id(host)] = tensor

        def there(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                return written[id(value)] if id(value) in written else self.to_device(value, place)
            if isinstance(value, (list, tuple)):
                return type(value)(there(one) for one in value)
            return value

        return there(result)


class _Operators:
    def __init__(self, torch: ModuleType):
        self._torch = torch
        native = torch.library.get_kernel("aten::copy_", "CUDA")
        keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA)
        self._native_copy = lambda to, of: native.call_boxed(keys, to, of, False)
        self._host = _Host(torch, self._native_copy)
        self._library = torch.library.Library("aten", "IMPL")
        self._on_device: Set[str] = set()

    def register(self) -> None:
        """Every operator that has a kernel in machine code gets one that runs."""
        torch = self._torch
        table = torch._decomp.decomposition_table
        missing = []
        self._enable_gems()
        for name in torch._C._dispatch_get_registrations_for_dispatch_key("CUDA"):
            space, _, rest = name.partition("::")
            packet, _, overload = rest.partition(".")
            if space != "aten" or packet in _native or packet in _of_cublas or packet.startswith(_left_alone) or rest in self._on_device:
                continue
            op = getattr(getattr(torch.ops.aten, packet), overload or "default")
            missing.append((rest, op))
        for rest, op in missing:
            if torch._C._dispatch_has_kernel_for_dispatch_key(op.name(), "CompositeExplicitAutograd"):
                kernel = torch.library.get_kernel(op.name(), _plain_key)
                self._library.impl(rest, functools.partial(_composed, kernel), "CUDA", with_keyset=True)
                self._on_device.add(rest)
            elif op in table:
                self._on_device.add(rest)
                self._library.impl(rest, self._decomposed(op, table[op]), "CUDA")
        for rest, op in missing:
            if rest in self._on_device:
                continue
            functional = self._functional(op)
            run = self._written(op, functional) if functional is not None else self._hosted(op)
            self._library.impl(rest, run, "CUDA")

    def _enable_gems(self) -> None:
        if importlib.util.find_spec("flag_gems") is None:
            print(
                "wanren: FlagGems is not installed, so most operators run on the host; pip install flag-gems",
                file=sys.stderr,
            )
            return
        os.environ.setdefault("GEMS_VENDOR", "nvidia")
        # Its kernels for 9.0 are wrong where shapes are broadcast, and want more shared memory than each chip has.
        arch = os.environ.get("ARCH")
        os.environ["ARCH"] = "80"
        with _without_block_pointers():
            import flag_gems
        if arch is None:
            del os.environ["ARCH"]
        else:
            os.environ["ARCH"] = arch
        flag_gems.enable(unused=sorted(_of_cublas | _of_products | _wrong_in_gems))
        self._on_device.update(flag_gems.all_registered_ops())
        self._on_device.update(flag_gems.all_registered_keys())

    def _hosted(self, op: Any) -> Callable[..., Any]:
        return lambda *arguments, **keywords: self._host.call(op, arguments, keywords)

    def _decomposed(self, op: Any, decomposition: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **keywords: Any) -> Any:
            active = _inside.__dict__.setdefault("ops", set())
            # A decomposition may come back to its operator, and not all take all arguments.
            if op in active:
                return self._host.call(op, arguments, keywords)
            active.add(op)
            try:
                result = decomposition(*arguments, **keywords)
            finally:
                active.discard(op)
            return self._host.call(op, arguments, keywords) if result is NotImplemented else result

        return run

    def _functional(self, op: Any) -> Optional[Any]:
        """The operator on the device that returns what `op` writes into its first or its `out` argument."""
        schema = op._schema
        writes = [a for a in schema.arguments if a.alias_info is not None and a.alias_info.is_write]
        if len(writes) != 1 or len(schema.returns) != 1 or "Tensor[]" in str(writes[0].type):
            return None
        packet = schema.name.split("::")[1]
        out = writes[0].name if writes[0].kwarg_only else None
        name = packet if out is not None else packet.rstrip("_")
        wanted = [(a.name, str(a.type)) for a in schema.arguments if a.name != out]
        if out is None and not packet.endswith("_"):
            return None
        candidates = getattr(self._torch.ops.aten, name, None)
        for overload in candidates.overloads() if candidates is not None else []:
            other = getattr(candidates, overload)
            full = name if overload == "default" else f"{name}.{overload}"
            described = [(a.name, str(a.type)) for a in other._schema.arguments]
            if full in self._on_device and described[: len(wanted)] == wanted:
                return other
        return None

    def _written(self, op: Any, functional: Any) -> Callable[..., Any]:
        takes_out = any(a.kwarg_only and a.alias_info is not None for a in op._schema.arguments)
        out_name = next((a.name for a in op._schema.arguments if a.kwarg_only and a.alias_info is not None), "")

        def run(*arguments: Any, **keywords: Any) -> Any:
            target = keywords.pop(out_name) if takes_out else arguments[0]
            result = functional(*arguments, **keywords)
            if target.shape != result.shape:
                target.resize_(result.shape)
            return target.copy_(result)

        return run


def _composed(kernel: Any, keys: Any, *arguments: Any, **keywords: Any) -> Any:
    return kernel.call_boxed(keys, *arguments, **keywords)


@contextlib.contextmanager
def _without_block_pointers() -> Iterator[None]:
    """FlagGems prefers block pointers, which Triton has dropped: its settings are made without while it is imported."""
    own = dataclasses.dataclass

    def dataclass(cls: Any = None, **options: Any) -> Any:
        made = own(cls, **options)
        if getattr(cls, "__name__", "") == "CodeGenConfig":
            settle = made.__post_init__

            def __post_init__(self: Any) -> None:
                settle(self)
                self.prefer_block_pointer = False

            made.__post_init__ = __post_init__
        return made

    dataclasses.dataclass = dataclass
    try:
        yield
    finally:
        dataclasses.dataclass = own


def prepare(torch: ModuleType) -> None:
    torch.backends.cudnn.enabled = False
    # Sums with a bias by cuBLAS, not cuBLASLt.
    os.environ.setdefault("DISABLE_ADDMM_CUDA_LT", "1")
    # Attention by matrix products and softmax, which have kernels.
    for choose in ("enable_flash_sdp", "enable_mem_efficient_sdp", "enable_cudnn_sdp"):
        getattr(torch.backends.cuda, choose)(False)
    atexit.register(_tell_host_calls)
    # When the program first touches the device, which many never do.
    torch.cuda._lazy_call(lambda: _register(torch))


def _register(torch: ModuleType) -> None:
    global _operators
    _operators = _Operators(torch)
    _operators.register()


_operators: Optional[_Operators] = None
