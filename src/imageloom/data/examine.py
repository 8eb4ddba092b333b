"""What decoding every file of a listing found, gathered in columns."""

import contextlib
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imageloom.data.decoding.pool import Answer, Bad, Good, choose_workers, decode_files
from imageloom.data.images.directory import Rejected
from imageloom.data.images.index import LABELS, SCHEMA, file_name, has_several
from imageloom.data.names import FORMATS
from imageloom.data.params import ConvertParams
from imageloom.data.sources.listing import Listing
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control, Progress
from imageloom.system.wording import count, some

_EXAMPLES: Final = 3
_EVENT_EVERY_S: Final = 0.1


@dataclass(frozen=True)
class Examined:
    """A listing after every file was decoded.

    Attributes:
        index: One row per usable picture, in the listing's order.
        rejected: Files that the decoder refused, in the listing's order.
        notices: Sentences about the pictures.
    """

    index: pa.Table
    rejected: tuple[Rejected, ...]
    notices: tuple[str, ...]


def examine_listing(listing: Listing, params: ConvertParams, *, control: Control) -> Examined:
    """Decode every file of a listing.

    Raises:
        InvalidDatasetError: A file is not any more what was listed.
        RunInterruptedError: Somebody asked to stop.
        WorkerLostError: No decoding process could be started.
    """
    columns = _Columns(listing)
    total, done, start, told = len(listing), 0, time.monotonic(), 0.0
    answered = decode_files(
        listing.root,
        listing.files,
        workers=choose_workers(params.workers, total),
        max_pixels=params.max_pixels,
        follow_links=params.follow_links,
        cancel=control.cancel,
    )
    control.tell(Progress("Decoding pictures", 0, total, "images"))
    with contextlib.closing(answered):  # ends the processes, whatever happens here
        for answers in answered:
            for row, answer in answers:
                columns.note(row, answer)
            done += len(answers)
            now = time.monotonic()
            if done == total or now - told > _EVENT_EVERY_S:
                told = now
                rate = f"{done / max(now - start, 1e-6):,.0f} images/s"
                control.tell(Progress("Decoding pictures", done, total, "images", text=rate))
    return columns.examined()


class _Columns:
    """One value per file and column, in arrays of 46 bytes a row."""

    def __init__(self, listing: Listing) -> None:
        rows = len(listing)
        self._listing = listing
        self._paths = listing.files.column("path")
        self._is_good = np.zeros(rows, dtype=np.bool_)
        self._width = np.zeros(rows, dtype=np.int32)
        self._height = np.zeros(rows, dtype=np.int32)
        self._orientation = np.zeros(rows, dtype=np.int8)
        self._format = np.zeros(rows, dtype=np.int8)
        self._sha256 = np.zeros((rows, 32), dtype=np.uint8)
        self._bad: dict[int, Bad] = {}
        self._noted: dict[str, list[int]] = {}
        self._frames: dict[int, int] = {}

    def note(self, row: int, answer: Answer) -> None:
        """Keep what a decoding process said of one file."""
        if isinstance(answer, Good):
            self._note_good(row, answer)
        elif isinstance(answer, Bad):
            self._bad[row] = answer
        else:
            raise _changed(self._listing, self._file(row), answer.reason)

    def _note_good(self, row: int, facts: Good) -> None:
        self._is_good[row] = True
        self._width[row], self._height[row] = facts.width, facts.height
        self._orientation[row] = facts.orientation
        self._format[row] = FORMATS.index(facts.format)
        self._sha256[row] = np.frombuffer(bytes.fromhex(facts.sha256), dtype=np.uint8)
        if facts.frames > 1:
            self._frames[row] = facts.frames
        for notice in facts.notices:
            self._noted.setdefault(notice, []).append(row)

    def _file(self, row: int) -> str:
        return file_name(self._paths[row].as_py())

    def examined(self) -> Examined:
        """Return the whole; every row must have been noted."""
        return Examined(self._index(), self._rejected(), self._notices())

    def _index(self) -> pa.Table:
        files = self._listing.files.filter(pa.array(self._is_good)).combine_chunks()
        good = self._is_good
        sha256 = np.ascontiguousarray(self._sha256[good])
        columns = {
            "path": files.column("path"),
            "label": files.column("label"),
            "width": pa.array(self._width[good]),
            "height": pa.array(self._height[good]),
            "orientation": pa.array(self._orientation[good]),
            "format": pa.array(np.array(FORMATS)[self._format[good]], type=pa.string()),
            "size_bytes": files.column("size_bytes"),
            "sha256": pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(32), len(sha256), [None, pa.py_buffer(sha256.tobytes())]
            ),
            "group": files.column("group"),
        }
        index = pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        if has_several(files):
            index = index.append_column(LABELS, files.column(LABELS.name))
        return index.combine_chunks()

    def _rejected(self) -> tuple[Rejected, ...]:
        labels: npt.NDArray[np.int32] = self._listing.files.column("label").to_numpy()
        # One that might have had several has no class that is lost with it.
        classes = () if has_several(self._listing.files) else self._listing.classes
        return tuple(
            Rejected(
                file=self._file(row),
                reason=bad.reason,
                hint=bad.hint,
                label=classes[labels[row]] if classes else None,
            )
            for row, bad in sorted(self._bad.items())
        )

    def _notices(self) -> tuple[str, ...]:
        found = []
        if self._frames:
            first = sorted(self._frames)[:_EXAMPLES]
            shown = [f"{self._file(row)} ({self._frames[row]:,})" for row in first]
            several = count(len(self._frames), "picture has", "pictures have")
            found.append(
                f"{several} several frames, of which the first is used: "
                f"{some(shown, most=_EXAMPLES, total=len(self._frames))}."
            )
        for notice, rows in sorted(self._noted.items()):
            shown = [self._file(row) for row in sorted(rows)[:_EXAMPLES]]
            listed = some(shown, most=_EXAMPLES, total=len(rows))
            if len(rows) == 1:
                found.append(f"{listed} {notice}.")
            else:
                found.append(f"{len(rows):,} pictures ({listed}): each {notice}.")
        return tuple(found)


def _changed(listing: Listing, file: str, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"{file!r} in {listing.place} {what}.",
        hint="The pictures changed while they were being converted. Try again when the folder is "
        "at rest.",
        reason="changed-while-reading",
        details={"file": file},
    )
