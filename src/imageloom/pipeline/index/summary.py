"""The row of a run, made from the run's files and nothing else."""

from pathlib import Path

from imageloom.errors import NoSuchRunError, StoreError, printable
from imageloom.pipeline.run_folder import RunFolder, RunHistory
from imageloom.pipeline.run_record import NodeFacts
from imageloom.spec.node_state import NodeState, RunState

SummaryRow = dict[str, str | int | float | None]


def state_of_files(run: RunFolder) -> str:
    """Return a text that changes whenever the files that a row is made from do."""
    return f"{_stamp(run.record_file)} {_stamp(run.states_file)}"


def summarise(run: RunFolder, scope: str) -> SummaryRow | None:
    """Return the row of a run, or None when there is no such run.

    A run whose files cannot be read has a row all the same, which says why.

    Args:
        run: The run.
        scope: The workspace, as the database tells several apart.
    """
    files = state_of_files(run)  # before they are read: what changes meanwhile is read again
    try:
        history, unreadable = run.history(), ""
    except StoreError as problem:
        history, unreadable = RunHistory(), problem.message
    row: SummaryRow = {
        "workspace": scope,
        "id": run.id,
        "state": (history.recorded or RunState.RUNNING).value,
        "began": history.began,
        "ended": None if history.recorded in (None, RunState.RUNNING) else history.changed,
        "num_done": sum(facts.state.has_outputs for facts in history.nodes.values()),
        "files": files,
    }
    try:
        record = run.record()
    except NoSuchRunError:
        return None
    except StoreError as problem:
        row |= {"name": "", "created": history.began or 0.0, "num_nodes": len(history.nodes)}
        row |= {"problem": problem.message}
    else:
        row |= {"name": printable(record.name), "created": record.created}
        row |= {"num_nodes": len(record.wanted), "problem": _first_failure(history)}
    row["problem"] = unreadable or row["problem"]
    row["search"] = f"{run.id} {row['name']}".casefold()
    return row


def _first_failure(history: RunHistory) -> str:
    failed = [
        (facts.ended or facts.time, node_id, facts)
        for node_id, facts in history.nodes.items()
        if facts.state is NodeState.FAILED
    ]
    if not failed:
        return ""
    _, node_id, facts = min(failed, key=lambda one: one[0])
    return printable(f"{node_id}: {_reason(facts)}")


def _reason(facts: NodeFacts) -> str:
    return str((facts.error or {}).get("message") or facts.message)


def _stamp(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return "-"
    return f"{found.st_size}:{found.st_mtime_ns}"
