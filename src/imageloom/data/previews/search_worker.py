"""A process that searches an image directory for duplicates, and keeps what it found.

Its parent is ``imageloom.data.previews.searches``. It reads one line of JSON: ``{"images": PLACE,
"against": PLACE or null, "roots": [FOLDER, ...], "looks": FILE, "out": FILE, "state": FILE}``. How
far it has come stands in the file ``state``, as ``{"done": N, "total": N}``, and an error as
``{"error": {...}}``. When the parent closes the pipe or dies, it ends at once.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from imageloom.data.images.directory import ImageDirectory, read_image_directory
from imageloom.data.previews.keep_duplicates import keep_duplicates
from imageloom.data.previews.reach import Reach
from imageloom.data.similar.find import find_duplicates
from imageloom.errors import any_error
from imageloom.events import Event, Progress
from imageloom.files.publish import write_json
from imageloom.system.helper_answers import bound_memory
from imageloom.system.pandas_left_out import leave_pandas_out

_MAX_MEMORY_BYTES: Final = 6 * 1024**3  # 1.3 million pictures need 1 GiB, decoding in threads 2
_TOLD_EVERY_S: Final = 0.3
_HINT: Final = "This is a mistake in Imageloom. Please report it."


def main() -> None:
    """Search once."""
    bound_memory(_MAX_MEMORY_BYTES)
    leave_pandas_out(os.environ)
    setup = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    state = Path(setup["state"])
    try:
        _search(setup, state)
    except Exception as problem:  # noqa: BLE001 - the parent shows it
        write_json(state, {"error": any_error(problem, _HINT).to_json()})
        os._exit(1)
    # Not by the interpreter's own way out, which aborts while a thread waits for standard input.
    os._exit(0)


def _search(setup: dict[str, str], state: Path) -> None:
    reach = Reach(tuple(map(Path, setup["roots"])))
    places = [setup["images"], *filter(None, [setup["against"]])]
    opened = [_opened(reach, place) for place in places]
    total = sum(map(len, opened))
    past, told = 0, 0.0

    def tell(event: Event) -> None:
        nonlocal past, told
        if not isinstance(event, Progress) or event.total is None:
            return
        done = past + event.done
        if event.done == event.total:
            past += event.total
        if time.monotonic() - told > _TOLD_EVERY_S:
            told = time.monotonic()
            write_json(state, {"done": done, "total": total})

    found = find_duplicates(
        opened[0],
        against=opened[1] if len(opened) > 1 else None,
        looks=Path(setup["looks"]),
        on_event=tell,
    )
    keep_duplicates(found, Path(setup["out"]))


def _opened(reach: Reach, place: str) -> ImageDirectory:
    images = read_image_directory(reach.source(place))
    reach.source(str(images.root))
    return images


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
