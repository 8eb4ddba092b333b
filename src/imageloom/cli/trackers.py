"""The trackers that a command line asks for."""

import os

from imageloom.cli.call import Call
from imageloom.cli.flags import read_params
from imageloom.settings import read_settings
from imageloom.tracking.params import TrackParams
from imageloom.tracking.usual import usual_trackers


def asked_trackers(call: Call) -> tuple[str, ...]:
    """Return the trackers of ``--track``, or those that the person always wants.

    Raises:
        ImageloomError: Their file of settings cannot be used.
    """
    given = read_params(TrackParams, call.arguments).track
    return given or usual()


def usual() -> tuple[str, ...]:
    """Return the trackers that the person always wants.

    Raises:
        ImageloomError: Their file of settings cannot be used.
    """
    return usual_trackers(read_settings(os.environ))
