"""Import torchvision without torch's compiler, with which nothing here compiles."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Final

_UTILS: Final = "torch._dynamo.utils"
_ASKED: Final = "is_compile_supported"


@contextlib.contextmanager
def without_compiler() -> Iterator[None]:
    """Let torchvision be imported inside and leave ``torch._dynamo`` alone.

    torchvision tells the compiler to leave one function alone (``tv_tensors.wrap``), and takes one
    that it asks when regions of interest are aligned on some devices (``ops.roi_align``). For these
    two it would import the compiler with sympy and inductor, which takes nearly as long as torch
    itself (decision 0027). Imported inside, both do that when they are called. Whatever else is
    asked of the compiler comes from the real one.
    """
    if _UTILS in sys.modules:  # imported already, or by somebody who is inside
        yield
        return
    import torch.compiler

    stand_in, disable = _Later(_UTILS), torch.compiler.disable
    # torch's own functions are disabled in this way, at their first call.
    later: Callable[..., object] = getattr(torch, "_disable_dynamo", disable)
    sys.modules[_UTILS] = stand_in
    torch.compiler.disable = lambda fn=None, recursive=True, **_: later(fn, recursive)
    try:
        yield
    finally:
        torch.compiler.disable = disable
        if sys.modules.get(_UTILS) is stand_in:
            del sys.modules[_UTILS]


class _Later(ModuleType):
    """Stands in for the module until more than the one function is asked of it."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # Python asks for some of them when it imports from a module
            raise AttributeError(name)
        return _is_compile_supported if name == _ASKED else getattr(_real_utils(), name)


def _is_compile_supported(device_type: str) -> object:
    return getattr(_real_utils(), _ASKED)(device_type)


def _real_utils() -> ModuleType:
    if isinstance(sys.modules.get(_UTILS), _Later):
        del sys.modules[_UTILS]
    from torch._dynamo import utils

    return utils
