"""Everything that is known of the people of a workspace."""

import logging
import time
from dataclasses import dataclass
from typing import Self

from imageloom.errors import ImageloomError
from imageloom.pipeline.workspace import Workspace
from imageloom.server.people.activity import Activity, Deed
from imageloom.server.people.sessions import Sessions
from imageloom.server.people.trials import Trials
from imageloom.server.people.users import Users

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class People:
    """The people of a workspace, whose studio listens on a network.

    Attributes:
        users: Who may sign in.
        sessions: Who is signed in.
        trials: Who tried a password of late.
        activity: Who did what.
    """

    users: Users
    sessions: Sessions
    trials: Trials
    activity: Activity

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        """Return the people of a workspace."""
        users = Users(workspace.people)
        sessions = Sessions(workspace.people, users)
        return cls(users, sessions, Trials(), Activity(workspace.people))

    def note(self, deed: Deed) -> None:
        """Write down what somebody did; that it cannot be written stops nobody."""
        try:
            self.activity.append(deed)
        except ImageloomError as problem:
            logger.error("Who did what cannot be written down: %s", problem)


def deed_at_terminal(who: str, what: str, on: str) -> Deed:
    """Return what the machine's owner did now, at the command line."""
    return Deed(time=time.time(), who=who, what=what, on=on, address="terminal")
