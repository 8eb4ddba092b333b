"""Which folders are parts of a dataset that was divided before: training, validation, test.

A part is known by its name: ``train``, ``Validation``, ``test``, and with a word that says nothing
more, as in ``train_images`` or ``validation-set``.
"""

import re
from typing import Final, Literal

Role = Literal["training", "validation", "test"]

_ROLES: Final[dict[str, Role]] = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "eval": "validation",
    "test": "test",
    "testing": "test",
}
_PICTURES: Final = frozenset(("images", "image", "imgs", "img", "pictures", "photos", "data"))
_EMPTY_WORDS: Final = _PICTURES | frozenset(("set", "split", "dataset", "part"))


def role_of(name: str) -> Role | None:
    """Return which part of a dataset a folder of this name is, or None."""
    words = [word for word in re.split(r"[\s_.-]+", name.lower()) if word]
    roles = {_ROLES[word] for word in words if word in _ROLES}
    if len(roles) != 1 or any(word not in _ROLES and word not in _EMPTY_WORDS for word in words):
        return None
    return roles.pop()


def holds_pictures_by_name(name: str) -> bool:
    """Whether a folder's name says no more than that pictures are in it, as in ``images``."""
    return name.lower() in _PICTURES or name.lower() == "dataset"
