"""Weights & Biases: a run in the project that ``WANDB_PROJECT`` names, or a file for later."""

from __future__ import annotations

import netrc
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from imageloom.tracking.secrets import without_login
from imageloom.tracking.tracker import TRACKERS, Tracker

if TYPE_CHECKING:
    from pydantic import JsonValue

    from imageloom.tracking.tracker import Memory, Point, TrackedRun, TrainingState, Variables

FOLDER: Final = "wandb"
DEFAULT_PROJECT: Final = "imageloom"
DEFAULT_ADDRESS: Final = "https://api.wandb.ai"
_STEP: Final = "step"
_OFFLINE: Final = ("offline", "dryrun")


class WandbSession:
    """Logs one training.

    A value names its step itself, because W&B drops those of an earlier step than its newest.
    """

    def __init__(self, run: TrackedRun, memory: Memory, variables: Variables) -> None:
        import wandb

        is_offline = _is_offline(variables)
        # Offline all lies in a file at once; else it is on its way until the run is finished.
        self.is_safe_at_close = not is_offline
        self._memory: dict[str, JsonValue] = {**memory, "run": run.id}
        self._exit_code = 0
        run.folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=variables.get("WANDB_PROJECT") or DEFAULT_PROJECT,
            name=run.name,
            group=run.group or None,
            id=run.id,
            resume="allow",
            dir=str(run.folder),
            save_code=False,
            settings=wandb.Settings(
                console="off",
                disable_code=True,
                disable_git=True,
                silent=True,
                x_disable_machine_info=True,
                x_disable_meta=True,
                x_disable_stats=True,
                x_save_requirements=False,
            ),
        )
        self._run.define_metric(_STEP, hidden=True)
        self._run.define_metric("*", step_metric=_STEP)

    def parameters(self, values: Mapping[str, JsonValue]) -> None:
        """Log them as the run's configuration."""
        self._run.config.update(dict(values), allow_val_change=True)  # type: ignore[no-untyped-call]

    def scalars(self, points: Sequence[Point]) -> None:
        """Log values, those of a step together."""
        steps: dict[int, dict[str, float]] = defaultdict(dict)
        for point in points:
            steps[point.step][point.name] = point.value
        for step, values in sorted(steps.items()):
            self._run.log({_STEP: step, **values})

    def file(self, name: str, path: Path) -> None:
        """Log a folder as a model, and a file as a file of the run."""
        import wandb

        if path.is_dir():
            artefact = wandb.Artifact(f"{name}-{self._run.id}", type="model")
            artefact.add_dir(str(path))
            self._run.log_artifact(artefact)
        else:
            self._run.save(str(path), base_path=str(path.parent), policy="now")

    def state(self, state: TrainingState) -> None:
        """Note it; W&B is told when the run is finished."""
        self._exit_code = int(state not in ("running", "completed"))
        self._run.summary["state"] = state

    def memory(self) -> Memory:
        """Return which run it is there."""
        return self._memory

    def close(self) -> None:
        """Finish the run, once all that was logged is where it shall be."""
        self._run.finish(self._exit_code)


def _is_offline(variables: Variables) -> bool:
    return variables.get("WANDB_MODE") in _OFFLINE


def _place(run: TrackedRun, variables: Variables) -> str:
    if _is_offline(variables):
        return str(run.folder / FOLDER)
    project = variables.get("WANDB_PROJECT") or DEFAULT_PROJECT
    parts = (_address(variables), variables.get("WANDB_ENTITY", ""), project)
    return "/".join(part for part in parts if part)


def _address(variables: Variables) -> str:
    return without_login(variables.get("WANDB_BASE_URL") or DEFAULT_ADDRESS).rstrip("/")


def _lacking(variables: Variables) -> tuple[str, str] | None:
    if variables.get("WANDB_MODE") == "disabled":
        return (
            "WANDB_MODE is disabled, so Weights & Biases would keep nothing.",
            "Unset it, or set it to offline to keep a file for later.",
        )
    if _is_offline(variables) or variables.get("WANDB_API_KEY") or _has_login(variables):
        return None
    return (
        f"Tracking with Weights & Biases needs a key for {_address(variables)}, and there is none.",
        "Set WANDB_API_KEY, or run 'wandb login'. WANDB_MODE=offline writes a file for later "
        "instead.",
    )


def _has_login(variables: Variables) -> bool:
    """Whether 'wandb login' was run: it writes the key into the file of logins."""
    file = Path(variables.get("NETRC") or Path(variables.get("HOME", "/")) / ".netrc")
    try:
        return netrc.netrc(file).authenticators(urlsplit(_address(variables)).netloc) is not None
    except (OSError, netrc.NetrcParseError):
        return False


TRACKERS.declare(
    "wandb",
    Tracker(
        name="wandb",
        title="Weights & Biases",
        packages=("wandb",),
        extra="wandb",
        place=_place,
        lacking=_lacking,
        open=WandbSession,
        # A model that is logged is copied on its way.
        quiet={"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true", "DO_NOT_TRACK": "true"},
    ),
)
