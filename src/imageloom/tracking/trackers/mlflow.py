"""MLflow: a run on the server that ``MLFLOW_TRACKING_URI`` names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from imageloom.tracking.secrets import without_login
from imageloom.tracking.tracker import TRACKERS, Tracker

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient
    from pydantic import JsonValue

    from imageloom.tracking.tracker import Memory, Point, TrackedRun, TrainingState, Variables

URI: Final = "MLFLOW_TRACKING_URI"
DEFAULT_EXPERIMENT: Final = "imageloom"
_ID_TAG: Final = "imageloom.id"
_PARAMETERS_AT_ONCE: Final = 100  # the server takes no more
_VALUE_CHARS: Final = 6_000  # likewise
_STATUS: Final[Mapping[TrainingState, str]] = {
    "running": "RUNNING",
    "completed": "FINISHED",
    "interrupted": "KILLED",
    "failed": "FAILED",
}


class MlflowSession:
    """Speaks with the server about one training.

    Told the same value of the same moment twice, the server keeps it once.
    """

    is_safe_at_close = False

    def __init__(self, run: TrackedRun, memory: Memory, variables: Variables) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=variables[URI])
        self._id = str(memory.get("run") or _find(self._client, run, variables))

    def parameters(self, values: Mapping[str, JsonValue]) -> None:
        """Log them as text."""
        from mlflow.entities import Param

        params = [Param(name, _text(value)) for name, value in values.items()]
        for first in range(0, len(params), _PARAMETERS_AT_ONCE):
            some = params[first : first + _PARAMETERS_AT_ONCE]
            self._client.log_batch(self._id, params=some)

    def scalars(self, points: Sequence[Point]) -> None:
        """Log values under their own steps and times."""
        from mlflow.entities import Metric

        metrics = [
            Metric(point.name, point.value, round(point.time * 1000), point.step)
            for point in points
        ]
        self._client.log_batch(self._id, metrics=metrics)

    def file(self, name: str, path: Path) -> None:
        """Log it as an artefact."""
        if path.is_dir():
            self._client.log_artifacts(self._id, str(path), name)
        else:
            self._client.log_artifact(self._id, str(path))

    def state(self, state: TrainingState) -> None:
        """Set the run's status."""
        if state == "running":
            self._client.update_run(self._id, status=_STATUS[state])
        else:
            self._client.set_terminated(self._id, status=_STATUS[state])

    def memory(self) -> Memory:
        """Return which run it is there."""
        return {"run": self._id}

    def close(self) -> None:
        """Do nothing: every call was answered."""


def _find(client: MlflowClient, run: TrackedRun, variables: Variables) -> str:
    """Return the id of the training's run there, which is made where there is none."""
    experiment = variables.get("MLFLOW_EXPERIMENT_ID") or _experiment(client, variables)
    # A process may have been killed after it made the run and before it wrote that down.
    found = client.search_runs([experiment], f"tags.`{_ID_TAG}` = '{run.id}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    group = {"imageloom.run": run.group} if run.group else {}
    made = client.create_run(experiment, tags={_ID_TAG: run.id, **group}, run_name=run.name)
    return str(made.info.run_id)


def _experiment(client: MlflowClient, variables: Variables) -> str:
    from mlflow.exceptions import MlflowException

    name = variables.get("MLFLOW_EXPERIMENT_NAME") or DEFAULT_EXPERIMENT
    if (found := client.get_experiment_by_name(name)) is not None:
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name))
    except MlflowException:  # somebody else made it meanwhile
        if (found := client.get_experiment_by_name(name)) is None:
            raise
        return str(found.experiment_id)


def _text(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:_VALUE_CHARS]


def _place(_run: TrackedRun, variables: Variables) -> str:
    return without_login(variables.get(URI, ""))


def _lacking(variables: Variables) -> tuple[str, str] | None:
    if variables.get(URI):
        return None
    return (
        f"Tracking with MLflow needs {URI}, which is not set.",
        f"Set it to the address of your server: export {URI}=http://127.0.0.1:5000",
    )


TRACKERS.declare(
    "mlflow",
    Tracker(
        name="mlflow",
        title="MLflow",
        packages=("mlflow",),
        extra="mlflow",
        place=_place,
        lacking=_lacking,
        open=MlflowSession,
        # Without these, one call to a server that does not answer takes minutes.
        environment={"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"},
        quiet={"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
    ),
)
