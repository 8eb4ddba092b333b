"""A request of Open Inference v2: JSON, with the tensors in it or in binary behind it.

Source:
    The KServe "Open Inference Protocol" v2, and Triton's "Binary Tensor Data Extension".

Legend: N pictures, H height, W width.
"""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, cast

import numpy as np
import numpy.typing as npt

from imageloom.errors import InvalidRequestError
from imageloom.serving.byte_tensors import unpack
from imageloom.serving.preparing import Sent, SentFile, SentPixels

FILES: Final = "image"
PIXELS: Final = "pixels"
PROBABILITIES: Final = "probabilities"
LABELS: Final = "label"
OUTPUTS: Final = (PROBABILITIES, LABELS)

MOST_PICTURES: Final = 10_000
"""In a request, before it is asked whether there is room for them."""
MOST_JSON_BYTES: Final = 8 * 1024**2
"""While JSON is read nobody else is answered: so much takes a fraction of a second."""

Json = Mapping[str, object]


@dataclass(frozen=True)
class WantedOutput:
    """An output that is asked for.

    Attributes:
        name: One of ``OUTPUTS``.
        is_binary: Whether it comes behind the JSON instead of in it.
    """

    name: str
    is_binary: bool


@dataclass(frozen=True)
class InferRequest:
    """A request.

    Attributes:
        id: What the answer repeats; empty for nothing.
        pictures: In their order.
        outputs: What is asked for.
    """

    id: str
    pictures: tuple[Sent, ...]
    outputs: tuple[WantedOutput, ...]


def read_infer_request(body: bytes, header_length: str | None) -> InferRequest:
    """Return what a body asks.

    Args:
        body: The whole body.
        header_length: Of the JSON at its beginning, as ``Inference-Header-Content-Length`` says;
            None where the body is JSON alone.

    Raises:
        InvalidRequestError: It is none, or asks for what is not there.
    """
    length = len(body)
    if header_length is not None:
        if not header_length.isascii() or not header_length.isdecimal() or len(header_length) > 12:
            _refuse(f"Inference-Header-Content-Length is {header_length[:40]!r}")
        length = int(header_length)
    if length > len(body):
        _refuse(f"The JSON should have {length:,} bytes, but the body has {len(body):,}")
    if length > MOST_JSON_BYTES:
        raise InvalidRequestError(
            f"The JSON has {length:,} bytes, but at most {MOST_JSON_BYTES:,} are taken.",
            hint="Send tensors in binary (tritonclient: binary_data=True).",
            reason="too-large",
        )
    content = _object(_parsed(body[:length]), "The request")
    (tensor,) = [_object(one, "An input") for one in _list(content, "inputs", exactly=1)]
    pictures = _pictures(tensor, memoryview(body)[length:])
    return InferRequest(
        id=_text(content, "id"), pictures=tuple(pictures), outputs=_outputs(content)
    )


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:  # no UTF-8 is a ValueError, too
        raise InvalidRequestError(
            f"The request is no JSON: {str(problem)[:200]}.", reason="malformed"
        ) from problem


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _pictures(tensor: Json, behind: memoryview) -> list[Sent]:
    name, kind, shape = _text(tensor, "name"), _text(tensor, "datatype"), _shape(tensor)
    parameters = _object(tensor.get("parameters") or {}, "parameters")
    if any(one.startswith("shared_memory") for one in parameters):
        _refuse("Shared memory is not supported", "Send the tensor in the request.")
    raw = _binary(parameters, behind)
    if (name, kind) == (FILES, "BYTES"):
        files = unpack(raw, most=MOST_PICTURES) if raw is not None else _texts(tensor)
        if len(shape) not in (1, 2) or math.prod(shape) != len(files):
            _refuse(f"{name} has the shape {list(shape)}, but {len(files)} elements came")
        return [SentFile(file, f"picture {place}") for place, file in enumerate(files)]
    if (name, kind) == (PIXELS, "UINT8"):
        pixels_NHW3 = _pixels(tensor, raw, shape)
        return [SentPixels(one, f"picture {place}") for place, one in enumerate(pixels_NHW3)]
    return _refuse(
        f"The input {name[:80]!r} of type {kind[:20]!r} is not known",
        f"There are {FILES!r} (BYTES, picture files) and {PIXELS!r} (UINT8 [N, H, W, 3], RGB).",
    )


