"""Named things that files declare: model families, transforms, and later components and targets."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Generic, TypeVar

from imageloom.errors import unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """Items by name, in the order in which they were declared.

    Args:
        kind: What the items are, in the singular, as it stands in messages: ``model family``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def declare(self, name: str, item: T) -> T:
        """Add an item and return it.

        Raises:
            ValueError: The name is taken. This is a mistake in code, never of a user.
        """
        if name in self._items:
            raise ValueError(f"{self.kind} {name!r} is declared twice")
        self._items[name] = item
        return item

    def get(self, name: str) -> T:
        """Return the item of that name.

        Raises:
            UnknownNameError: There is none; the message names the nearest.
        """
        if name not in self._items:
            raise unknown_name(self.kind, name, self.names())
        return self._items[name]

    def names(self) -> tuple[str, ...]:
        """Return all names in order of declaration."""
        return tuple(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __len__(self) -> int:
        return len(self._items)


def import_submodules(package: ModuleType) -> None:
    """Import every module of one of our own packages, so that it can declare what it holds.

    This and ``import_attribute`` are the only places that import by a computed name; the names
    stand in our own code, and are never text from a user's file.
    """
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        importlib.import_module(f"{package.__name__}.{module.name}")


def import_attribute(module: str, name: str) -> object:
    """Return something of one of our own modules, imported at this moment.

    It keeps heavy imports late: ``import imageloom`` and ``imageloom --help`` must not load torch.

    Raises:
        ValueError: The module is not one of ours. This is a mistake in code, never of a user.
    """
    if module.split(".")[0] != __package__:
        raise ValueError(f"{module!r} is not a module of {__package__}")
    return getattr(importlib.import_module(module), name)
