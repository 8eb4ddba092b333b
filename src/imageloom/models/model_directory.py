"""Make, save and load untrained and trained models as directories.

A model directory holds ``model.json`` (what the model is), ``weights.safetensors``, ``README.md``
(the same for a person) and ``MANIFEST.json`` (the SHA-256 of each). There is no code in it, and
loading runs none.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue
from torch import nn

from imageloom.errors import NaNError
from imageloom.events import CancelToken, Control, EventSink, ignore_events
from imageloom.files.home import expand_home
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import refuse_existing
from imageloom.models.architecture import Architecture, resolve_architecture
from imageloom.models.model_card import trained_card, untrained_card
from imageloom.models.params import ModelParams
from imageloom.models.pretrained import load_pretrained
from imageloom.models.record import (
    TRAINED,
    UNTRAINED,
    DataFacts,
    TrainedRecord,
    UntrainedRecord,
    WeightsSource,
    library_versions,
    trained_to_json,
    untrained_to_json,
)
from imageloom.models.state import State, network_from_state, not_finite
from imageloom.models.stored_model import model_digest, read_model, write_model
from imageloom.preprocessing import Normalisation, Preprocessing
from imageloom.system.wording import some


@dataclass(frozen=True, eq=False)
class UntrainedModel:
    """A network before training: what it is and what its weights start from.

    Attributes:
        architecture: The network; the classes decide its head when training starts.
        normalisation: What the network expects of its input; part of the trained model's
            preprocessing.
        weights: Tensors by name, float32 on the CPU, or None for random ones. They hold a head
            only where ``head_classes`` names its outputs.
        source: Where the weights come from.
        head_classes: Classes of the head among the weights, in order; empty without one.
        digest: SHA-256 over the record and the weights.
    """

    architecture: Architecture
    normalisation: Normalisation
    weights: State | None
    source: WeightsSource
    head_classes: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained network and all that is needed to use it and to know how it came about.

    Attributes:
        architecture: The network.
        classes: Names of its outputs, in order.
        preprocessing: How its input is made from a decoded picture.
        network: Evaluation mode, float32, on the CPU, when it comes from ``load_trained``.
        parameters: What the training was asked for, as JSON values.
        metrics: Figures of the published epoch by name; None where one is not finite.
        data: What it was trained and validated on, by role: ``training``, ``validation``.
        initial_weights: What the training started from.
        versions: Of the libraries at that time.
        digest: SHA-256 over the record and the weights; empty before it is saved.
        label_thresholds: Of a model that says of each class whether a picture has it, the
            probability from which it does, in the order of the classes; None where a picture has
            one class.
    """

    architecture: Architecture
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    network: nn.Module
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    data: Mapping[str, DataFacts] = field(default_factory=dict)
    initial_weights: WeightsSource = field(default_factory=WeightsSource)
    versions: Mapping[str, str] = field(default_factory=library_versions)
    digest: str = ""
    label_thresholds: tuple[float, ...] | None = None


def make_untrained(
    name: str, params: ModelParams | None = None, *, control: Control
) -> UntrainedModel:
    """Return an untrained model in memory.

    Args:
        name: A network: ``resnet18``, ``timm/convnext_tiny``.
        params: Its weights and options; by default random weights and no options.
        control: Told the progress of a download; stops it.

    Raises:
        ParameterError: The name is unknown, or an option does not fit the network.
        CouldNotOpenFileError: The file of weights does not exist.
        InvalidModelDirectoryError: The weights do not fit the network or are damaged.
        FailedToDownloadFilesError: Published weights are not here and cannot be fetched.
        EnvironmentUnsuitableError: The network needs a package that is not installed.
    """
    params = params or ModelParams()
    architecture = resolve_architecture(name, params)
    start = load_pretrained(architecture, params.weights, control=control)
    model = UntrainedModel(
        architecture=architecture,
        normalisation=start.normalisation,
        weights=start.body,
        source=start.source,
    )
    digest = model_digest(untrained_to_json(_record_of(model)), model.weights)
    return dataclasses.replace(model, digest=digest)


