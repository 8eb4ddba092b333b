"""A model directory as files: written whole, and read only when every byte is as published."""

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from imageloom.errors import InvalidModelDirectoryError, ParameterError, printable
from imageloom.events import EventSink, Notice
from imageloom.files.plain_file import naming_read_failures
from imageloom.files.publish import (
    MANIFEST,
    publishing_directory,
    read_json,
    sha256_of_file,
    to_json,
    verify_directory,
)
from imageloom.models.describe_path import no_model_directory
from imageloom.models.record import (
    TRAINED,
    Kind,
    TrainedRecord,
    UntrainedRecord,
    kind_of,
    trained_from_json,
    untrained_from_json,
)
from imageloom.models.safetensors_file import (
    MAX_HEADER_BYTES,
    read_safetensors,
    safetensors_bytes,
)
from imageloom.models.state import ExpectedState, State, check_state, expected_state
from imageloom.models.stored_facts import CARD, NAMES, RECORD, WEIGHTS, digest_of
from imageloom.system.wording import some

_MAX_CARD_BYTES: Final = 10 * 1024 * 1024
_READ_ATTEMPTS: Final = 3
_LISTED: Final = 1000  # names looked at to tell which files nothing reads
_ARTICLES: Final = {"trained_model": "a trained", "untrained_model": "an untrained"}


@dataclass(frozen=True)
class StoredModel:
    """The content of a model directory after all checks.

    Attributes:
        record: What ``model.json`` says.
        state: Checked tensors; for an untrained model those of the body, or None without weights.
        digest: SHA-256 over record and weights: what the model is, whatever its card says.
    """

    record: TrainedRecord | UntrainedRecord
    state: State | None
    digest: str


def model_digest(content: Mapping[str, object], state: State | None) -> str:
    """Return the digest that the model would have as a directory."""
    sha256_of = {RECORD: hashlib.sha256(to_json(content).encode("utf-8")).hexdigest()}
    if state is not None:
        sha256_of[WEIGHTS] = hashlib.sha256(safetensors_bytes(state)).hexdigest()
    return digest_of(sha256_of)


def write_model(
    out: Path,
    content: Mapping[str, object],
    card: str,
    state: State | None,
    *,
    replace: bool = False,
) -> str:
    """Publish a model directory and return its digest.

    Raises:
        FailedToWriteOutputsError: ``out`` exists and ``replace`` is false, or it cannot be written.
    """
    with publishing_directory(out, replace=replace) as partial:
        (partial / RECORD).write_text(to_json(content), encoding="utf-8")
        (partial / CARD).write_text(card, encoding="utf-8")
        if state is not None:
            (partial / WEIGHTS).write_bytes(safetensors_bytes(state))
        return digest_of({file.name: sha256_of_file(file) for file in partial.iterdir()})


def read_kind(path: Path) -> Kind:
    """Return which kind of model lies at ``path``, without checking more than that.

    Raises:
        InvalidModelDirectoryError: No model does.
    """
    with naming_read_failures(path, InvalidModelDirectoryError):
        if not (path / RECORD).exists():
            raise no_model_directory(path)
        return kind_of(read_json(path / RECORD, InvalidModelDirectoryError), str(path / RECORD))


def read_model(path: Path, kind: Kind, on_event: EventSink) -> StoredModel:
    """Read a model directory that may come from a stranger, after checking all of it.

    Nothing in the directory is run or imported, and nothing is fetched. A directory that another
    process exchanges for a new version meanwhile is read again, so that the parts always belong
    together.

    Raises:
        InvalidModelDirectoryError: It is no model directory, is damaged, is of the other kind, or
            does not fit its own description, or a file in it is a link, a hard link too.
        EnvironmentUnsuitableError: The network needs a package that is not installed.
    """
    for _ in range(_READ_ATTEMPTS):
        before = _signature(path)
        try:
            with naming_read_failures(path, InvalidModelDirectoryError):
                stored = _read_once(path, kind)
                unknown = _unknown_files(path)
        except InvalidModelDirectoryError:
            if _signature(path) == before:
                raise
            continue
        if _signature(path) == before:
            if unknown:
                told = f"{path} also holds {unknown}, which nothing reads."
                on_event(Notice("info", printable(told)))
            return stored
    raise InvalidModelDirectoryError(
        f"{path} changes all the time.",
        hint="Another process is writing it. Try again when it has finished.",
        reason="being-written",
    )


def _read_once(path: Path, kind: Kind) -> StoredModel:
    if not (path / RECORD).exists():
        raise no_model_directory(path)
    _refuse_other_names(path)
    names, record_sha256 = _published_files(path)
    # The record is checked before the rest is hashed: it says how large the rest may be.
    content = read_json(path / RECORD, InvalidModelDirectoryError)
    if sha256_of_file(path / RECORD) != record_sha256:
        raise InvalidModelDirectoryError(
            f"{path / RECORD} is not what was published: its SHA-256 differs.",
            hint="The file was changed or damaged. Restore it, or make the model again.",
            reason="damaged",
            details={"file": RECORD},
        )
    record = _parse_record(path, content, kind)
    expected = _expected(path, record)
    _check_weights_file(path, expected, is_published=WEIGHTS in names)
    digests = verify_directory(path, InvalidModelDirectoryError)
    state = None
    if expected is not None:
        state = read_safetensors(path / WEIGHTS, InvalidModelDirectoryError)
        check_state(state, expected, path / WEIGHTS, InvalidModelDirectoryError)
    return StoredModel(record=record, state=state, digest=digest_of(digests))


