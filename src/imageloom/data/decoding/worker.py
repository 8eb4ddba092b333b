"""A process that decodes files one after the other, so that a crash or a hang costs one file.

Its parent is ``imageloom.data.decoding.pool``. Both sides write one JSON value per line; paths are
bytes, so they travel as Latin-1 text. Only Pillow is imported here, which starts in 0.1 s.

Parent:  ``{"root": ROOT, "max_pixels": N, "follow_links": TRUTH}``, then ``[PATH, SIZE, MTIME_NS]``
for each file
Worker:  ``"ready"``, then one answer per file, in order:
``["ok", WIDTH, HEIGHT, FORMAT, ORIENTATION, FRAMES, SHA256, [NOTICE, ...]]``,
``["bad", REASON, HINT]`` or ``["changed", REASON]``
"""

import functools
import hashlib
import json
import os
import sys
from collections.abc import Callable
from typing import BinaryIO, Final

from imageloom.data.decoding.decode import PictureFacts, UnreadablePictureError, examine_picture
from imageloom.data.decoding.listed_file import ChangedFileError, UnreadableFileError, read_listed
from imageloom.data.names import promised_format, suffix_of
from imageloom.system.helper_answers import bound_memory, pipe_of_answers, write_answer

MAX_MEMORY_BYTES: Final = 1536 * 1024 * 1024  # 50 million pixels in Pillow need up to 600 MB
Examine = Callable[[bytes, int], PictureFacts]


def main() -> None:
    """Serve the parent that started this process."""
    answers = pipe_of_answers()
    bound_memory(MAX_MEMORY_BYTES)
    serve(sys.stdin.buffer, answers, _examine)


def serve(requests: BinaryIO, answers: int, examine: Examine) -> None:
    """Answer requests until the parent closes the pipe or dies.

    Args:
        requests: Lines from the parent.
        answers: Descriptor to write lines to.
        examine: Takes a file's bytes and the limit of pixels; raises UnreadablePictureError.
    """
    setup = json.loads(requests.readline() or "null")
    if setup is None:
        return
    write_answer(answers, "ready")
    root = setup["root"].encode("latin-1")
    for line in requests:
        name, size, mtime_ns = json.loads(line)
        path = os.path.join(root, name.encode("latin-1"))  # noqa: PTH118 - bytes
        read = functools.partial(
            read_listed, path, size=size, mtime_ns=mtime_ns, follow_links=setup["follow_links"]
        )
        write_answer(answers, _look(path, read, setup["max_pixels"], examine))


def _look(
    path: bytes, read: Callable[[], bytes], max_pixels: int, examine: Examine
) -> list[object]:
    try:
        content = read()
        facts = examine(content, max_pixels)
    except ChangedFileError as problem:
        return ["changed", str(problem)]
    except UnreadableFileError as problem:
        return ["bad", str(problem), "Check the rights and the disk."]
    except UnreadablePictureError as problem:
        return ["bad", problem.reason, problem.hint]
    except MemoryError:
        return ["bad", "needs more memory to read than there is", "Make the picture smaller."]
    sha256 = hashlib.sha256(content).hexdigest()
    size_and_kind = [facts.width, facts.height, facts.format, facts.orientation, facts.frames]
    return ["ok", *size_and_kind, sha256, [*facts.notices, *_misnamed(path, facts.format)]]


def _misnamed(path: bytes, found: str) -> list[str]:
    promised = promised_format(path)
    if promised in (None, found):
        return []
    return [f"is named .{suffix_of(path)} but is a {found} file; it is read by its content"]


def _examine(content: bytes, max_pixels: int) -> PictureFacts:
    return examine_picture(content, max_pixels=max_pixels)


if __name__ == "__main__":
    main()
