"""How long the studio's warm model process takes to name a picture, and to say why.

    python benchmarks/bench_explain.py --network resnet50 --rounds 30 --training 5000

The network has random weights and 1,000 classes. The pictures are JPEG files of 500 x 375 pixels,
or those of a folder that --pictures names. What is timed is what the server waits for: reading,
decoding, the transforms, the network, and the answer through the pipe.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path

from made_model import made_pictures, save_model

from imageloom.data.convert import convert
from imageloom.scoring.model_process.client import ModelHelper, PicturePlace


def write_pictures(folder, count):
    for number, content in enumerate(made_pictures(count)):
        place = folder / f"{number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06}.jpg").write_bytes(content)


def processor_s(pid):
    """Return the processor time that a process has taken, of all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(work, rounds, pid):
    times, before = [], processor_s(pid)
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    low, middle, high = statistics.quantiles(times, n=4)
    processor = 1000 * (processor_s(pid) - before) / rounds
    wall = f"{middle:.0f} ms ({low:.0f} to {high:.0f}), most {max(times):.0f}"
    return f"{wall}; {processor:.0f} ms of one processor"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="resnet50")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--training", type=int, default=500, help="among which alike ones are")
    parser.add_argument("--pictures", type=Path, help="a folder of real ones instead of made ones")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-explain-") as made:
        folder = Path(made)
        save_model(folder / "model", asked.network)
        if asked.pictures is None:
            write_pictures(folder / "pictures", asked.training)
        images = convert(asked.pictures or folder / "pictures", folder / "images")
        picture = PicturePlace(images.root, images.file(0))
        model, training = folder / "model", folder / "images"
        with contextlib.closing(
            ModelHelper(folder / "cache", features=folder / "features")
        ) as helper:
            began = time.perf_counter()
            helper.predict(model, picture)
            print(f"first answer, from nothing: {time.perf_counter() - began:.1f} s")
            (process,) = helper.pool.running
            rounds, pid = asked.rounds, process.pid
            print(f"name: {timed(lambda: helper.predict(model, picture), rounds, pid)}")
            print(f"explain: {timed(lambda: helper.explain(model, picture), rounds, pid)}")
            began = time.perf_counter()
            while (found := helper.nearest(model, picture, training)).done < found.total:
                pass
            print(f"look at {found.total:,} training pictures: {time.perf_counter() - began:.1f} s")
            alike = timed(lambda: helper.nearest(model, picture, training), rounds, pid)
            print(f"find alike among {found.total:,}: {alike}")
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            (peak,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
            print(f"memory of the process at most: {int(peak.split()[1]) / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
