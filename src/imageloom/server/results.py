"""Where what a node made lies."""

import os
from pathlib import Path

from imageloom.errors import NoSuchRunError
from imageloom.models.stored_facts import RECORD
from imageloom.run_report.evaluation_figures import EVALUATION
from imageloom.run_report.node_files import work_folder
from imageloom.scoring.model_process.client import PicturePlace
from imageloom.scoring.read_pictures import PICTURES, about_pictures, read_pictures
from imageloom.server.sight import roots_of_runs
from imageloom.server.studio import Studio
from imageloom.spec.port_types import MODEL_DIRECTORY


def leads_away(studio: Studio, file: Path) -> bool:
    """Whether what should be a file of a run is a link, or lies behind one that leaves the runs."""
    workspace = studio.engine.workspace
    place = Path(os.path.realpath(file))
    kept = (workspace.runs, workspace.work, workspace.objects)
    return file.is_symlink() or not any(
        place.is_relative_to(os.path.realpath(folder)) for folder in kept
    )


def evaluation_folder(studio: Studio, run_id: str, node: str) -> Path:
    """Return the evaluation that a node made.

    Raises:
        NoSuchRunError: There is no such run or node, or it made none.
    """
    for folder in output_folders(studio, run_id, node):
        if (folder / EVALUATION).is_file():
            return folder
    raise NoSuchRunError(f"Node {node} of run {run_id} has no evaluation.", reason="no-evaluation")


def model_folder(studio: Studio, run_id: str, node: str) -> Path:
    """Return the directory of the trained model that a node made.

    Raises:
        NoSuchRunError: There is no such run or node, or it made none.
    """
    run, facts = studio.node(run_id, node)
    for port, output in facts.outputs.items() if facts is not None else ():
        folder = run.node_folder(node) / "outputs" / port
        if output.type == MODEL_DIRECTORY and (folder / RECORD).is_file():
            return folder
    raise NoSuchRunError(f"Node {node} of run {run_id} has no model.", reason="no-model")


def output_folders(studio: Studio, run_id: str, node: str) -> list[Path]:
    """Return where the outputs of a node lie, as far as it has any.

    Raises:
        NoSuchRunError: There is no such run or node.
    """
    run, facts = studio.node(run_id, node)
    ports = facts.outputs if facts is not None else ()
    return [run.node_folder(node) / "outputs" / port for port in ports]


def record_folder(studio: Studio, run_id: str, node: str) -> Path:
    """Return the folder with the report of a node: of the run that did its work.

    Raises:
        NoSuchRunError: There is no such run or node.
    """
    run, facts = studio.node(run_id, node)
    return run.node_folder(node) if facts is None else work_folder(run, node, facts)


def scored_place(studio: Studio, run_id: str, node: str, row: int) -> PicturePlace:
    """Return where a picture of an evaluation lies, by its row in the scored table.

    Raises:
        NoSuchRunError: There is no such picture, or the table does not say where its files lie.
        CouldNotOpenFileError: It lies outside the folders that may be shown.
    """
    file = evaluation_folder(studio, run_id, node) / PICTURES
    found, _ = read_pictures(file, order="row", offset=max(row, 0), limit=1)
    root = about_pictures(file).root
    if not found or found[0].row != row or not root:
        raise NoSuchRunError(f"Node {node} of run {run_id} has no picture {row}.", reason="no-row")
    return PicturePlace(roots_of_runs(studio).require(root), found[0].file)
