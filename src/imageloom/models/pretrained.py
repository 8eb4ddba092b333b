"""Weights to start a training from: published ones, those of a file, or those of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from imageloom.errors import InvalidModelDirectoryError, NotInRangeValueError
from imageloom.events import Control, EventSink, Notice
from imageloom.files.home import expand_home
from imageloom.files.plain_file import naming_read_failures
from imageloom.files.publish import sha256_of_file
from imageloom.models.architecture import Architecture
from imageloom.models.family import FAMILIES
from imageloom.models.params import PUBLISHED_WEIGHTS, RANDOM_WEIGHTS
from imageloom.models.record import TRAINED, TrainedRecord, WeightsSource
from imageloom.models.state import ExpectedState, State, check_state, expected_state
from imageloom.models.stored_model import read_model
from imageloom.models.tensor_kinds import refuse_unusual_tensors
from imageloom.models.weights_choice import COUNTER, choose_weights
from imageloom.models.weights_file import read_weights_file
from imageloom.preprocessing import Normalisation
from imageloom.system.wording import count

# Not the eight bits of quantized networks, which mean nothing without their scale.
_CONVERTED: Final = (torch.float16, torch.bfloat16, torch.float64)


@dataclass(frozen=True, eq=False)
class Pretrained:
    """Weights that fit a network, without its head.

    Attributes:
        body: Tensors by name, float32 on the CPU; None where the network starts at random.
        normalisation: What these weights expect of their input.
        source: Where they come from.
    """

    body: State | None
    normalisation: Normalisation
    source: WeightsSource


def load_pretrained(architecture: Architecture, weights: str, *, control: Control) -> Pretrained:
    """Return the weights that ``ModelParams.weights`` asks for, without the head.

    A file may be what another tool saved: the weights are looked for under any key and behind any
    prefix, and what was taken and what was left out is told. It says nothing about its
    normalisation: it gets the one of the network's published weights.

    Args:
        architecture: The network they must fit.
        weights: ``none``, ``imagenet``, or the path of a .safetensors or .pth file or of a
            trained model directory.
        control: Told the progress of a download, what was taken from a file, what was left out and
            what was converted; stops the download.

    Raises:
        NotInRangeValueError: There are no published weights for this network, or they do not fit
            its small stem.
        CouldNotOpenFileError: The path does not exist.
        InvalidModelDirectoryError: The file or directory is damaged, unsafe or of another network.
        FailedToDownloadFilesError: The published weights are not here and cannot be fetched.
    """
    family = FAMILIES.get(architecture.family)
    if weights == RANDOM_WEIGHTS:
        return Pretrained(None, family.normalisation, WeightsSource())
    if weights == PUBLISHED_WEIGHTS:
        return _published(architecture, control)
    path = expand_home(weights).absolute()
    with naming_read_failures(path, InvalidModelDirectoryError):
        if path.is_dir():
            return _of_model(architecture, path, control.on_event)
        return _of_file(architecture, path, control.on_event)


def _published(architecture: Architecture, control: Control) -> Pretrained:
    if architecture.options.get("stem") == "small":
        raise NotInRangeValueError(
            "weights are 'imagenet' and stem is 'small', but published weights have the standard "
            "first layers, 7x7 instead of 3x3.",
            hint="Use --stem standard with pictures enlarged to 224 px (--image-size 224), or "
            "--weights none.",
            reason="stem",
            details={"parameter": "stem", "value": "small"},
        )
    published = FAMILIES.get(architecture.family).published(architecture.variant)
    state = published.load(control)
    body = _fitting_body(architecture, state, published.name, control.on_event)
    source = WeightsSource(kind="published", name=published.name)
    return Pretrained(body, published.normalisation, source)


def _of_model(architecture: Architecture, path: Path, on_event: EventSink) -> Pretrained:
    stored = read_model(path, TRAINED, on_event)
    assert isinstance(stored.record, TrainedRecord)
    assert stored.state is not None
    if stored.record.architecture.variant != architecture.variant:
        raise InvalidModelDirectoryError(
            f"{path} is a {stored.record.architecture.title}, so its weights do not fit "
            f"{architecture.title}.",
            hint=f"Ask for {stored.record.architecture.variant}, or give other --weights; to go on "
            f"training this very model: --model {path}",
            reason="weights-do-not-fit",
        )
    body = _fitting_body(architecture, stored.state, path, on_event)
    source = WeightsSource(kind="model", name=path.name, sha256=stored.digest)
    return Pretrained(body, stored.record.preprocessing.normalisation, source)


def _of_file(architecture: Architecture, path: Path, on_event: EventSink) -> Pretrained:
    whole = expected_state(architecture, 1)
    current_key = FAMILIES.get(architecture.family).current_key
    chosen = choose_weights(read_weights_file(path), whole, current_key, path)
    where = f"{path}, {chosen.place.title}," if chosen.place.title else path
    refuse_unusual_tensors({**chosen.body, **chosen.head}, where)
    body = _fitting_body(architecture, chosen.body, where, on_event)
    on_event(Notice("info", f"{path}: {chosen.summary(whole.without_head().tensors)}"))
    source = WeightsSource(kind="file", name=path.name, sha256=sha256_of_file(path))
    return Pretrained(body, _usual_normalisation(architecture), source)


def _usual_normalisation(architecture: Architecture) -> Normalisation:
    family = FAMILIES.get(architecture.family)
    try:
        return family.published(architecture.variant).normalisation
    except NotInRangeValueError:  # nothing is published for it
        return family.normalisation


def _fitting_body(
    architecture: Architecture,
    found: Mapping[str, torch.Tensor],
    where: Path | str,
    on_event: EventSink,
) -> State:
    """Return the tensors of the body with today's names and types, in memory of their own.

    Raises:
        InvalidModelDirectoryError: They do not fit.
    """
    current_key = FAMILIES.get(architecture.family).current_key
    whole = expected_state(architecture, 1)
    expected = whole.without_head()
    named = {current_key(name): tensor for name, tensor in found.items()}
    body = {name: tensor for name, tensor in named.items() if name not in whole.head}
    _add_counters(body, expected)
    converted = _convert_floats(body, expected)
    check_state(body, expected, where, InvalidModelDirectoryError)
    if converted:
        told = count(converted, "tensor was", "tensors were")
        on_event(Notice("info", f"{where}: {told} converted to float32."))
    # Copied, because a torch file is mapped: a later write to it would change the network.
    return {name: tensor.clone() for name, tensor in body.items()}


def _add_counters(body: State, expected: ExpectedState) -> None:
    # Files from before torch 0.4.1 lack BatchNorm's counter; torch itself starts it at 0 then.
    for name, tensor in expected.tensors.items():
        if name.endswith(COUNTER):
            body.setdefault(name, tensor.new_zeros((), device="cpu"))


def _convert_floats(body: State, expected: ExpectedState) -> int:
    """Convert half and double precision in place; return how many tensors were not float32."""
    converted = 0
    for name, tensor in body.items():
        wanted = expected.tensors.get(name)
        if wanted is None or wanted.shape != tensor.shape or wanted.dtype == tensor.dtype:
            continue  # names and shapes are checked next
        if tensor.dtype in _CONVERTED and wanted.dtype == torch.float32:
            body[name] = tensor.to(wanted.dtype)
            converted += 1
    return converted
