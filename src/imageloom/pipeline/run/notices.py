"""Notices of a run on file, for whoever was not there when they were told."""

import contextlib

from imageloom.errors import FailedToWriteOutputsError
from imageloom.pipeline.run.events import RunEvent, RunNotice, RunSink
from imageloom.pipeline.run_folder import RunFolder


def keeping_notices(run: RunFolder, on_event: RunSink) -> RunSink:
    """Return a sink that writes down the notices of a run, and passes all events on."""

    def keep(event: RunEvent) -> None:
        if isinstance(event, RunNotice):
            # Who watches hears of it all the same; it may be the full disk itself.
            with contextlib.suppress(FailedToWriteOutputsError):
                run.append_notice(event.notice, event.node_id)
        on_event(event)

    return keep
