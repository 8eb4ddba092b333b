"""What a model directory says of itself, read without its weights and without any library."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import InvalidModelDirectoryError
from imageloom.files.plain_file import naming_read_failures
from imageloom.files.publish import (
    MANIFEST,
    digest_of_json,
    read_json,
    read_manifest,
    sha256_of_file,
)
from imageloom.models.record import TRAINED, TrainedContent, kind_of, trained_content

RECORD: Final = "model.json"
WEIGHTS: Final = "weights.safetensors"
CARD: Final = "README.md"
NAMES: Final = (MANIFEST, RECORD, CARD, WEIGHTS)


@dataclass(frozen=True)
class StoredFacts:
    """A trained model without its weights.

    Attributes:
        record: What ``model.json`` says; whether its network is known here was not looked at.
        digest: SHA-256 over record and weights as they were published.
        size_bytes: Of each file that was published, by its name.
    """

    record: TrainedContent
    digest: str
    size_bytes: Mapping[str, int]


def read_facts(path: Path) -> StoredFacts:
    """Return what a trained model's directory says of itself; only ``model.json`` is read.

    Raises:
        InvalidModelDirectoryError: It is no trained model's directory, or its record or manifest
            was changed.
    """
    with naming_read_failures(path, InvalidModelDirectoryError):
        where = str(path / RECORD)
        content = read_json(path / RECORD, InvalidModelDirectoryError)
        kind = kind_of(content, where)
        files = read_manifest(path, InvalidModelDirectoryError)
    if kind != TRAINED:
        raise InvalidModelDirectoryError(
            f"{path} holds an untrained model.",
            hint="Look at the model that a training made of it.",
            reason="kind",
        )
    if RECORD not in files or WEIGHTS not in files:
        missing = RECORD if RECORD not in files else WEIGHTS
        raise InvalidModelDirectoryError(
            f"{path / MANIFEST} does not name {missing}.",
            hint="The directory was changed. Restore it, or train the model again.",
            reason="damaged",
            details={"file": missing},
        )
    if sha256_of_file(path / RECORD) != files[RECORD][1]:
        raise InvalidModelDirectoryError(
            f"{where} is not what was published: its SHA-256 differs.",
            hint="The file was changed. Restore it, or train the model again.",
            reason="damaged",
            details={"file": RECORD},
        )
    return StoredFacts(
        record=trained_content(content, where),
        digest=digest_of({name: sha256 for name, (_, sha256) in files.items()}),
        size_bytes={name: size for name, (size, _) in files.items()},
    )


def digest_of(sha256_of: Mapping[str, str]) -> str:
    """Return what a model is: the digest of its record and its weights, whatever its card says.

    Args:
        sha256_of: Of the files by name; without weights where an untrained model has none.
    """
    return digest_of_json([sha256_of[RECORD], sha256_of.get(WEIGHTS)])
