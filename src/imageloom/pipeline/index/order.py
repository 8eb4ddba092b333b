"""The orders in which runs are listed."""

from enum import StrEnum


class RunOrder(StrEnum):
    """What comes first; runs that are equal in it stand newest first."""

    CREATED = "created"  # the newest
    DURATION = "duration"  # the longest, those that never began last
    NAME = "name"  # from a to z
    STATE = "state"  # from a to z
