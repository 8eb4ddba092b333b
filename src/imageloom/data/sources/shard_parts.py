"""The parts of a dataset, such as train and test, that the names of its files tell apart."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from imageloom.data.params import ConvertParams
from imageloom.errors import InvalidDatasetError
from imageloom.system.wording import some

_ALL: Final = "all"


def take_part(place: Path, part_of: Mapping[Path, str], params: ConvertParams) -> tuple[Path, ...]:
    """Return the files of the part that was asked for.

    Args:
        place: For messages.
        part_of: The part of each file; empty for one that names none.
        params: Says which part.

    Raises:
        InvalidDatasetError: There are several parts and none was chosen, or none of the one that
            was.
    """
    parts = sorted(set(part_of.values()))
    if params.part is None and len(parts) > 1:
        option = f"--part {shlex.quote(next(filter(None, parts)))}"
        raise InvalidDatasetError(
            f"{place} holds parts of a dataset: {_named(parts)}.",
            hint=f"Use 'imageloom data convert' with {option}, and so on for each part; "
            f"--part {_ALL} joins them.",
            reason="several-parts",
            details={"parts": parts, "option": option},
        )
    if params.part in (None, _ALL):
        return tuple(part_of)
    taken = tuple(file for file, part in part_of.items() if part == params.part)
    if not taken:
        raise InvalidDatasetError(
            f"{place} has no shard of part {params.part!r}, but of {_named(parts)}.",
            hint="Give one of its parts with --part; the shards' names tell them.",
            reason="no-such-part",
            details={"parts": parts},
        )
    return taken


def _named(parts: Iterable[str]) -> str:
    return some([repr(name) if name else "files that name none" for name in parts], most=5)
