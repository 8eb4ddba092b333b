"""A helper process for tests: it answers with its number, fails, or ends after a moment alone."""

import os
from dataclasses import dataclass

from imageloom.data.previews.serving import serve
from imageloom.errors import NotInRangeValueError


@dataclass(frozen=True)
class Answer:
    pid: int
    setup: dict


def prepare(setup):
    if setup.get("refuses"):
        raise NotInRangeValueError("It does not want to.")

    def answer(name, arguments):
        if name == "fail":
            raise ValueError(arguments["why"])
        return Answer(os.getpid(), setup)

    return answer


if __name__ == "__main__":
    serve(prepare, memory_bytes=2**31, idle_s=0.2)
