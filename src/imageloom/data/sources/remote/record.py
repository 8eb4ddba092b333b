"""Which files of an address lie here, and of which version: one line each, behind the file."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from imageloom.data.sources.remote.listing import RemoteFile
from imageloom.files.publish import writing_file

RECORD: Final = "files.jsonl"


@dataclass(frozen=True)
class KeptFile:
    """One file that came whole.

    Attributes:
        name: Below the folder of files.
        size_bytes: Bytes.
        version: As it was listed when it came.
        mtime_ns: When it was written here, in nanoseconds since 1970.
    """

    name: str
    size_bytes: int
    version: str
    mtime_ns: int

    def is_still(self, file: RemoteFile, here: Path) -> bool:
        """Whether the file there is the one that came, and the one here is as it came.

        Where nothing tells one state of it from another, it never is.
        """
        if not self.version or (self.size_bytes, self.version) != (file.size_bytes, file.version):
            return False
        try:
            found = here.lstat()
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns) == (self.size_bytes, self.mtime_ns)


class Record:
    """The lines of one folder; whoever writes holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RECORD
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("a", encoding="ascii")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def read(self) -> dict[str, KeptFile]:
        """Return the last line of each file; one that a killed process left unfinished is none."""
        kept: dict[str, KeptFile] = {}
        if not self._path.is_file():
            return kept
        with self._path.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                try:
                    one = KeptFile(**json.loads(line))
                except (ValueError, TypeError):
                    continue
                kept[one.name] = one
        return kept

    def replace(self, kept: Iterable[KeptFile]) -> None:
        """Write the lines anew, in one step."""
        with writing_file(self._path) as partial:
            partial.write_text("".join(map(_line, kept)), encoding="ascii")

    def add(self, one: KeptFile) -> None:
        """Append a line, which outlives the process at once."""
        assert self._file is not None
        self._file.write(_line(one))
        self._file.flush()


def _line(one: KeptFile) -> str:
    return json.dumps(asdict(one)) + "\n"
