"""How many pages a TIFF file has, counted without reading them.

Pillow parses every tag of every page to count them, which takes minutes on a hostile file.

Source: TIFF 6.0, section 2 (image file directories); BigTIFF design by AWare Systems.
"""

import struct
from typing import Final

MAX_PAGES: Final = 10_000  # counting stops here; nobody needs the exact number beyond
_BIG: Final = 43


def count_pages(content: bytes) -> int:
    """Return the pages of a TIFF file, 1 to ``MAX_PAGES``; a loop or a bad offset ends the count.

    Args:
        content: A TIFF file whose first page could be read.
    """
    order = "<" if content[:2] == b"II" else ">"
    seen: set[int] = set()
    try:
        offset, entries, entry_size, link = _layout(content, order)
        while offset and offset not in seen and len(seen) < MAX_PAGES:
            (count,) = struct.unpack_from(order + entries, content, offset)
            seen.add(offset)
            after = offset + struct.calcsize(order + entries) + count * entry_size
            (offset,) = struct.unpack_from(order + link, content, after)
    except struct.error:
        pass  # the chain leads out of the file; the pages so far are what there is
    return max(1, len(seen))


def _layout(content: bytes, order: str) -> tuple[int, str, int, str]:
    """Return the first directory's offset, the count's code, an entry's size, the link's code."""
    (version,) = struct.unpack_from(f"{order}H", content, 2)
    if version == _BIG:
        (offset,) = struct.unpack_from(f"{order}Q", content, 8)
        return offset, "Q", 20, "Q"
    (offset,) = struct.unpack_from(f"{order}I", content, 4)
    return offset, "H", 12, "I"
