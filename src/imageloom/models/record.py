"""What ``model.json`` says of a model: written from and read into typed records, without torch."""

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from imageloom import __version__
from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.architecture import Architecture, architecture_from_json
from imageloom.preprocessing import (
    Normalisation,
    Preprocessing,
    check_class_names,
    preprocessing_from_json,
)
from imageloom.system.wording import some

FORMAT_VERSION: Final = 1
SEVERAL_LABELS_VERSION: Final = 2  # with several labels per picture, which version 1 does not know
UNTRAINED: Final = "untrained_model"
TRAINED: Final = "trained_model"
MAX_CLASSES: Final = 200_000
_PACKAGES: Final = ("torch", "torchvision", "timm", "safetensors", "pillow")

Kind = Literal["untrained_model", "trained_model"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class WeightsSource(_Part):
    """Where a network's weights started.

    Attributes:
        kind: ``random``, ``published``, a ``file``, or another trained ``model``.
        name: What was published, or the file's or directory's own name without its folder.
        sha256: Of the file, or the digest of the model; empty otherwise.
    """

    kind: Literal["random", "published", "file", "model"] = "random"
    name: str = ""
    sha256: str = ""


class DataFacts(_Part):
    """What is recorded of the pictures that a model has seen; no file name, no picture.

    Attributes:
        digest: ``ImageDirectory.digest``.
        images: Number of pictures.
        images_per_class: The same by class name.
    """

    digest: str
    images: Annotated[int, Field(ge=0)]
    images_per_class: dict[str, int] = Field(default_factory=dict)


@dataclass(frozen=True)
class UntrainedRecord:
    """An untrained model without its weights."""

    architecture: Architecture
    normalisation: Normalisation
    weights: WeightsSource
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainedRecord:
    """A trained model without its weights; attributes as in ``TrainedModel``."""

    architecture: Architecture
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    parameters: Mapping[str, JsonValue]
    metrics: Mapping[str, float | None]
    data: Mapping[str, DataFacts]
    initial_weights: WeightsSource
    versions: Mapping[str, str]
    label_thresholds: tuple[float, ...] | None = None


class _UntrainedContent(_Part):
    format_version: int
    kind: Literal["untrained_model"]
    made_by: str
    architecture: dict[str, JsonValue]
    normalisation: Annotated[Normalisation, Field(strict=False)]
    weights: WeightsSource
    versions: dict[str, str]


class TrainedContent(_Part):
    """A trained model's ``model.json`` as it stands there, of the right form.

    Whether its network is one that is known here is not looked at: that may load a library. The
    attributes are those of ``TrainedRecord`` as JSON.
    """

    format_version: int
    kind: Literal["trained_model"]
    made_by: str
    architecture: dict[str, JsonValue]
    num_classes: Annotated[int, Field(ge=1, le=MAX_CLASSES)]
    classes: Annotated[list[str], Field(max_length=MAX_CLASSES)]
    input_size: int
    preprocessing: dict[str, JsonValue]
    parameters: dict[str, JsonValue]
    metrics: dict[str, float | None]
    data: dict[str, DataFacts]
    initial_weights: WeightsSource
    versions: dict[str, str]
    label_thresholds: list[Annotated[float, Field(ge=0, le=1)]] | None = None


def library_versions() -> dict[str, str]:
    """Return the versions that decide how a network is built and computed."""
    versions = {"imageloom": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def untrained_to_json(record: UntrainedRecord) -> dict[str, object]:
    """Return the content of an untrained model's ``model.json``."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": UNTRAINED,
        "made_by": f"imageloom {__version__}",
        "architecture": record.architecture.to_json(),
        "normalisation": _normalisation_to_json(record.normalisation),
        "weights": record.weights.model_dump(),
        "versions": dict(record.versions),
    }


def trained_to_json(record: TrainedRecord) -> dict[str, object]:
    """Return the content of a trained model's ``model.json``; no time stamp, so it is stable."""
    thresholds = record.label_thresholds
    several = {} if thresholds is None else {"label_thresholds": list(thresholds)}
    return {
        "format_version": SEVERAL_LABELS_VERSION if several else FORMAT_VERSION,
        "kind": TRAINED,
        "made_by": f"imageloom {__version__}",
        "architecture": record.architecture.to_json(),
        "num_classes": len(record.classes),
        "classes": list(record.classes),
        "input_size": record.preprocessing.input_size,
        "preprocessing": record.preprocessing.to_json(),
        "parameters": dict(record.parameters),
        "metrics": dict(record.metrics),
        "data": {name: facts.model_dump() for name, facts in record.data.items()},
        "initial_weights": record.initial_weights.model_dump(),
        "versions": dict(record.versions),
        **several,
    }


def kind_of(content: Mapping[str, object], where: str) -> Kind:
    """Return which of the two kinds a ``model.json`` describes.

    Raises:
        InvalidModelDirectoryError: It was made by a newer version, or is of neither kind.
    """
    version, made_by = content.get("format_version"), content.get("made_by")
    if type(version) is not int or version < 1:
        raise InvalidModelDirectoryError(
            f"{where} has the format version {version!r}, which is none; this Imageloom reads 1 "
            f"to {SEVERAL_LABELS_VERSION}.",
            hint="Was the file changed? Restore it, or make the model again.",
            reason="format-version",
        )
    if version > SEVERAL_LABELS_VERSION:
        raise InvalidModelDirectoryError(
            f"{where} has format version {version}, made by {str(made_by)[:100]!r}; this Imageloom "
            f"({__version__}) reads up to {SEVERAL_LABELS_VERSION}.",
            hint=f"Update Imageloom to the version that made it ({str(made_by)[:100]}) or newer.",
            reason="format-version",
            details={"found": version, "readable": SEVERAL_LABELS_VERSION},
        )
    kind = content.get("kind")
    if kind == UNTRAINED:
        return UNTRAINED
    if kind == TRAINED:
        return TRAINED
    raise InvalidModelDirectoryError(
        f"{where} describes a {str(kind)[:100]!r}, not a model.",
        hint="Give a directory made by 'imageloom model create' or 'imageloom train'.",
        reason="kind",
    )


def untrained_from_json(content: Mapping[str, object], where: str) -> UntrainedRecord:
    """Read an untrained model's ``model.json`` that may come from a stranger.

    Raises:
        InvalidModelDirectoryError: A key is missing, unknown or wrong.
    """
    try:
        read = _UntrainedContent.model_validate(content)
    except ValidationError as problem:
        raise _wrong_record(where, problem) from None
    return UntrainedRecord(
        architecture=architecture_from_json(read.architecture, InvalidModelDirectoryError),
        normalisation=read.normalisation,
        weights=read.weights,
        versions=read.versions,
    )


def trained_content(content: Mapping[str, object], where: str) -> TrainedContent:
    """Return a trained model's ``model.json`` that may come from a stranger, as it stands there.

    Raises:
        InvalidModelDirectoryError: A key is missing, unknown or wrong.
    """
    try:
        return TrainedContent.model_validate(content)
    except ValidationError as problem:
        raise _wrong_record(where, problem) from None


def trained_from_json(content: Mapping[str, object], where: str) -> TrainedRecord:
    """Read a trained model's ``model.json`` that may come from a stranger.

    Raises:
        InvalidModelDirectoryError: A key is missing, unknown or wrong, or two of them disagree.
    """
    read = trained_content(content, where)
    classes = check_class_names(read.classes, InvalidModelDirectoryError)
    preprocessing = preprocessing_from_json(read.preprocessing, InvalidModelDirectoryError)
    _require_equal(where, "num_classes", read.num_classes, "the class list", len(classes))
    size = preprocessing.input_size
    _require_equal(where, "input_size", read.input_size, "the preprocessing", size)
    if read.label_thresholds is not None:
        thresholds = len(read.label_thresholds)
        _require_equal(where, "label_thresholds", thresholds, "the class list", len(classes))
    return TrainedRecord(
        architecture=architecture_from_json(read.architecture, InvalidModelDirectoryError),
        classes=classes,
        preprocessing=preprocessing,
        parameters=read.parameters,
        metrics=read.metrics,
        data=read.data,
        initial_weights=read.initial_weights,
        versions=read.versions,
        label_thresholds=None if read.label_thresholds is None else tuple(read.label_thresholds),
    )


def _normalisation_to_json(normalisation: Normalisation) -> dict[str, object]:
    return {"mean": list(normalisation.mean), "std": list(normalisation.std)}


def _require_equal(where: str, name: str, said: int, other: str, found: int) -> None:
    if said != found:
        raise InvalidModelDirectoryError(
            f"{where} says {name} {said:,}, but {other} gives {found:,}.",
            hint="The file was changed. Restore it, or make the model again.",
            reason="contradiction",
            details={"parameter": name, "value": said, "expected": found},
        )


_WORDS: Final = {"missing": "lacks the key", "extra_forbidden": "has the unknown key"}


def _wrong_record(where: str, problem: ValidationError) -> InvalidModelDirectoryError:
    texts = []
    for detail in problem.errors():
        key = ".".join(str(part) for part in detail["loc"])[:200]
        words = _WORDS.get(detail["type"])
        texts.append(f"{words} {key!r}" if words else f"has a wrong {key!r} ({detail['msg']})")
    return InvalidModelDirectoryError(
        f"{where} {some(texts)}.",
        hint="The file was changed, or it is not from Imageloom. Restore it, or make the model "
        "again.",
        reason="bad-record",
        details={"keys": _keys(problem)},
    )


def _keys(problem: ValidationError) -> list[str]:
    return [".".join(str(part) for part in detail["loc"])[:200] for detail in problem.errors()[:3]]
