"""Networks whose tensors have shapes and no values: they take no memory, whatever their size."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch.overrides import TorchFunctionMode


@contextlib.contextmanager
def shapes_only() -> Iterator[None]:
    """Make networks on torch's meta device inside, and draw no values that nobody will see.

    torch would ask its compiler how a draw without memory is done, and import that first, for
    seconds (decision 0027).
    """
    with torch.device("meta"), _Undrawn():
        yield


class _Undrawn(TorchFunctionMode):
    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.erfinv_):
            return args[0]
        return func(*args, **(kwargs or {}))
