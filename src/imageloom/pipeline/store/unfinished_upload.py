"""Uploads that arrive in parts: what has arrived outlives a cut, and appears under its name whole.

Each has a folder of its own in the workspace, which no pipeline can name:

=============  ===================================================================================
upload.json    what was announced; an upload is there once this file is
content        the bytes; those behind the parts that count are of a part that was cut
parts          the SHA-256 of each part that arrived whole, a line each, in order
finished.json  what became of it; written before its content leaves, so that asking twice is safe
lock           held for moments by whoever changes one of the others
=============  ===================================================================================
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import (
    CouldNotOpenFileError,
    InvalidRequestError,
    StoreCorruptError,
    write_failure,
)
from imageloom.files.locks import locked
from imageloom.files.publish import read_json, sync_to_disk, write_json
from imageloom.pipeline.ownership import Ownership, write_ownership
from imageloom.pipeline.store.upload_limits import KEPT_DAYS
from imageloom.pipeline.workspace import Workspace

ARCHIVE_SUFFIXES: Final = (".tar.bz2", ".tar.gz", ".tbz2", ".tgz", ".tar", ".zip")
_LINE_BYTES: Final = 65  # a digest and the end of its line
RECORD: Final = "upload.json"
_FINISHED: Final = "finished.json"


@dataclass(frozen=True)
class FinishedUpload:
    """A file that pipelines find under its name.

    Attributes:
        name: What it is called; not always what was asked for, which may have been taken.
        path: Where it is.
        size_bytes: Its size.
        sha256: Of its content, in hexadecimal.
    """

    name: str
    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class UnfinishedUpload:
    """An upload of which some parts may have arrived.

    Attributes:
        workspace: Where it goes.
        id: Its id.
        name: What it shall be called.
        size_bytes: Its size when it is whole.
        part_bytes: Size of every part but the last.
        sha256: Of the whole in hexadecimal; empty where nobody said.
        begun: When it was announced, in seconds since 1970, UTC.
        owner: The user to whom it belongs alone; empty where nobody signed in.
    """

    workspace: Workspace
    id: str
    name: str
    size_bytes: int
    part_bytes: int
    sha256: str
    begun: float
    owner: str = ""

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.workspace.unfinished_uploads / self.id

    @property
    def changed(self) -> float:
        """When its last part came, in seconds since 1970, UTC."""
        try:
            return (self.folder / "parts").stat().st_mtime
        except FileNotFoundError:
            return self.begun

    def digests(self) -> tuple[str, ...]:
        """Return the SHA-256 of each part that is there, in order."""
        try:
            lines = (self.folder / "parts").read_bytes()
        except FileNotFoundError:
            raise no_upload(self.id) from None
        whole = range(0, len(lines) - len(lines) % _LINE_BYTES, _LINE_BYTES)
        return tuple(lines[at : at + _LINE_BYTES - 1].decode("ascii", "replace") for at in whole)

    def bytes_there(self, num_parts: int) -> int:
        """Return how many bytes so many parts have."""
        return min(self.size_bytes, num_parts * self.part_bytes)

    def put(self, offset: int, content: bytes, sha256: str) -> int:
        """Take the next part; return how many bytes are there then.

        A part that is there already may be sent again: the answer to it may have been lost.

        Args:
            offset: Where the part begins.
            content: The whole part.
            sha256: Its digest, as the sender computed it.

        Raises:
            InvalidRequestError: It is not the next part, has another size or another digest.
            CouldNotOpenFileError: The upload is not there any more.
            FailedToWriteOutputsError: The disk is full, or the like.
        """
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InvalidRequestError(
                f"The part at {offset:,} of {self.name} does not have the SHA-256 {sha256!r}.",
                hint="It was changed on its way. Send it again.",
                reason="other-digest",
            )
        with self._alone():
            there = self.digests()
            number = offset // self.part_bytes
            if offset % self.part_bytes == 0 and there[number : number + 1] == (sha256,):
                return self.bytes_there(len(there))
            self._require_next(offset, len(content), self.bytes_there(len(there)))
            self._write("content", offset, content)
            self._write("parts", len(there) * _LINE_BYTES, f"{sha256}\n".encode("ascii"))
        return self.bytes_there(len(there) + 1)

    def _require_next(self, offset: int, size: int, there: int) -> None:
        wanted = min(self.part_bytes, self.size_bytes - offset)
        if offset != there:
            raise InvalidRequestError(
                f"A part of {self.name} was sent for {offset:,}, but {there:,} of its "
                f"{self.size_bytes:,} bytes are there.",
                hint="Another page may be sending the same file. Ask what is there, and go on "
                "behind it.",
                reason="other-offset",
                details={"there": there},
            )
        if size != wanted or size == 0:
            raise InvalidRequestError(
                f"The part at {offset:,} of {self.name} has {size:,} bytes, but {wanted:,} are "
                "expected.",
                hint="Was the file changed while it was sent? Begin again.",
                reason="other-size",
            )

    def _write(self, file: str, offset: int, content: bytes) -> None:
        place = self.folder / file
        try:
            descriptor = os.open(place, os.O_WRONLY)
            try:
                while content:
                    written = os.pwrite(descriptor, content, offset)
                    content, offset = content[written:], offset + written
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            raise no_upload(self.id) from None
        except OSError as problem:
            kept = "What arrived before is kept: go on when there is space."
            raise write_failure(f"The upload of {self.name}", problem, kept=kept) from problem

    def finish(self) -> FinishedUpload:
        """Look at all that arrived and let it appear under its name, or a free one like it.

        Raises:
            InvalidRequestError: Something is missing, or the whole is not what was announced.
            CouldNotOpenFileError: The upload is not there any more.
            FailedToWriteOutputsError: The workspace cannot be written.
        """
        with self._alone():
            done = self._finished()
            if done is not None:
                return done
            digest = self._checked()
            try:
                return self._publish(digest)
            except OSError as problem:
                raise write_failure(self.workspace.uploads / self.name, problem) from problem

    def _finished(self) -> FinishedUpload | None:
        if (self.folder / "content").exists() or not (self.folder / _FINISHED).is_file():
            return None
        found = read_json(self.folder / _FINISHED, StoreCorruptError)
        return FinishedUpload(**found)  # type: ignore[arg-type]

    def _checked(self) -> str:
        """Return the SHA-256 of the whole, after reading it from the disk."""
        parts = self.digests()
        there = self.bytes_there(len(parts))
        if there < self.size_bytes:
            raise InvalidRequestError(
                f"{there:,} of the {self.size_bytes:,} bytes of {self.name} are there.",
                hint="Send the rest first.",
                reason="other-offset",
                details={"there": there},
            )
        whole = hashlib.sha256()
        with (self.folder / "content").open("rb") as file:
            for number, known in enumerate(parts):
                content = file.read(
                    min(self.part_bytes, self.size_bytes - number * self.part_bytes)
                )
                if hashlib.sha256(content).hexdigest() != known:
                    self._forget_from(number)
                whole.update(content)
        if self.sha256 and whole.hexdigest() != self.sha256:
            raise InvalidRequestError(
                f"{self.name} has the SHA-256 {whole.hexdigest()}, but {self.sha256} was "
                "announced.",
                hint="It is another file than the one that was announced. Delete this upload, "
                "and begin again.",
                reason="other-digest",
            )
        return whole.hexdigest()

    def _forget_from(self, number: int) -> None:
        os.truncate(self.folder / "parts", number * _LINE_BYTES)
        there = self.bytes_there(number)
        raise InvalidRequestError(
            f"What lies on the disk of {self.name} is not what arrived, from byte {there:,} on.",
            hint="Send it again from there.",
            reason="other-offset",
            details={"there": there},
        )

    def _publish(self, digest: str) -> FinishedUpload:
        content = self.folder / "content"
        sync_to_disk(content)
        with locked(self.workspace.unfinished_uploads / "lock"):
            place = _free_place(self.workspace.uploads, self.name)
            done = FinishedUpload(place.name, str(place), self.size_bytes, digest)
            write_json(self.folder / _FINISHED, asdict(done))
            owner_file = self.workspace.owner_of_upload(place.name)
            if self.owner:  # first: nobody else may see it for a moment
                write_ownership(owner_file, Ownership(owner=self.owner, is_shared=False))
            else:
                owner_file.unlink(missing_ok=True)
            content.rename(place)
        sync_to_disk(place.parent)
        return done

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        # Looked for first, because taking the lock would make a folder that is gone anew.
        if not (self.folder / RECORD).is_file():
            raise no_upload(self.id)
        with locked(self.folder / "lock"):
            if not (self.folder / RECORD).is_file():
                raise no_upload(self.id)
            yield

    def delete(self) -> None:
        """Remove what has arrived."""
        with self._alone():
            self.workspace.throw_away(self.folder)
        self.workspace.empty_trash()


def _free_place(folder: Path, name: str) -> Path:
    """Return where nothing is yet: the name itself, or with a number before its suffix."""
    suffix = next(one for one in ARCHIVE_SUFFIXES if name.lower().endswith(one))
    stem, end = name[: -len(suffix)], name[-len(suffix) :]
    place, number = folder / name, 1
    while os.path.lexists(place):
        number += 1
        place = folder / f"{stem}-{number}{end}"
    return place


def no_upload(upload_id: str) -> CouldNotOpenFileError:
    """Return the error for an upload that is not there."""
    return CouldNotOpenFileError(
        f"There is no upload {upload_id[:64]!r}.",
        hint=f"It was deleted, or nobody went on with it for {KEPT_DAYS} days. Begin again.",
        reason="no-upload",
    )
