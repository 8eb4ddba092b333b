"""Export a trained model into a format that other programs run, and prove that it is the same."""

import contextlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import imageloom.exporting.formats
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.moved import Roots
from imageloom.data.open import open_images
from imageloom.data.params import ConvertParams
from imageloom.errors import ParameterParsingError
from imageloom.events import CancelToken, Control, EventSink, Progress, ignore_events
from imageloom.exporting.about import about
from imageloom.exporting.export_format import EXPORT_FORMATS, ExportFormat
from imageloom.exporting.params import ExportParams
from imageloom.exporting.parity import Parity, measure, require_equal
from imageloom.files.home import expand_home
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import publishing_directory, refuse_existing, to_json
from imageloom.models.model_card import literal
from imageloom.models.model_directory import TrainedModel
from imageloom.registry import import_submodules
from imageloom.scoring.model_in_use import RUN_RECORD, model_in_use
from imageloom.scoring.params import ScoreParams
from imageloom.system.extras import require_packages
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.pictures import open_validation

RECORD: Final = "export.json"
CARD: Final = "README.md"
FORMAT_VERSION: Final = 1
# As the model itself scores everywhere: see ScoreParams.
_PLAIN: Final = ScoreParams(device="cpu", precision="float32")

import_submodules(imageloom.exporting.formats)


@dataclass(frozen=True)
class ExportedModel:
    """A model that was exported.

    Attributes:
        path: The folder.
        format: Its format: ``onnx``, ``pt2`` or ``timm``.
        files: Names of what the other program needs, with their bytes.
        parity: How it compares with the model itself.
    """

    path: Path
    format: str
    files: dict[str, int]
    parity: Parity


def export(  # noqa: PLR0913 - the public call; all but the first three are keywords
    model: TrainedModel | Path | str,
    out: Path | str,
    images: ImageDirectory | Path | str | None = None,
    *,
    root: Roots = (),
    params: ExportParams | None = None,
    convert_params: ConvertParams | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> ExportedModel:
    """Write a model for another program, after that has scored pictures as the model does.

    Every picture is prepared once and scored twice, in float32 on the CPU: by the model itself, and
    by the exported one in the program that runs its format. ``export.json`` says how far they were
    apart.

    Args:
        model: A trained model, its directory, or the directory of a run.
        out: The folder to write.
        images: Pictures to compare with; by default those a run was validated on.
        root: Where the pictures of an image directory lie now, when they were moved.
        params: Format, and how equal it must be; by default ``ExportParams()``.
        convert_params: How a plain folder is read; by default ``ConvertParams()``.
        on_event: Hears progress and notices.
        cancel: Stops between two batches; nothing is published then.

    Raises:
        ExportError: The format cannot hold the network, or what it holds scores otherwise.
        EnvironmentUnsuitableError: The format needs a package that is not installed.
        ParameterParsingError: The model is no run, and no pictures are given.
        InvalidModelDirectoryError: The model is none, or is damaged.
        InvalidDatasetError: There are no pictures, or one cannot be read.
        FailedToWriteOutputsError: ``out`` exists, or cannot be written.
        RunInterruptedError: Somebody asked to stop.
    """
    control, params = Control.of(on_event, cancel), params or ExportParams()
    kind, out = EXPORT_FORMATS.get(params.to), expand_home(out).absolute()
    # Before pictures are converted, which may take long.
    require_packages(f"Exporting to {kind.title}", kind.packages, kind.extra)
    refuse_existing(out)
    read = [expand_home(one) for one in (model, images) if isinstance(one, Path | str)]
    refuse_misplaced([out], read=read)
    with contextlib.ExitStack() as stack:
        used = stack.enter_context(model_in_use(model, _PLAIN, control.on_event))
        pictures = _pictures(model, images, root, convert_params, control)
        pictures.require_pictures("to compare the exported model with")
        pictures.refuse_outputs([out])
        partial = stack.enter_context(publishing_directory(out))
        _write(used.model, kind, partial, control)
        parity = measure(used, kind.open(used.model, partial), pictures, control)
        require_equal(parity, params.largest_difference, kind)
        files = {one.name: one.stat().st_size for one in sorted(partial.iterdir())}
        content = _record(used.model, kind, parity, params)
        (partial / RECORD).write_text(to_json(content), encoding="utf-8")
        (partial / CARD).write_text(_card(used.model, kind, parity), encoding="utf-8")
    return ExportedModel(out, kind.name, files, parity)


def _write(model: TrainedModel, kind: ExportFormat, folder: Path, control: Control) -> None:
    step = f"Writing {kind.title}"
    control.tell(Progress(step, 0, 1, "models"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries about themselves; parity is what counts
        kind.write(model, folder)
    control.tell(Progress(step, 1, 1, "models"))
    control.raise_if_cancelled()


def _pictures(
    model: TrainedModel | Path | str,
    images: ImageDirectory | Path | str | None,
    root: Roots,
    convert_params: ConvertParams | None,
    control: Control,
) -> ImageDirectory:
    if images is not None:
        return open_images(
            images,
            root=root,
            convert_params=convert_params,
            on_event=control.on_event,
            cancel=control.cancel,
        )
    if not isinstance(model, TrainedModel):
        run = RunDirectory(expand_home(model).absolute())
        if (run.path / RUN_RECORD).is_file():
            return open_validation(run, root, control=control)
    raise ParameterParsingError(
        "There are no pictures to compare the exported model with: only a run knows those that it "
        "was validated on.",
        hint="Give some, with or without labels: --data PICTURES.",
        details={"parameter": "data"},
    )


def _record(
    model: TrainedModel, kind: ExportFormat, parity: Parity, params: ExportParams
) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "exported_model",
        "format": kind.name,
        **about(model),
        "parity": {**parity.to_json(), "bound": params.largest_difference},
        "versions": dict(model.versions),
    }


def _card(model: TrainedModel, kind: ExportFormat, parity: Parity) -> str:
    size = model.preprocessing.input_size
    known, others = "a known class", "another class"
    if model.label_thresholds is not None:
        known, others = "known labels", "other labels"
    right = (
        f" Of {parity.labelled:,} with {known} both are right about {parity.right_before:,} "
        f"and {parity.right_after:,}."
        if parity.labelled
        else ""
    )
    title = literal(model.architecture.title)
    return f"""# {title} for {len(model.classes):,} classes, as {kind.title}

An image classifier trained with Imageloom, for pictures of {size} x {size} pixels. `{RECORD}` has \
the class names in the order of the outputs, and under `preprocessing` how a picture is made that \
size.

{kind.use(model)}

## Is it the same model?

It scored {parity.images:,} pictures again in its own runtime. The largest difference of a \
probability was {parity.largest_difference:.2g}; {parity.changed:,} were given {others}.{right}
"""
