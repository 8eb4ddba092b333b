"""Score pictures: one row of probabilities for each, as a table.

Legend: N pictures, B batch, K classes.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from imageloom.data.images.crop_check import require_crops_fit
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import file_name
from imageloom.data.loading.loader import make_loader, sequential_batches
from imageloom.data.moved import Roots
from imageloom.data.open import open_images
from imageloom.data.params import ConvertParams
from imageloom.errors import InvalidDatasetError, NaNError
from imageloom.events import CancelToken, Control, EventSink, Notice, Progress, ignore_events
from imageloom.files.home import expand_home
from imageloom.files.output_places import refuse_misplaced
from imageloom.models.compute import choose_workers
from imageloom.models.model_directory import TrainedModel
from imageloom.preprocessing.similar_names import quoted
from imageloom.scoring.inference import choose_fill, predict_batches, probabilities_from
from imageloom.scoring.model_in_use import ModelInUse, model_in_use
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.reading import reading_by
from imageloom.scoring.tables.file import AnyTable, check_place, refuse_separator, write_table
from imageloom.scoring.tables.label_set_table import LabelSetTable, given_labels
from imageloom.scoring.tables.scored_table import UNKNOWN, ScoredTable, room_for_probabilities
from imageloom.system.allocator import kept_for_the_next
from imageloom.system.wording import count, some


def score(  # noqa: PLR0913 - the public call; all but the first three are keywords
    model: TrainedModel | Path | str,
    images: ImageDirectory | Path | str,
    out: Path | str | None = None,
    *,
    root: Roots = (),
    params: ScoreParams | None = None,
    convert_params: ConvertParams | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> AnyTable:
    """Return the probabilities of every picture, and publish them as a table if asked.

    The model's own class list and preprocessing are used; transforms that the pictures carry are
    not. Labels are joined by name, and pictures may lack some of the model's classes, or labels.
    A model that learned from pictures with several labels each gives a ``LabelSetTable``.

    Args:
        model: A trained model, its directory, or the directory of a run.
        images: Pictures: an image directory, or a folder of them.
        out: File to write, ``.parquet`` or ``.csv``. A scored table that stands there is
            replaced; any other file is left alone.
        root: Where the pictures of an image directory lie now, when they were moved; as
            ``open_images`` takes it.
        params: Batch size, device and precision; by default ``ScoreParams()``.
        convert_params: How a plain folder is read; by default ``ConvertParams()``.
        on_event: Hears progress and notices.
        cancel: Stops between two batches; nothing is published then.

    Returns:
        One row per picture, in the order of the image directory.

    Raises:
        InvalidModelDirectoryError: The model is none, or is damaged.
        InvalidDatasetError: There are no pictures, they have a class that the model does not
            know, or one label each where the model gives several or the other way round, one of
            them is smaller than a crop of the model's preprocessing, or cannot be
            read.
        FailedToWriteOutputsError: ``out`` is another file, lies among pictures or inside something
            that was published, or cannot be written.
        NaNError: The network gave no number for a picture.
        NotScoredDatasetError: ``out`` is CSV and a label that may be one of several holds ``|``.
        RunInterruptedError: Somebody asked to stop.
    """
    control = Control.of(on_event, cancel)
    params = params or ScoreParams()
    outputs = [] if out is None else [Path(out)]
    for place in outputs:
        check_place(place)
    paths = [one for one in (model, images) if isinstance(one, Path | str)]
    refuse_misplaced(outputs, read=[expand_home(one) for one in paths])
    with model_in_use(model, params, control.on_event) as used:
        images = open_images(
            images,
            root=root,
            convert_params=convert_params,
            on_event=control.on_event,
            cancel=control.cancel,
        )
        images.require_pictures("to score")
        images.refuse_outputs(outputs)
        _require_same_kind(images, used.model, out)
        labels = known_labels(images, used.model)
        require_crops_fit(images, used.model.preprocessing.transforms, "pictures")
        probabilities_NK = _probabilities(used, images, params, control)
    table = _table(used.model, images, labels, probabilities_NK)
    if out is not None:
        write_table(table, out)
    return table


def _require_same_kind(images: ImageDirectory, model: TrainedModel, out: Path | str | None) -> None:
    if model.label_thresholds is None:
        images.require_one_label("a model that gives one class")
        return
    if out is not None and Path(out).suffix.lower() == ".csv":
        refuse_separator(model.classes, Path(out))
    if images.classes and not images.has_several_labels:
        raise InvalidDatasetError(
            f"The pictures in {images.root} have one label each, but the model gives any of "
            f"{len(model.classes):,}: what else is in them is not known.",
            hint="Score them without labels, with --labels none; or convert the source of their "
            "labels with 'imageloom data convert --labels several'.",
            reason="one-label-source",
        )


def known_labels(
    images: ImageDirectory, model: TrainedModel
) -> npt.NDArray[np.int32] | npt.NDArray[np.bool_] | None:
    """Return labels by the model's class list: int32 [N]; or of several bool [N, K] or None."""
    if model.label_thresholds is None:
        return labels_by_model(images, model.classes)
    if not images.has_several_labels:
        return None
    sets_NK = np.zeros((len(images), len(model.classes)), np.bool_)
    sets_NK[:, _positions(images, model.classes)[:-1]] = images.label_sets
    return sets_NK


