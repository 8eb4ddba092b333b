"""``imageloom store size``."""

import os
from collections.abc import Iterator
from pathlib import Path

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line, size_text, table
from imageloom.cli.workspace import follow_up, open_existing_engine, workspace_option
from imageloom.events import Progress


@call_command("size", examples=("imageloom store size",))
@workspace_option
def command(call: Call) -> Outcome:
    """Say how much room the workspace takes, and for what."""
    engine = open_existing_engine(call)
    workspace = engine.workspace
    parts = {
        "outputs": workspace.root / "store",
        "runs: records, logs and reports": workspace.runs,
        "half-made results": workspace.work,
        "uploads": workspace.uploads,
    }
    sizes = {}
    for number, (name, folder) in enumerate(parts.items()):
        call.on_event(Progress("Measuring", number, len(parts), "folders"))
        sizes[name] = sum(_file_sizes(folder))
    rows = [[name, size_text(size), str(parts[name])] for name, size in sizes.items()]
    return Outcome(
        content={
            "workspace": str(workspace.root),
            "bytes": {parts[name].name: size for name, size in sizes.items()},
            "limit_gib": engine.settings.store_limit_gib,
        },
        screen=(
            table([("What", "left"), ("Size", "right"), ("Where", "left")], rows),
            line("Limit", f"{engine.settings.store_limit_gib:g} GiB of outputs"),
            line("Next", follow_up(call, "store", "clean", "--dry-run")),
        ),
    )


def _file_sizes(folder: Path) -> Iterator[int]:
    """Yield the bytes of every file; files that go away meanwhile are passed over."""
    for top, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.lstat(os.path.join(top, name)).st_size  # noqa: PTH118 - many files
            except OSError:
                continue
