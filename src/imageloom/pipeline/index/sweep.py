"""A look at the folders of all runs, and a mark that tells cheaply whether another one is needed.

The mark is the state of the folder that the runs lie in. It changes when a run is made, copied in
or deleted, and ``RunFolder.append_run`` changes it before a run that had ended goes on.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.pipeline.index.summary import NO_FILE, state_of_files
from imageloom.pipeline.workspace import Workspace

# Times of files are as coarse as 2 s (FAT): until then a second change may leave the same mark.
_SETTLED_AFTER_S: Final = 2.5


@dataclass(frozen=True)
class Sweep:
    """What a look at all folders found.

    Attributes:
        files: The state of the files of each run, by its id.
        mark: The mark of the runs' folder while it is known to hold these runs and no others, or
            empty where somebody may be copying one in, or the folder changed a moment ago.
    """

    files: Mapping[str, str]
    mark: str


def sweep(workspace: Workspace) -> Sweep:
    """Look at the files of all runs."""
    mark = settled_mark_of(workspace.runs)  # before the folders: what changes then is seen again
    found = {name: state_of_files(workspace.run(name)) for name in workspace.run_names()}
    files = {name: state for name, state in found.items() if not state.startswith(NO_FILE)}
    # A folder without a record may get one at any time, which its parent does not show.
    return Sweep(files, mark if len(files) == len(found) else "")


def mark_of(runs: Path) -> str:
    """Return a text that changes whenever a folder is put into the runs' folder or taken out."""
    try:
        return _mark(runs.stat())
    except OSError:
        return NO_FILE


def settled_mark_of(runs: Path) -> str:
    """Return the same mark, or an empty text while a second change may leave it as it is."""
    try:
        found = runs.stat()
    except OSError:
        return ""
    is_settled = time.time() - max(found.st_mtime, found.st_ctime) > _SETTLED_AFTER_S
    return _mark(found) if is_settled else ""


def _mark(found: os.stat_result) -> str:
    return f"{found.st_ino}:{found.st_mtime_ns}:{found.st_ctime_ns}"
