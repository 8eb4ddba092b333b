"""What a worker process is asked to do, and what it answers, as JSON files in the job's folder.

The folder of a job is the folder of its node run::

    job.json          the question, written before the worker starts
    lock-wanted       written by a worker that must take its lock itself, when it cannot yet
    events.jsonl      progress, metrics and notices, appended while it runs
    logs/70_driver_log_0.txt
    error_info.json   when it failed
    result.json       the answer, written last and in one step
"""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from imageloom.spec.component import Demand

JOB_FILE: Final = "job.json"
LOCK_WANTED_FILE: Final = "lock-wanted"
EVENTS_FILE: Final = "events.jsonl"
LOG_FILE: Final = "logs/70_driver_log_0.txt"
STOP_ASKED_FILE: Final = "stop_asked"  # from when it was asked to save and stop
ERROR_FILE: Final = "error_info.json"
RESULT_FILE: Final = "result.json"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Job(_Record):
    """What a worker is asked to do.

    Attributes:
        run_id: The run that asks.
        node_id: The node in it.
        component: Name of the component.
        params: All parameters, defaults included.
        settings: All run settings, defaults included.
        inputs: Absolute folders by input port.
        output_ports: The outputs that must be published, by name, with their port types.
        key: What the node's result depends on, as a digest; results are kept under it.
        workspace: Absolute folder of the workspace.
        base: Absolute folder that relative paths in parameters start from.
        demand: Whether it uses a whole processing unit.
    """

    run_id: str
    node_id: str
    component: str
    params: dict[str, JsonValue]
    settings: dict[str, JsonValue]
    inputs: dict[str, str]
    output_ports: dict[str, str]
    key: str
    workspace: str
    base: str
    demand: Demand = "light"


class Output(_Record):
    """A published output.

    Attributes:
        type: Name of its port type.
        object: Digest under which the store keeps its bytes.
        digest: What it means, as a digest: equal for outputs that no reader can tell apart.
        size_bytes: Bytes on disk.
    """

    type: str
    object: str
    digest: str
    size_bytes: int


class Result(_Record):
    """What a worker answers.

    Attributes:
        state: How it ended.
        outputs: The outputs by port; empty unless it completed.
        warnings: Sentences a person should see.
        error: The content of ``error_info.json``, or None.
        seconds: Time it took.
    """

    state: Literal["completed", "failed", "cancelled"]
    outputs: dict[str, Output] = {}
    warnings: tuple[str, ...] = ()
    error: dict[str, JsonValue] | None = None
    seconds: float = 0.0


class CacheEntry(_Record):
    """A result that may be used again, kept under its key.

    Attributes:
        key: Digest of all it depends on.
        component: Name of the component.
        run_id: The run that made it, where its logs and metrics are.
        node_id: The node in that run.
        outputs: The outputs by port.
        warnings: Sentences a person should see.
        seconds: Time it took to make.
    """

    key: str
    component: str
    run_id: str
    node_id: str
    outputs: dict[str, Output]
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


def to_json(record: BaseModel) -> Mapping[str, object]:
    """Return a record as plain JSON values."""
    return record.model_dump(mode="json")
