"""What lies in the folder of a node for people: its log, its metrics, its own reports."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.events import Metric
from imageloom.files.event_lines import EventTail
from imageloom.files.series.names import SERIES_FOLDER
from imageloom.launch.local.merged_log import LAUNCHER, label_of_rank, logs_of_run
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import ERROR_FILE, EVENTS_FILE, LOG_FILE

_TAIL_BYTES: Final = 6_000
_TAIL_LINES: Final = 40
REPORT: Final = "report.html"
_RANK_0_LOG: Final = "train.log"  # where the component keeps it when the training has ended


@dataclass(frozen=True)
class NodeFiles:
    """What a report shows of a node's folder.

    Attributes:
        log_tail: The last lines of its log.
        metrics: Everything that was measured, in order.
        links: Titles and paths, relative to the run's folder, of files and folders to look at.
    """

    log_tail: str = ""
    metrics: tuple[Metric, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


def work_folder(run: RunFolder, node_id: str, facts: NodeFacts) -> Path:
    """Return the folder with the log and the metrics of a node.

    For a node that was answered from the cache it is in the run that did the work, which may have
    been deleted since.
    """
    if facts.made_by is None:
        return run.node_folder(node_id)
    run_id, maker = facts.made_by
    return RunFolder(run.path.with_name(run_id)).node_folder(maker)


def process_logs(
    workspace: Workspace, run: RunFolder, node_id: str, facts: NodeFacts | None
) -> dict[str, Path]:
    """Return the logs of a node by who wrote them: its worker, then the ranks of a training.

    What the launcher of ranks wrote stands in the worker's log as well, and so does all that a
    training in the worker itself wrote; so the worker is alone unless there are several ranks. Of a
    worker that never began there is what its scheduler said.
    """
    folder = run.node_folder(node_id) if facts is None else work_folder(run, node_id, facts)
    outer = logs_of_run(folder / "logs").get(LAUNCHER)
    if outer is not None and not (folder / LOG_FILE).exists():
        return {LAUNCHER: outer}
    if facts is None:
        return {"worker": folder / LOG_FILE}
    logs = {**logs_of_run(folder / "logs"), label_of_rank(0): folder / _RANK_0_LOG}
    if facts.key and facts.made_by is None:
        # While it trains, and after it was stopped, the training is where it can go on.
        for training in workspace.work_scratch(facts.key).glob("*/logs"):
            logs = logs_of_run(training)
    ranks = {label: log for label, log in logs.items() if not label.startswith(LAUNCHER)}
    return {"worker": folder / LOG_FILE, **(ranks if len(ranks) > 1 else {})}


def series_folder(
    workspace: Workspace, run: RunFolder, node_id: str, facts: NodeFacts | None
) -> Path:
    """Return where the curves of a node lie, for ``list_series``; it need not be there.

    While a node trains, and after it was stopped, that is in the training, which can go on; then it
    is in the node's folder. The rows and their generation are the same in both.
    """
    if facts is None:
        return run.node_folder(node_id) / SERIES_FOLDER
    if facts.key and facts.made_by is None:
        for training in workspace.work_scratch(facts.key).glob(f"*/{SERIES_FOLDER}"):
            return training
    return work_folder(run, node_id, facts) / SERIES_FOLDER


def read_node_files(run: RunFolder, node_id: str, facts: NodeFacts) -> NodeFiles:
    """Read what there is of a node."""
    folder = work_folder(run, node_id, facts)
    places = [
        ("its report", folder / REPORT),
        *(
            (f"report of {port}", run.node_folder(node_id) / "outputs" / port / REPORT)
            for port in facts.outputs
        ),
        *((port, run.node_folder(node_id) / "outputs" / port) for port in facts.outputs),
        ("log", folder / LOG_FILE),
        ("error", folder / ERROR_FILE),
    ]
    links = tuple(
        (title, os.path.relpath(path, run.path)) for title, path in places if path.exists()
    )
    return NodeFiles(tail_of(folder / LOG_FILE), read_metrics(folder / EVENTS_FILE), links)


def read_metrics(events: Path) -> tuple[Metric, ...]:
    """Return the metrics in a file of events; none when there is no such file."""
    tail = EventTail(events)
    metrics: list[Metric] = []
    while found := tail.read():
        metrics += [event for event in found if isinstance(event, Metric)]
    return tuple(metrics)


def told_so_far(run: RunFolder) -> Iterator[tuple[str, Metric]]:
    """Yield what nodes that are not done have told before their run stopped, each as it came."""
    for node_id, facts in run.states().items():
        if not facts.state.has_outputs:
            for metric in read_metrics(run.node_folder(node_id) / EVENTS_FILE):
                yield node_id, metric


def tail_of(log: Path) -> str:
    """Return the last lines of a log; nothing when there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "backslashreplace")
    except OSError:
        return ""
    lines = text.splitlines()[1 if size > _TAIL_BYTES else 0 :]  # the first one is cut
    return "\n".join(lines[-_TAIL_LINES:])
