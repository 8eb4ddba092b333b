"""Some plain files as one zip file that is made while it is sent; nothing is written anywhere."""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from imageloom.errors import ImageloomError
from imageloom.files.plain_file import opening_plain_file

_BLOCK_BYTES: Final = 1024 * 1024
# The same for all, so that the same files give the same zip; zip files know no earlier one.
_TIME: Final = (1980, 1, 1, 0, 0, 0)


def zip_blocks(files: Mapping[str, Path], error: type[ImageloomError]) -> Iterator[bytes]:
    """Yield a zip file block by block; weights do not shrink, so the files are stored as they are.

    Args:
        files: Where each lies, by its name in the zip.
        error: The class to raise, so that the message has the caller's name and code.

    Raises:
        ImageloomError: Of class ``error``: a file is missing, or no plain file.
    """
    written = _Written()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as made:
        for name, place in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            with (
                opening_plain_file(place, error) as file,
                made.open(entry, "w", force_zip64=True) as member,
            ):
                while block := file.read(_BLOCK_BYTES):
                    member.write(block)
                    yield from written.taken()
    yield from written.taken()


class _Written:
    """What was written and not taken yet; it cannot be sought in, as a connection cannot."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> list[bytes]:
        blocks, self._blocks = self._blocks, []
        return blocks
