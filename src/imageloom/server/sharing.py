"""Whose a thing is and whether others see it, as the page asks and is told."""

from typing import Self

from pydantic import BaseModel

from imageloom.pipeline.ownership import Ownership
from imageloom.server.studio import Studio


class OwnershipInfo(BaseModel):
    """Whose a thing is.

    Attributes:
        owner: Name of the user; empty for the machine's owner.
        is_shared: Whether all users see it.
        is_mine: Whether who asks may change it.
    """

    owner: str
    is_shared: bool
    is_mine: bool

    @classmethod
    def of(cls, studio: Studio, one: Ownership) -> Self:
        """Return what who asks is told."""
        is_mine = studio.may_change(one)
        return cls(owner=one.owner, is_shared=one.is_shared, is_mine=is_mine)


class Sharing(BaseModel):
    """Whether others shall see a thing.

    Attributes:
        is_shared: Whether all users do.
    """

    is_shared: bool

    def of(self, studio: Studio, before: Ownership) -> Ownership:
        """Return whose a thing is then; what is written down says which way it went."""
        if not self.is_shared:
            studio.deeds.what = f"un{studio.deeds.what}"
        return before.model_copy(update={"is_shared": self.is_shared})