def _table(
    model: TrainedModel,
    images: ImageDirectory,
    labels: npt.NDArray[np.int32] | npt.NDArray[np.bool_] | None,
    probabilities_NK: npt.NDArray[np.float32],
) -> AnyTable:
    thresholds = model.label_thresholds
    if thresholds is not None:
        return LabelSetTable(
            files=_files(images),
            labels_NK=None if labels is None else labels.astype(np.bool_),
            classes=model.classes,
            predicted_NK=given_labels(probabilities_NK, thresholds),
            probabilities_NK=probabilities_NK,
            thresholds=thresholds,
            root=images.root,
            model_digest=model.digest,
            left_out=images.left_out,
        )
    assert labels is not None, "of one label, those that are not known are -1"
    return ScoredTable(
        files=_files(images),
        labels_N=labels.astype(np.int32),
        classes=model.classes,
        predicted_N=probabilities_NK.argmax(axis=1).astype(np.int32),
        probabilities_NK=probabilities_NK,
        root=images.root,
        model_digest=model.digest,
        left_out=images.left_out,
    )


def labels_by_model(images: ImageDirectory, classes: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Return the pictures' labels as positions in a model's class list, -1 where unlabelled.

    Raises:
        InvalidDatasetError: The pictures have a class that the model does not know.
    """
    return _positions(images, classes)[images.labels]


def _positions(images: ImageDirectory, classes: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Return where each class of the pictures stands in a model's list; last, -1 for none."""
    position = {name: index for index, name in enumerate(classes)}
    foreign = [name for name in images.classes if name not in position]
    if foreign:
        raise InvalidDatasetError(
            f"The pictures have {count(len(foreign), 'class', 'classes')} unknown to the model, of "
            f"{len(images.classes):,}: {some([quoted(name) for name in foreign])}. The model knows "
            f"{len(classes):,}: "
            f"{some([quoted(name) for name in classes])}.",
            hint="Are the folders no classes? Then score all pictures without labels, with "
            "--labels none. Else rename the folders to the model's classes, or leave them out.",
            reason="unknown-class",
            details={"classes": foreign[:100]},
        )
    return np.array([position[name] for name in images.classes] + [UNKNOWN], dtype=np.int32)


def _probabilities(
    used: ModelInUse, images: ImageDirectory, params: ScoreParams, control: Control
) -> npt.NDArray[np.float32]:
    preprocessing = used.model.preprocessing
    room_NK = room_for_probabilities(len(images), len(used.model.classes))
    batch_bytes = params.batch_size * 3 * preprocessing.input_size**2
    workers, why_fewer = choose_workers(params.workers, used.compute, batch_bytes)
    if why_fewer:
        control.tell(Notice("warning", why_fewer))
    loader = make_loader(
        images,
        preprocessing.transforms,
        sequential_batches(len(images), params.batch_size),
        reading_by(workers, used.compute),
    )
    done, began = 0, time.monotonic()
    keeping = contextlib.nullcontext() if used.compute.is_gpu else kept_for_the_next()
    with _closing(loader), keeping:
        for batch, logits_BK in predict_batches(
            used.network,
            loader,
            used.compute,
            preprocessing.normalisation,
            fill_to=choose_fill(),
        ):
            positions_B = batch.positions_B.numpy()
            room_NK[positions_B] = probabilities_of(
                logits_BK,
                images,
                positions_B,
                has_several_labels=used.model.label_thresholds is not None,
            )
            done += len(positions_B)
            rate = done / max(1e-9, time.monotonic() - began)
            text = f"{rate:,.0f} images/s"
            control.tell(Progress("Scoring pictures", done, len(images), "images", text))
            control.raise_if_cancelled()
    return room_NK


def probabilities_of(
    logits_BK: torch.Tensor,
    images: ImageDirectory,
    positions_B: npt.NDArray[np.int64],
    *,
    has_several_labels: bool = False,
) -> npt.NDArray[np.float32]:
    """Return float32 [B, K] from logits, as ``probabilities_from``.

    Raises:
        NaNError: A picture's logits are not finite; the message names the first such file.
    """
    finite_B = logits_BK.isfinite().all(dim=1)
    if not bool(finite_B.all()):
        file = images.file(int(positions_B[int(finite_B.int().argmin())]))
        raise NaNError(
            f"The network gave no number for the picture {file}.",
            hint="Try --precision float32. If that does not help, the model is damaged.",
            reason="not-finite",
            details={"file": file},
        )
    probabilities_BK = probabilities_from(logits_BK, has_several_labels=has_several_labels)
    probabilities: npt.NDArray[np.float32] = probabilities_BK.numpy()
    return probabilities


def _files(images: ImageDirectory) -> pa.Array:
    paths = images.index.column("path").combine_chunks()
    try:
        return paths.cast(pa.string())
    except pa.ArrowInvalid:  # some names are not UTF-8: they are shown escaped
        return pa.array([file_name(path) for path in paths.to_pylist()], pa.string())


@contextlib.contextmanager
def _closing(loader: Iterator[object]) -> Iterator[None]:
    """End the loader's processes at once when scoring stops early."""
    try:
        yield
    finally:
        close = getattr(loader, "close", None)
        if close is not None:
            close()
