"""``imageloom targets list``."""

import os
from typing import TYPE_CHECKING

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import Column, line, table
from imageloom.events import Progress
from imageloom.settings import read_settings

if TYPE_CHECKING:
    from imageloom.spec.target import Target


@call_command("list", examples=("imageloom targets list", "imageloom targets list --json"))
def command(call: Call) -> Outcome:
    """List where training and pipelines can run, and what each target has.

    Your own targets stand in the file that IMAGELOOM_TARGETS names, by default
    ~/.config/imageloom/targets.toml.
    """
    from imageloom.remote.check import trouble_of
    from imageloom.remote.target_file import load_targets

    settings = read_settings(os.environ)
    targets = load_targets(settings)
    found: list[dict[str, object]] = []
    for target in targets:
        call.on_event(Progress("Asking the targets", len(found), len(targets), "targets"))
        found.append(target_to_json(target, trouble_of(target)))
    rows = [
        [
            str(one["name"]),
            str(one["title"]),
            f"{one['nodes']:,}",
            f"{one['processing_units_per_node']:,}",
            str(one["trouble"]) or "yes",
        ]
        for one in found
    ]
    columns: list[Column] = [
        ("Target", "left"),
        ("Kind", "left"),
        ("Machines", "right"),
        ("Processes on each", "right"),
        ("Reachable", "left"),
    ]
    return Outcome(
        content={"file": str(settings.targets), "targets": found},
        screen=(
            table(columns, rows),
            line("File", str(settings.targets)),
            line("Next", "imageloom targets check NAME"),
        ),
    )


def target_to_json(target: "Target", trouble: str) -> dict[str, object]:
    """Return what ``--json`` says of a target."""
    limits = target.limits
    return {
        "name": target.name,
        "title": target.title,
        "help": target.help,
        "nodes": limits.nodes,
        "processing_units_per_node": limits.processing_units_per_node,
        "heavy_jobs": limits.heavy_jobs,
        "light_jobs": limits.light_jobs,
        "trouble": trouble,
    }
