"""A decoding process for tests: it dies of some files, and makes a grey picture of all others."""

import base64
import os

from imageloom.system.helper_answers import answer_parent

GREY = base64.b64encode(bytes([127]) * 32 * 32 * 3).decode()


def prepare(setup):
    def answer(name, arguments):
        if base64.b64decode(arguments.get("content", "")) == b"crash":
            os._exit(139)
        return {"pixels": GREY, "seconds": 0.001}

    return answer


if __name__ == "__main__":
    answer_parent(prepare, memory_bytes=2**31)
