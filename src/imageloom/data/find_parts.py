"""Find the parts of a dataset that was divided before, in one folder."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from imageloom.data.images.directory import is_image_directory
from imageloom.data.names import is_system_name
from imageloom.data.sources.kind import absolute_path
from imageloom.data.sources.parts import Role, holds_pictures_by_name, role_of
from imageloom.data.sources.root import descend
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.system.wording import some

_NAMES_SHOWN: Final = 8


class Parts(NamedTuple):
    """Where the parts of a dataset lie.

    Attributes:
        training: Pictures to learn from.
        validation: Pictures to measure each epoch with.
        test: Pictures for the last test, which training never sees; None when there are none.
    """

    training: Path
    validation: Path
    test: Path | None


def find_parts(folder: Path | str) -> Parts:
    """Return the training and validation parts that lie in a folder, known by their names.

    They are named ``train`` or ``training``, ``val``, ``valid`` or ``validation``, also with a word
    such as ``_images`` or ``_set``, and lie in the folder itself, in the only folder in it, or in a
    folder in it called ``images`` or alike. A part named ``test`` is never taken for validation.

    Args:
        folder: A folder. Each part may be whatever ``open_images`` takes.

    Raises:
        CouldNotOpenFileError: There is nothing.
        InvalidDatasetError: It is no folder, a part is missing, or two folders may be the same
            part; the message says what is there.
    """
    place = absolute_path(folder)
    _require_folder(place)
    best = place, _roles(place)
    for top in _tops(place):
        roles = _roles(top)
        if len(roles) > len(best[1]):
            best = top, roles
    top, roles = best
    if "training" not in roles or "validation" not in roles:
        raise _missing(place, top, roles)
    for names in roles.values():
        if len(names) > 1:
            raise _ambiguous(top, names)
    test = roles.get("test")
    return Parts(
        top / roles["training"][0], top / roles["validation"][0], top / test[0] if test else None
    )


def _require_folder(place: Path) -> None:
    if place.is_dir() and not is_image_directory(place):
        return
    if not place.exists():
        raise CouldNotOpenFileError(
            f"There is nothing at {place}.", hint="Check the path.", reason="not-found"
        )
    what = "one image directory" if place.is_dir() else "a file"
    raise InvalidDatasetError(
        f"{place} is {what}, not a folder with a part for training and one for validation.",
        hint=_divide(place),
        reason="no-parts",
    )


def _tops(place: Path) -> Iterator[Path]:
    """Yield the folders in which parts may lie, below the one that was given."""
    inner = descend(place, follow_links=True)
    yield inner
    for top in {place, inner}:
        yield from (top / name for name in _folders(top) if holds_pictures_by_name(name))


def _roles(top: Path) -> dict[Role, list[str]]:
    roles: dict[Role, list[str]] = {}
    for name in _folders(top):
        role = role_of(name)
        if role is not None:
            roles.setdefault(role, []).append(name)
    return roles


def _folders(place: Path) -> list[str]:
    try:
        entries = sorted(place.iterdir())
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"{place} may not be read: {problem.strerror}.", reason="not-readable"
        ) from problem
    return [
        one.name for one in entries if one.is_dir() and not is_system_name(os.fsencode(one.name))
    ]


def _missing(place: Path, top: Path, roles: dict[Role, list[str]]) -> InvalidDatasetError:
    lacks = [name for name in ("training", "validation") if name not in roles]
    hint = _divide(place)
    if "training" in roles:
        hint = _divide(top / roles["training"][0])
        if "test" in roles:
            hint = (
                f"{roles['test'][0]!r} is kept for the last test, so that one figure is honest. "
                f"{hint}"
            )
    names = [repr(name) for name in _folders(top)]
    return InvalidDatasetError(
        f"{top} holds no folder that is by its name the part for {' or '.join(lacks)}. It holds "
        f"{some(names, most=_NAMES_SHOWN) or 'no folders'}.",
        hint=hint,
        reason="no-parts",
        details={"missing": lacks, "folders": _folders(top)[:100]},
    )


def _divide(pictures: Path) -> str:
    return (
        "Give the two with --train and --validation; or divide one source: imageloom data split "
        f"{shlex.quote(str(pictures))} --first train --second validation"
    )


def _ambiguous(top: Path, names: list[str]) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"In {top}, {some([repr(name) for name in names], most=_NAMES_SHOWN)} are by their names "
        "the same part of a dataset.",
        hint="Give the two that you mean with --train and --validation.",
        reason="ambiguous-parts",
        details={"folders": names},
    )
