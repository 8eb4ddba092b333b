"""A model process without a model: it dies or hangs at the pictures that say so."""

import dataclasses
import os
import signal
import time
from pathlib import Path

from imageloom.scoring.model_process.values import Guess, Guesses
from imageloom.system.helper_answers import answer_parent


def _prepare(setup):
    def answer(name, arguments):
        content = (Path(arguments["folder"]) / arguments["file"]).read_bytes()
        if content == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if content == b"hang":
            time.sleep(600)
        guess = Guess(label=f"{os.getpid()}", probability=1.0)
        return dataclasses.asdict(Guesses(guesses=(guess,), num_classes=1))

    return answer


if __name__ == "__main__":
    answer_parent(_prepare, memory_bytes=2**30)
