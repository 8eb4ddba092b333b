"""Whether a page that is open for a day grows, or misses what happens.

    python benchmarks/page_heap.py --hours 24 --out DIR

DIR is a new workspace. A training of the digits that would take weeks goes on while a page shows
its curves. Each minute the browser collects garbage and says how large the heap of the page is, and
the rows that the page was told of are held beside those in the files. Needs Chromium
(IMAGELOOM_CHROMIUM names it) and the packages of the extra ``dev``.
"""

import argparse
import json
import os
import shutil
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright
from started_studio import StartedStudio

MIB = 1024**2
SETTLED_MINUTES = 5
"""The first minutes fill the curves: as many points as are drawn, and then no more."""


def endless_training(studio):
    """Begin a training of the digits with a tiny network, and return the run's id."""
    pipeline = studio.ask_json("pipelines/templates/digits", {})["pipeline"]
    for node in pipeline["nodes"]:
        if node["id"] == "resnet":
            network = {"model_name": "timm/test_resnet", "pretrained": False}
            node.update(component="timm", params=network)
        if node["id"] == "train":
            node["params"] |= {"epochs": 1_000_000, "patience": 1_000_000}
            node["params"].pop("augmentation", None)
    return studio.ask_json("runs", {"pipeline": pipeline})["id"]


def rows_on_file(studio, run):
    """Return how many rows all curves of the training have in their files."""
    return sum(one["num_rows"] for one in studio.ask_json(f"runs/{run}/nodes/train/series"))


class Watched:
    """A page as the browser's own tools see it.

    Args:
        page: It; must not have been opened yet.
    """

    def __init__(self, page):
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")
        self._session.send("Network.enable")
        self._session.on("Network.eventSourceMessageReceived", self._hear)
        self.rows = 0

    def _hear(self, message):
        if message["eventName"] == "run":
            node = json.loads(message["data"])["nodes"].get("train", {})
            self.rows = node.get("rows", 0)

    def heap_mib(self):
        """Return the size of the heap after a collection of garbage."""
        self._session.send("HeapProfiler.collectGarbage")
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize") / MIB


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    chromium = os.environ.get("IMAGELOOM_CHROMIUM") or shutil.which("chromium")
    heap, behind = [], []
    with StartedStudio(arguments.out) as studio, sync_playwright() as playwright:
        run = endless_training(studio)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        watched = Watched(page)
        page.goto(studio.link)
        page.goto(f"{studio.link.partition('?')[0]}runs/{run}/nodes/train")
        page.get_by_role("region", name="Loss").locator("canvas").wait_for(timeout=600_000)
        for minute in range(round(60 * arguments.hours)):
            page.wait_for_timeout(60_000)
            behind.append(rows_on_file(studio, run) - watched.rows)
            heap.append(watched.heap_mib())
            print(f"{minute + 1} min: {heap[-1]:.1f} MiB, {behind[-1]} rows behind", flush=True)
        rows = watched.rows
        studio.ask(f"runs/{run}/cancel", "{}")
        browser.close()
    first, last = heap[min(SETTLED_MINUTES, len(heap) - 1)], heap[-1]
    print(f"| rows that the page was told of | {rows:,} in {len(heap)} minutes |")
    print(f"| rows behind the files: median, most | {median(behind):.0f}, {max(behind)} |")
    print(f"| heap after {SETTLED_MINUTES} minutes, at the end | {first:.1f}, {last:.1f} MiB |")


if __name__ == "__main__":
    main()
