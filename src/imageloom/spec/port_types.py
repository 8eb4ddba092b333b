"""What can flow along an edge. An edge joins two ports of the same type."""

from dataclasses import dataclass
from typing import Final

from imageloom.registry import Registry


@dataclass(frozen=True)
class PortType:
    """A kind of directory that components hand to each other.

    Attributes:
        name: Name in JSON and in messages: ``ImageDirectory``.
        title: What a person reads.
        help: One sentence on what such a directory holds.
        colour: Of its ports and edges in the page, ``#rrggbb``.
    """

    name: str
    title: str
    help: str
    colour: str


PORT_TYPES: Registry[PortType] = Registry("port type")


def _declare(name: str, title: str, help: str, colour: str) -> str:
    PORT_TYPES.declare(name, PortType(name, title, help, colour))
    return name


ANY_DIRECTORY: Final = _declare(
    "AnyDirectory", "Folder or file", "Anything a person brings: a folder or one file.", "#7a7a7a"
)
IMAGE_DIRECTORY: Final = _declare(
    "ImageDirectory",
    "Image directory",
    "Checked pictures, their labels, one class list, and the transforms they carry.",
    "#2f6fb5",
)
TRANSFORMATION_DIRECTORY: Final = _declare(
    "TransformationDirectory",
    "Transformation directory",
    "A list of operations on pictures, as data.",
    "#8a5fb0",
)
UNTRAINED_MODEL_DIRECTORY: Final = _declare(
    "UntrainedModelDirectory",
    "Untrained model directory",
    "A network, its options, and the weights it starts from.",
    "#c07f1e",
)
MODEL_DIRECTORY: Final = _declare(
    "ModelDirectory",
    "Model directory",
    "A trained network with its class list and preprocessing.",
    "#b3472d",
)
SCORED_TABLE: Final = _declare(
    "ScoredTable",
    "Scored table",
    "One row per picture: file, label, scored label and probabilities.",
    "#2b8a63",
)
EVALUATION_RESULTS: Final = _declare(
    "EvaluationResults", "Evaluation results", "Figures and a report for people.", "#4d7c0f"
)
EXPORTED_MODEL: Final = _declare(
    "ExportedModelDirectory",
    "Exported model",
    "A trained model in a format that other programs run, with how equal it is.",
    "#7a4b2a",
)