def create_model(
    name: str,
    out: Path,
    params: ModelParams | None = None,
    *,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> UntrainedModel:
    """Publish an untrained model directory at ``out`` and return what is in it.

    Raises:
        FailedToWriteOutputsError: ``out`` exists, lies among pictures or inside something that was
            published, or cannot be written.
        ImageloomError: As ``make_untrained``.
    """
    control = Control.of(on_event, cancel)
    out = _absolute(out)
    refuse_existing(out)  # before a download of hundreds of megabytes
    refuse_misplaced([out])
    model = make_untrained(name, params, control=control)
    record = _record_of(model)
    write_model(out, untrained_to_json(record), untrained_card(record), model.weights)
    return model


def load_untrained(path: Path, *, on_event: EventSink = ignore_events) -> UntrainedModel:
    """Read an untrained model directory that may come from a stranger.

    Raises:
        InvalidModelDirectoryError: It is none, is damaged, or holds a trained model.
        EnvironmentUnsuitableError: The network needs a package that is not installed.
    """
    stored = read_model(_absolute(path), UNTRAINED, on_event)
    assert isinstance(stored.record, UntrainedRecord)
    return UntrainedModel(
        architecture=stored.record.architecture,
        normalisation=stored.record.normalisation,
        weights=stored.state,
        source=stored.record.weights,
        digest=stored.digest,
    )


def save_trained(out: Path, model: TrainedModel, *, replace: bool = False) -> TrainedModel:
    """Publish a trained model directory at ``out`` and return the model with its digest.

    Equal contents give equal bytes in ``weights.safetensors`` and ``model.json``.

    Args:
        out: Where it shall appear.
        model: ``network`` may be on any device and in any mode; it is not changed.
        replace: Exchange an older directory for the new one in one step.

    Raises:
        NaNError: A weight is not finite; nothing is published.
        FailedToWriteOutputsError: ``out`` exists and may not be replaced, or cannot be written.
    """
    state = model.network.state_dict()
    broken = not_finite(state)
    if broken:
        raise NaNError(
            f"The model is not saved, for weights are not finite: {some(broken)}.",
            hint="Lower the learning rate and train again from the last checkpoint.",
            reason="weights",
            details={"weights": broken[:3]},
        )
    metrics = {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in model.metrics.items()
    }
    record = TrainedRecord(
        architecture=model.architecture,
        classes=model.classes,
        preprocessing=model.preprocessing,
        parameters=model.parameters,
        metrics=metrics,
        data=model.data,
        initial_weights=model.initial_weights,
        versions=model.versions,
        label_thresholds=model.label_thresholds,
    )
    content = trained_to_json(record)
    digest = write_model(_absolute(out), content, trained_card(record), state, replace=replace)
    return dataclasses.replace(model, metrics=metrics, digest=digest)


def load_trained(path: Path, *, on_event: EventSink = ignore_events) -> TrainedModel:
    """Read a trained model directory that may come from a stranger; needs no network.

    Torch's random generator is left as it was.

    Raises:
        InvalidModelDirectoryError: It is none, is damaged, or holds an untrained model.
        EnvironmentUnsuitableError: The network needs a package that is not installed.
    """
    stored = read_model(_absolute(path), TRAINED, on_event)
    assert isinstance(stored.record, TrainedRecord)
    assert stored.state is not None
    record = stored.record
    return TrainedModel(
        architecture=record.architecture,
        classes=record.classes,
        preprocessing=record.preprocessing,
        network=network_from_state(record.architecture, len(record.classes), stored.state),
        parameters=record.parameters,
        metrics=record.metrics,
        data=record.data,
        initial_weights=record.initial_weights,
        versions=record.versions,
        digest=stored.digest,
        label_thresholds=record.label_thresholds,
    )


def as_untrained(model: TrainedModel) -> UntrainedModel:
    """Return a trained model as the start of another training, its head included."""
    state = model.network.state_dict()
    return UntrainedModel(
        architecture=model.architecture,
        normalisation=model.preprocessing.normalisation,
        weights={name: tensor.cpu().clone() for name, tensor in state.items()},
        source=WeightsSource(kind="model", name=model.architecture.variant, sha256=model.digest),
        head_classes=model.classes,
        digest=model.digest,
    )


def _record_of(model: UntrainedModel) -> UntrainedRecord:
    return UntrainedRecord(
        architecture=model.architecture,
        normalisation=model.normalisation,
        weights=model.source,
        versions=library_versions(),
    )


def _absolute(path: Path) -> Path:
    return expand_home(path).absolute()