def _refuse_other_names(path: Path) -> None:
    """Refuse files that have a second name, for whoever has that one could change them."""
    for name in NAMES:
        file = path / name
        links = file.lstat().st_nlink if file.exists() else 0
        if links > 1:
            raise InvalidModelDirectoryError(
                f"{file} is a hard link: the file has {links:,} names and can be changed by each.",
                hint=f"Give a copy, whose files are its own: cp -r {shlex.quote(str(path))} COPY",
                reason="hard-link",
                details={"file": name, "names": links},
            )


def _published_files(path: Path) -> tuple[frozenset[str], object]:
    """Return the names in the manifest and the SHA-256 it gives for the record, both unchecked."""
    if not (path / MANIFEST).exists():
        raise InvalidModelDirectoryError(
            f"{path} is not complete: it lacks {MANIFEST}.",
            hint="Was copying it interrupted, or the process that made it killed?",
            reason="not-complete",
            details={"file": MANIFEST},
        )
    content = read_json(path / MANIFEST, InvalidModelDirectoryError)
    files = content.get("files")
    entries = files if isinstance(files, dict) else {}
    unknown = sorted(set(entries) - {RECORD, WEIGHTS, CARD})
    entry = entries.get(RECORD)
    if unknown or not isinstance(entry, dict):
        what = f"names {some([repr(name) for name in unknown])}" if unknown else f"lacks {RECORD}"
        raise InvalidModelDirectoryError(
            f"{path / MANIFEST} {what}; a model directory holds {RECORD}, {CARD} and {WEIGHTS}.",
            hint="Is it a model of Imageloom? Restore it, or make the model again.",
            reason="bad-manifest",
        )
    return frozenset(entries), entry.get("sha256")


def _parse_record(
    path: Path, content: dict[str, object], kind: Kind
) -> TrainedRecord | UntrainedRecord:
    where = str(path / RECORD)
    found = kind_of(content, where)
    if found == kind:
        is_trained = kind == TRAINED
        return (trained_from_json if is_trained else untrained_from_json)(content, where)
    hint = (
        "Train it first with 'imageloom train', then give RUN/model."
        if kind == TRAINED
        else "To go on training it, give it to 'imageloom train --model'; to start another "
        "network from its weights, to 'imageloom model create NAME --weights'."
    )
    raise InvalidModelDirectoryError(
        f"{path} is {_ARTICLES[found]} model, but {_ARTICLES[kind]} one is needed here.",
        hint=hint,
        reason="kind",
        details={"found": found, "expected": kind},
    )


def _expected(path: Path, record: TrainedRecord | UntrainedRecord) -> ExpectedState | None:
    try:
        if isinstance(record, TrainedRecord):
            return expected_state(record.architecture, len(record.classes))
        if record.weights.kind == "random":
            return None
        return expected_state(record.architecture, 1).without_head()
    except ParameterError as problem:
        raise InvalidModelDirectoryError(
            f"{path / RECORD} describes no usable network: {problem.message}",
            hint=problem.hint,
            reason="unknown-architecture",
        ) from problem


def _check_weights_file(path: Path, expected: ExpectedState | None, *, is_published: bool) -> None:
    """Refuse a missing file, and one far larger than the network before its bytes are read."""
    if (expected is not None) != is_published:
        raise InvalidModelDirectoryError(
            f"{path} {'lacks' if expected else 'should not hold'} {WEIGHTS}.",
            hint="Is the directory complete? Restore it, or make the model again.",
            reason="missing-file",
            details={"file": WEIGHTS},
        )
    limits = {CARD: _MAX_CARD_BYTES}
    if expected is not None:
        limits[WEIGHTS] = expected.num_bytes + MAX_HEADER_BYTES
    for name, limit in limits.items():
        file = path / name
        size = file.stat().st_size if file.exists() else 0
        if size > limit:
            raise InvalidModelDirectoryError(
                f"{file} has {size:,} bytes, but this network needs at most {limit:,}.",
                hint="The file was changed. Restore it, or make the model again.",
                reason="too-big",
                details={"file": name},
            )


def _signature(path: Path) -> list[tuple[int, ...] | None]:
    """Return what changes when a file of the directory is replaced, linked or written."""
    found: list[tuple[int, ...] | None] = []
    for name in NAMES:
        try:
            facts = (path / name).lstat()
        except (OSError, ValueError):  # ValueError: a NUL in the path
            found.append(None)
        else:
            found.append(
                (facts.st_dev, facts.st_ino, facts.st_nlink, facts.st_size, facts.st_mtime_ns)
            )
    return found


def _unknown_files(path: Path) -> str:
    names = [file.name for file in islice(path.iterdir(), _LISTED)]
    unknown = [repr(name) for name in sorted(names) if name not in NAMES]
    return some(unknown) if len(names) < _LISTED else f"{', '.join(unknown[:3])} and others"
