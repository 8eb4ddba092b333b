"""Train without importing torch's compiler, with which nothing here compiles.

It takes two seconds of a processor (decision 0027), and torch imports it only to take itself out of
what it compiles. Where somebody has imported it, everything here is torch's own.
"""

import contextlib
import inspect
import sys
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Final, cast

import torch

_COMPILER: Final = "torch._dynamo"
_AFTER_STEPS: Final = getattr(
    sys.modules.get("torch.optim.optimizer"), "_global_optimizer_post_hooks", {}
)
_DISABLED: Final = "__dynamo_disable"  # where torch keeps the disabled function, once made


def leave_compiler_out(owner: type) -> None:
    """Let methods that torch disables for the compiler run as they are while there is none.

    Args:
        owner: Its own methods, not those that it inherits.
    """
    for function in vars(owner).values():
        for wrapper in _wrappers_of(function):
            wrapped = _wrapped_in(wrapper)
            if not hasattr(wrapped, _DISABLED):
                setattr(wrapped, _DISABLED, _until_it_is_there(wrapper, wrapped))


def with_plain_step(optimizer: torch.optim.Optimizer) -> None:
    """Take the step of an optimizer out of wrappers that ask the compiler to stand aside.

    Hooks that follow the steps of all optimizers are called, as the benchmarks' notes are. Other
    hooks and profiles are not had by it, nor gradients through it: we have none of these.
    """
    whole = type(optimizer).step
    step: Callable[..., object] = inspect.unwrap(whole)
    # An optimizer that holds itself would keep its network's memory until Python looks for such.
    itself = weakref.ref(optimizer)

    def plain_or_whole(*arguments: object) -> object:
        optimizer = itself()
        if _COMPILER in sys.modules:
            return cast("Callable[..., object]", whole)(optimizer, *arguments)
        with torch.no_grad():
            result = step(optimizer, *arguments)
        for hook in tuple(_AFTER_STEPS.values()):
            hook(optimizer, (optimizer, *arguments), {})
        return result

    optimizer.step = plain_or_whole  # type: ignore[method-assign, assignment]


@contextlib.contextmanager
def asked_for_gradient_buckets() -> Iterator[None]:
    """Answer DistributedDataParallel, which is made inside, how the compiler joins gradients.

    It asks whether it does so by itself, which it does not unless somebody has imported it and said
    so.
    """
    if _COMPILER in sys.modules:
        yield
        return
    utils = ModuleType(f"{_COMPILER}.utils")
    utils.get_optimize_ddp_mode = lambda: "ddp_optimizer"  # type: ignore[attr-defined]
    stand_in = ModuleType(_COMPILER)
    stand_in.utils = utils  # type: ignore[attr-defined]
    torch._dynamo = stand_in
    try:
        yield
    finally:
        if vars(torch).get("_dynamo") is stand_in:
            del torch._dynamo


@contextlib.contextmanager
def not_asked_for() -> Iterator[None]:
    """Let functions that torch exempts from the compiler run inside as they are, without it.

    So are many by which it computes shapes. They stay so until somebody imports the compiler.

    Raises:
        ImportError: From inside, where something of the compiler is imported.
    """
    if _COMPILER in sys.modules:
        yield
        return
    stand_in = _NotAskedFor(_COMPILER)
    sys.modules[_COMPILER] = torch._dynamo = stand_in
    try:
        yield
    finally:
        _give_way(stand_in)


class _NotAskedFor(ModuleType):
    """Stands in for the compiler where functions are taken out of it."""

    @staticmethod
    def disable(
        function: Callable[..., object], recursive: bool = True, **how: object
    ) -> Callable[..., object]:
        def as_it_is(*arguments: object, **named: object) -> object:
            compiler = sys.modules.get(_COMPILER)
            if compiler is None or isinstance(compiler, _NotAskedFor):
                return function(*arguments, **named)
            disabled: Callable[..., object] = compiler.disable(function, recursive, **how)
            setattr(function, _DISABLED, disabled)
            return disabled(*arguments, **named)

        return as_it_is

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # Python asks for some of them when it imports a module
            raise AttributeError(name)
        _give_way(self)
        import torch._dynamo as compiler

        return getattr(compiler, name)


def _give_way(stand_in: ModuleType) -> None:
    """Have a module no longer stand in for the compiler."""
    if sys.modules.get(_COMPILER) is stand_in:
        del sys.modules[_COMPILER]
    if vars(torch).get("_dynamo") is stand_in:
        del torch._dynamo


def _wrappers_of(function: object) -> Iterator[FunctionType]:
    """Yield those that disable a function for the compiler, among the others around it."""
    while isinstance(function, FunctionType):
        if function.__code__ is _WRAPPER:
            yield function
            function = _wrapped_in(function)
        else:
            function = getattr(function, "__wrapped__", None)


def _wrapped_in(wrapper: FunctionType) -> FunctionType:
    """Return what a wrapper calls, which its ``__wrapped__`` need not be."""
    cells = dict(zip(wrapper.__code__.co_freevars, wrapper.__closure__ or (), strict=True))
    wrapped: FunctionType = cells["fn"].cell_contents
    return wrapped


def _until_it_is_there(wrapper: FunctionType, wrapped: FunctionType) -> Callable[..., object]:
    def as_it_is(*arguments: object, **named: object) -> object:
        if _COMPILER not in sys.modules:
            return wrapped(*arguments, **named)
        delattr(wrapped, _DISABLED)
        return wrapper(*arguments, **named)

    return as_it_is


def _code_of_wrapper() -> CodeType | None:
    disable = getattr(torch, "_disable_dynamo", None)
    return None if disable is None else disable(lambda: None).__code__


_WRAPPER: Final = _code_of_wrapper()
