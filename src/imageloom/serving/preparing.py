"""Pictures of strangers made ready for the network, by processes that may crash, hang or run full.

Legend: C channels, H height, W width.
"""

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from imageloom.errors import WorkerLostError
from imageloom.preprocessing import transforms_to_json
from imageloom.serving.served_model import ServedModel
from imageloom.system.helper_pool import HelperPool
from imageloom.system.helper_process import LEAN, HelperKind
from imageloom.system.machine import available_cores

PREPARE_TIMEOUT_S: Final = 10.0
"""As long as a conversion gives one file."""

PREPARING: Final = HelperKind(
    module="imageloom.serving.prepare_worker",
    name="decoding process",
    reason="decoder",
    slow_hint="The picture may be hostile, or the machine too busy. Others are still answered.",
    lost_hint="The picture may be hostile, or memory short. Others are still answered.",
    environment=LEAN,
)
_MOST_DECODERS: Final = 16


@dataclass(frozen=True)
class SentFile:
    """A file that a stranger sent.

    Attributes:
        content: Its bytes.
        name: As messages call it.
    """

    content: bytes
    name: str


@dataclass(frozen=True)
class SentPixels:
    """A picture that was decoded elsewhere.

    Attributes:
        pixels_HWC: uint8 RGB, 0 to 255.
        name: As messages call it.
    """

    pixels_HWC: npt.NDArray[np.uint8]
    name: str


Sent = SentFile | SentPixels


def choose_decoders(asked: int) -> int:
    """Return how many processes decode; -1 means one for two cores, the network has the rest."""
    return asked if asked > 0 else max(1, min(_MOST_DECODERS, available_cores() // 2))


class Preparer:
    """Decoding processes of one model.

    Args:
        model: Whose transforms are applied.
        decoders: How many processes.
        max_pixels: Width times height above which a picture is refused.
        on_done: Told the seconds that each picture took, the wait for a process not among them.
        kind: What is started; tests take another.
    """

    def __init__(
        self,
        model: ServedModel,
        *,
        decoders: int,
        max_pixels: int,
        on_done: Callable[[float], None],
        kind: HelperKind = PREPARING,
    ) -> None:
        setup = {"transforms": transforms_to_json(model.transforms), "max_pixels": max_pixels}
        self.pool = HelperPool(kind, setup, processes=decoders)
        self._size = model.input_size
        self._decoders = decoders
        self._on_done = on_done
        # As many threads as processes: what waits for a process waits for a thread, and the time
        # that a picture has for itself begins behind that.
        self._threads = ThreadPoolExecutor(decoders, "imageloom-decoders")

    def start(self) -> None:
        """Start all processes now, so that the first requests need not wait for them.

        Raises:
            ImageloomError: One could not start.
        """
        grey = SentPixels(
            np.full((self._size, self._size, 3), 127, dtype=np.uint8), "a grey picture"
        )
        for done in [self._threads.submit(self._prepare, grey) for _ in range(self._decoders)]:
            done.result()

    async def prepare(self, sent: Sent) -> torch.Tensor:
        """Return a picture as the network takes it: uint8 [H, W, C].

        Raises:
            InvalidDatasetError: It cannot be decoded, has too many pixels, or is smaller than a
                crop.
            TimeoutOccuredError: It took too long.
            WorkerLostError: The process ended at it, twice.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._prepare, sent)

    def close(self) -> None:
        """End all processes."""
        self.pool.close()
        self._threads.shutdown(cancel_futures=True)

    def _prepare(self, sent: Sent) -> torch.Tensor:
        what = _request(sent)
        try:
            answer = self.pool.ask(*what, PREPARE_TIMEOUT_S)
        except WorkerLostError:  # perhaps not the picture's fault: somebody may have killed it
            answer = self.pool.ask(*what, PREPARE_TIMEOUT_S)
        self._on_done(answer["seconds"])
        pixels = bytearray(base64.b64decode(answer["pixels"]))
        return torch.frombuffer(pixels, dtype=torch.uint8).view(self._size, self._size, 3)


def _request(sent: Sent) -> tuple[str, dict[str, Any]]:
    if isinstance(sent, SentFile):
        return "file", {"content": _text(sent.content), "name": sent.name}
    height, width, _ = sent.pixels_HWC.shape
    pixels = _text(sent.pixels_HWC.tobytes())
    return "pixels", {"pixels": pixels, "height": height, "width": width, "name": sent.name}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
