"""Executes a run in a process of its own, which tests kill: WORKSPACE RUN.

Toys are known to it and to its workers as extensions: IMAGELOOM_EXTENSIONS names a folder that
``toy_extensions`` made.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from imageloom.components.catalogue import load_components
from imageloom.events import CancelToken
from imageloom.pipeline.run.events import ignore_run_events
from imageloom.pipeline.run.execute import execute
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.remote.target_file import load_targets
from imageloom.settings import read_settings
from imageloom.spec.node_state import RunState
from imageloom.spec.target import Target
from imageloom.targets.local import LocalTarget

HERE = Path(__file__).parent
DECLARE = """
from imageloom.components.toys import toy_components
from imageloom.spec.component import COMPONENTS

for toy in toy_components():
    COMPONENTS.declare(toy.name, toy)
"""


def toy_extensions(folder: Path) -> Path:
    """Make a folder of extensions that holds all toys."""
    components = folder / "components"
    components.mkdir(parents=True)
    for name in ("toys.py", "odd_toys.py"):
        shutil.copy(HERE / name, components)
    (components / "toys_are_declared.py").write_text(DECLARE, encoding="utf-8")
    return folder


def start_executor(run: RunFolder, extensions: Path) -> "subprocess.Popen[bytes]":
    """Start executing a run; the caller waits for the process."""
    return subprocess.Popen(
        [sys.executable, "-P", str(HERE / "executor_process.py"), str(run.path)],
        env=with_extensions(extensions),
        start_new_session=True,
    )


def local_targets(environment: Mapping[str, str]) -> Registry[Target]:
    """Return a registry with a local target that has started nothing yet."""
    targets: Registry[Target] = Registry("target")
    targets.declare("local", LocalTarget(environment))
    return targets


def with_extensions(folder: Path) -> dict[str, str]:
    """Return an environment for processes that are to know all toys."""
    return dict(os.environ) | {"IMAGELOOM_EXTENSIONS": str(folder)}


def main(run_folder: Path) -> int:
    cancel = CancelToken()
    signal.signal(signal.SIGINT, lambda *_: cancel.set("Ctrl+C"))
    workspace = Workspace(run_folder.parent.parent)
    state = execute(
        workspace.run(run_folder.name),
        workspace=workspace,
        components=load_components(),
        targets=load_targets(read_settings(os.environ)),
        on_event=ignore_run_events,
        cancel=cancel,
    )
    return 0 if state is RunState.COMPLETED else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
