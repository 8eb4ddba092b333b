"""A helper process for tests: it answers with its number, or fails."""

import os

from imageloom.errors import NotInRangeValueError
from imageloom.system.helper_answers import answer_parent


def prepare(setup):
    if setup.get("refuses"):
        raise NotInRangeValueError("It does not want to.")

    def answer(name, arguments):
        if name == "fail":
            raise ValueError(arguments["why"])
        return {"pid": os.getpid(), "setup": setup}

    return answer


if __name__ == "__main__":
    answer_parent(prepare, memory_bytes=2**31)
