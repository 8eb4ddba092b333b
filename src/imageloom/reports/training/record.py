"""The record of a run as the report reads it: every value may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RecordedRun:
    """The content of ``run.json``.

    A report is also made of runs that stopped early or that an older Imageloom made, so a value
    that is missing or of another kind reads as empty.
    """

    content: Mapping[str, object]

    def get(self, *path: str) -> object:
        """Return the value below nested keys, or None."""
        value: object = self.content
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def text(self, *path: str) -> str:
        """Return a value as text, or "" when it is missing."""
        value = self.get(*path)
        return "" if value is None else str(value)

    def number(self, *path: str) -> float:
        """Return a number, or 0 when it is missing."""
        value = self.get(*path)
        return float(value) if isinstance(value, int | float) else 0.0

    def mapping(self, *path: str) -> Mapping[str, object]:
        """Return an object, or an empty one when it is missing."""
        value = self.get(*path)
        return value if isinstance(value, Mapping) else {}

    @property
    def notices(self) -> tuple[str, ...]:
        """What was noted of the pictures before the training began."""
        found = self.get("notices")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def best_epoch(self) -> int:
        """Epoch whose network was kept, from 1; 0 when unknown."""
        return int(self.number("best_epoch"))

    @property
    def epochs_done(self) -> int:
        """Epochs that were trained."""
        return int(self.number("epochs_done"))

    @property
    def epochs_asked(self) -> int:
        """Epochs that were asked for."""
        return int(self.number("asked", "epochs"))

    @property
    def training_images(self) -> int:
        """Pictures that were learnt from."""
        return int(self.number("data", "training", "images"))

    @property
    def left_out(self) -> int:
        """Files that were left out of training and validation pictures.

        Both parts of a split know what was left out of the whole, which counts once.
        """
        parts = [self.mapping("data", name) for name in ("training", "validation")]
        found = [(part.get("root"), part.get("left_out_reasons")) for part in parts]
        numbers = [
            int(self.number("data", name, "left_out")) for name in ("training", "validation")
        ]
        return numbers[0] if found[0] == found[1] else sum(numbers)

    @property
    def network(self) -> str:
        """Name of the network, such as ``resnet18``."""
        return self.text("model", "architecture", "variant")

    @property
    def is_from_scratch(self) -> bool:
        """Whether the network began with random weights."""
        return self.text("model", "initial_weights", "kind") == "random"
