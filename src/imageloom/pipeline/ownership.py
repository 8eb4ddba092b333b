"""To whom a run, a drawn pipeline or an upload belongs, and who sees it."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from imageloom.errors import StoreCorruptError
from imageloom.files.publish import read_json, write_json


class Ownership(BaseModel):
    """Whose a thing is.

    What was made without signing in, as at the command line, has no owner and is shared: whoever
    can write the workspace's folders could show it to others anyway.

    Attributes:
        owner: Name of the user; empty for what belongs to the machine's owner.
        is_shared: Whether all users see it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    owner: str = ""
    is_shared: bool = True


EVERYBODYS: Final = Ownership()
_NOBODYS: Final = Ownership(is_shared=False)


class Whose(StrEnum):
    """Which of the things that a person sees."""

    ALL = "all"
    MINE = "mine"
    SHARED = "shared"


@dataclass(frozen=True)
class Viewpoint:
    """Who looks, and at what.

    Attributes:
        person: Name of the user; empty where nobody signs in.
        sees_all: Whether also what others did not share is seen.
        whose: Which of the things that are seen are wanted; ``SHARED`` leaves out their own.
    """

    person: str = ""
    sees_all: bool = True
    whose: Whose = Whose.ALL

    def shows(self, one: Ownership) -> bool:
        """Whether a thing is among those that are wanted."""
        is_mine = one.owner == self.person
        if self.whose is Whose.MINE:
            return is_mine
        if self.whose is Whose.SHARED:
            return one.is_shared and not is_mine
        return self.sees_all or is_mine or one.is_shared


EVERYTHING: Final = Viewpoint()


def read_ownership(file: Path) -> Ownership:
    """Return what a file says; a damaged one hides its thing from all but those who see all."""
    if not file.exists():
        return EVERYBODYS
    try:
        return Ownership.model_validate_json(json.dumps(read_json(file, StoreCorruptError)))
    except (StoreCorruptError, ValidationError):
        return _NOBODYS


def write_ownership(file: Path, ownership: Ownership) -> None:
    """Replace what a file says, in one step.

    Raises:
        FailedToWriteOutputsError: It cannot be written.
    """
    write_json(file, ownership.model_dump())
