"""What a network sees of a picture, for a server that must not load torch: asked of a process.

Only the standard library and light modules of ours are imported here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from imageloom.data.previews.values import answer_as
from imageloom.system.helper_pool import HelperPool
from imageloom.system.helper_process import LEAN, HelperKind

SEEN_TIMEOUT_S: Final = 20.0
_SEEN: Final = HelperKind(
    module="imageloom.training.seen_worker",
    name="preview process",
    reason="preview",
    slow_hint="Is the disk or network share of the pictures there? A very large picture takes its "
    "time.",
    lost_hint="The picture may be hostile, or memory short. Others can still be shown.",
    environment=LEAN,
)

Purpose = Literal["training", "inference"]


@dataclass(frozen=True)
class NetworkInput:
    """A picture after the operations of a transform list.

    Attributes:
        png: It, as a PNG file in base64.
        width: Pixels.
        height: Pixels.
        operations: The operations in order, as JSON.
        is_random: Whether one of them draws numbers, so that another seed shows another picture.
        is_default: Whether the list is what a training takes for pictures that carry none.
    """

    png: str
    width: int
    height: int
    operations: list[dict[str, object]]
    is_random: bool
    is_default: bool


class SeenHelper:
    """Pictures as networks see them, by a process that loads torch.

    Any thread may call; a call waits for its turn. A process that dies or takes too long costs one
    call: the next starts another.

    Args:
        roots: Absolute folders from which pictures may be shown; empty for all.

    Attributes:
        pool: The process.
    """

    def __init__(self, *, roots: Sequence[Path] = ()) -> None:
        setup = {"roots": [str(root) for root in roots]}
        self.pool = HelperPool(_SEEN, setup)

    def see(
        self,
        path: Path,
        row: int,
        *,
        seed: int,
        purpose: Purpose = "training",
        training: Mapping[str, object] | None = None,
        timeout_s: float = SEEN_TIMEOUT_S,
    ) -> NetworkInput:
        """Return a picture as a network sees it.

        Args:
            path: Of the image directory, absolute.
            row: The picture's position in it.
            seed: Start of the random numbers, 0 to 2**63 - 1.
            purpose: ``inference`` for the form without random operations.
            training: Parameters of a training, which say what is applied to pictures that carry no
                transforms; by default its defaults.
            timeout_s: Longest time, the wait for the process included, its start not.

        Raises:
            CouldNotOpenFileError: There is no such row, or it may not be shown.
            InvalidDatasetError: The file is not any more what was converted, cannot be decoded, or
                is too small for a crop.
            TimeoutOccuredError: It took too long.
            WorkerLostError: The process ended at it.
        """
        what = {
            "path": str(path),
            "row": row,
            "seed": seed,
            "purpose": purpose,
            "training": None if training is None else dict(training),
        }
        return answer_as(NetworkInput, self.pool.ask("see", what, timeout_s))

    def close(self) -> None:
        """End the process."""
        self.pool.close()
