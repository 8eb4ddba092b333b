"""``imageloom store size``."""

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line, size_text, table
from imageloom.cli.workspace import follow_up, open_existing_engine, workspace_option
from imageloom.events import Progress
from imageloom.files.found_files import found_files


@call_command("size", examples=("imageloom store size",))
@workspace_option
def command(call: Call) -> Outcome:
    """Say how much room the workspace takes, and for what.

    Copies of pictures at addresses, such as s3://bucket/photos, count as well. They lie below
    IMAGELOOM_HOME and serve all workspaces.
    """
    engine = open_existing_engine(call)
    workspace = engine.workspace
    parts = {
        "outputs": workspace.root / "store",
        "runs: records, logs and reports": workspace.runs,
        "half-made results": workspace.work,
        "uploads": workspace.uploads,
        "copies of what lies at addresses": engine.settings.downloads,
    }
    sizes = {}
    for number, (name, folder) in enumerate(parts.items()):
        call.on_event(Progress("Measuring", number, len(parts), "folders"))
        sizes[name] = sum(state.st_size for _, state in found_files(folder))
    rows = [[name, size_text(size), str(parts[name])] for name, size in sizes.items()]
    return Outcome(
        content={
            "workspace": str(workspace.root),
            "bytes": {parts[name].name: size for name, size in sizes.items()},
            "limit_gib": engine.settings.store_limit_gib,
            "downloads_limit_gib": engine.settings.downloads_limit_gib,
        },
        screen=(
            table([("What", "left"), ("Size", "right"), ("Where", "left")], rows),
            line("Limit", f"{engine.settings.store_limit_gib:g} GiB of outputs"),
            line("", f"{engine.settings.downloads_limit_gib:g} GiB of copies"),
            line("Next", follow_up(call, "store", "clean", "--dry-run")),
        ),
    )
