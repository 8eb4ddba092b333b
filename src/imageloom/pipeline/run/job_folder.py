"""The folder of a node's job: what was asked, what was answered, and links to the outputs."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from imageloom.pipeline.store.objects import ObjectStore
from imageloom.spec.job import JOB_FILE, RESULT_FILE, Job, Output, Result


def read_job(folder: Path) -> Job | None:
    """Return what a job was asked to do, or None when there was none that we understand."""
    try:
        return Job.model_validate_json((folder / JOB_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def read_result(folder: Path) -> Result | None:
    """Return a job's answer, or None when it gave none."""
    try:
        return Result.model_validate_json((folder / RESULT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def link_outputs(folder: Path, outputs: Mapping[str, Output], store: ObjectStore) -> None:
    """Show a node's outputs in its folder, as links that stay right when the workspace moves."""
    links = folder / "outputs"
    for port, output in outputs.items():
        links.mkdir(parents=True, exist_ok=True)
        link = links / port
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(store.path(output.object), links))
