"""Scores a folder of pictures with Imageloom; prints the images/s from the first batch to the last.

    python score.py MODEL FOLDER OUT PRECISION

It is what 'imageloom score' does, heard through the events by which it shows its progress.
"""

import sys
import time

from imageloom import ScoreParams, score
from imageloom.events import Progress


def main(model, folder, out, precision):
    heard = []

    def hear(event):
        if isinstance(event, Progress) and event.stage == "Scoring pictures":
            heard.append((event.done, time.monotonic()))

    score(model, folder, out, params=ScoreParams(precision=precision), on_event=hear)
    (first, began), (last, ended) = heard[0], heard[-1]
    print(f"images/s {(last - first) / (ended - began):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