def _binary(parameters: Json, behind: memoryview) -> memoryview | None:
    """Return what stands behind the JSON for the only input, or None where its data is in it."""
    if "binary_data_size" not in parameters:
        if len(behind):
            _refuse(f"{len(behind):,} bytes stand behind the JSON, of which no input speaks")
        return None
    size = parameters["binary_data_size"]
    if size != len(behind) or isinstance(size, bool):
        _refuse(f"binary_data_size is {str(size)[:40]}, but {len(behind):,} bytes came")
    return behind


def _texts(tensor: Json) -> list[bytes]:
    """Return the files that stand in the JSON: in base64, for JSON holds no bytes."""
    files = []
    for element in _list(tensor, "data"):
        try:
            files.append(base64.b64decode(cast(str, element), validate=True))
        except (binascii.Error, ValueError, TypeError, AttributeError):
            _refuse(
                "An element of a BYTES tensor in JSON is no base64",
                "Send the files in base64, or in binary (tritonclient: binary_data=True).",
            )
    return files


def _pixels(tensor: Json, raw: memoryview | None, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    if len(shape) != 4 or shape[3] != 3 or shape[0] > MOST_PICTURES:
        _refuse(
            f"{PIXELS} has the shape {list(shape)}, but must have [N, H, W, 3], with N up to "
            f"{MOST_PICTURES:,}"
        )
    if raw is not None:
        flat = np.frombuffer(raw, dtype=np.uint8)
    else:
        try:
            values = np.array(_list(tensor, "data"))
        except ValueError:  # rows of different lengths
            values = np.array(None)
        if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > 255:
            _refuse(f"{PIXELS} must hold whole numbers of 0 to 255")
        flat = values.astype(np.uint8).reshape(-1)
    if flat.size != math.prod(shape):
        _refuse(f"{PIXELS} has the shape {list(shape)}, but {flat.size:,} values came")
    return flat.reshape(shape)


def _shape(tensor: Json) -> tuple[int, ...]:
    shape = _list(tensor, "shape")
    if len(shape) > 4 or not all(type(one) is int and 0 < one < 2**31 for one in shape):
        _refuse(f"{str(shape)[:80]} is no shape: it has up to four whole numbers above 0")
    return cast(tuple[int, ...], tuple(shape))


def _outputs(content: Json) -> tuple[WantedOutput, ...]:
    parameters = _object(content.get("parameters") or {}, "parameters")
    by_default = parameters.get("binary_data_output") is True
    asked = content.get("outputs")
    if not asked:
        return tuple(WantedOutput(name, by_default) for name in OUTPUTS)
    found = []
    for one in _list(content, "outputs"):
        output = _object(one, "An output")
        name, more = _text(output, "name"), _object(output.get("parameters") or {}, "parameters")
        if name not in OUTPUTS:
            _refuse(f"There is no output {name[:80]!r}", f"There are {', '.join(OUTPUTS)}.")
        if "classification" in more:
            _refuse("The classification extension is not supported", f"Ask for {LABELS!r}.")
        found.append(WantedOutput(name, more.get("binary_data", by_default) is True))
    return tuple(found)


def _object(value: object, what: str) -> Json:
    if not isinstance(value, dict):
        _refuse(f"{what} is no JSON object")
    return cast(Json, value)


def _list(content: Json, name: str, *, exactly: int | None = None) -> list[object]:
    value = content.get(name)
    if not isinstance(value, list) or not value:
        _refuse(f"{name!r} is no list, or empty")
    elements = cast(list[object], value)
    if exactly is not None and len(elements) != exactly:
        _refuse(f"{name!r} has {len(elements)} elements, but must have {exactly}")
    return elements


def _text(content: Json, name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str):
        _refuse(f"{name!r} is no text")
    return value


def _refuse(what: str, hint: str = "") -> NoReturn:
    raise InvalidRequestError(f"{what}.", hint=hint, reason="malformed")
