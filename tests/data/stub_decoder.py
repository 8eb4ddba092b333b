"""A decoding process whose decoder obeys the file: it crashes, hangs or dies as the bytes say."""

import os
import signal
import sys
import time

from imageloom.data.decoding.decode import PictureFacts, UnreadablePictureError
from imageloom.data.decoding.worker import serve


def examine(content, max_pixels):
    order = content.split(b" ")[0]
    if order == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if order == b"killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == b"hang":
        time.sleep(60)
    if order == b"exit":
        sys.exit(3)
    if order == b"memory":
        raise MemoryError
    if order == b"bad":
        raise UnreadablePictureError("is bad", "mend it")
    if order == b"shout":
        os.write(1, b"a C library prints this\n")
    return PictureFacts(len(content), 1, "PNG", 1, 1, ())


if __name__ == "__main__":
    if "broken" in sys.argv:
        sys.exit("no decoder is installed")
    answers = os.dup(1)
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers, examine)
