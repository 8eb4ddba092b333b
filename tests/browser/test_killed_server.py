"""A server that is killed again and again under many writers loses nothing that it took (J01, J20).

No browser takes part: programs write, each as fast as it is answered.
"""

import http.client
import random
import sqlite3
import threading

import pytest

from .studio_process import StudioProcess

KILLS = 20
WRITERS = 8
MOST_BETWEEN = 60  # answers before a kill
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EMPTY = {"format_version": 2, "kind": "pipeline", "nodes": [], "edges": []}
FAILS = {
    **EMPTY,
    "name": "Fails at once",
    "nodes": [{"id": "data", "component": "dataset", "params": {"path": "./not-there"}}],
}


class Writers:
    """Programs that write until the server is gone, and what they were told is done."""

    def __init__(self, studio):
        self.studio = studio
        self.drafts = {}  # newest version and name of each that was acknowledged
        self.runs = []
        self.answers = threading.Semaphore(0)

    def write(self, number, stop):
        """Begin pipelines and save them; the first writer begins one run, and lists them."""
        try:
            if number == 0:
                self.runs.append(self.studio.ask("runs", {"pipeline": FAILS})["id"])
                self.answers.release()
            while not stop.is_set():
                name = f"Writer {number}"
                made = self.studio.ask("pipelines", {"pipeline": {**EMPTY, "name": name}})
                self.drafts[made["id"]] = (1, name)
                self.answers.release()
                for version in (1, 2, 3):
                    name = f"Writer {number}, saved {version} times"
                    content = {"pipeline": {**EMPTY, "name": name}}
                    self.studio.save(made["id"], content, version)
                    self.drafts[made["id"]] = (version + 1, name)
                    self.answers.release()
                if number == 0:
                    self.studio.ask("runs")
        except (OSError, http.client.HTTPException):
            return  # killed: what was not acknowledged may be there or not


class SavingStudio(StudioProcess):
    """A studio that pipelines are saved on."""

    def save(self, draft_id, content, version):
        return self.ask(
            f"pipelines/{draft_id}", content, method="PUT", headers={"If-Match": f'"{version}"'}
        )


@pytest.fixture
def studio(python, tmp_path):
    process = SavingStudio(python, tmp_path)
    process.start()
    yield process
    process.stop()


def require_all_there(studio, writers):
    found = {one["id"]: one for one in studio.ask("pipelines")}
    for draft_id, (version, name) in writers.drafts.items():
        newest = found[draft_id]["version"]
        # One save may have been done whose answer was lost, and none may be missing.
        assert newest in (version, version + 1), draft_id
        if newest == version:
            assert found[draft_id]["name"] == name
        versions = [one["version"] for one in studio.ask(f"pipelines/{draft_id}/versions")]
        assert versions == list(range(newest, 0, -1))
    for run in writers.runs:
        assert studio.ask(f"runs/{run}")["name"] == FAILS["name"]
    listed = {one["id"] for one in studio.ask("runs?limit=500")["runs"]}
    assert listed >= set(writers.runs)


def require_whole_index(studio):
    with sqlite3.connect(studio.workspace / "database.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_every_write_that_was_acknowledged_is_there_after_any_kill(studio):
    when, writers = random.Random(1), Writers(studio)
    for _ in range(KILLS):
        stop = threading.Event()
        threads = [
            threading.Thread(target=writers.write, args=(number, stop)) for number in range(WRITERS)
        ]
        for one in threads:
            one.start()
        for _ in range(when.randint(1, MOST_BETWEEN)):
            assert writers.answers.acquire(timeout=120)
        studio.kill()
        stop.set()
        for one in threads:
            one.join(120)
            assert not one.is_alive()
        while writers.answers.acquire(blocking=False):
            pass
        require_whole_index(studio)
        studio.start()
    require_all_there(studio, writers)
    assert len(writers.drafts) > KILLS
    for run in writers.runs:
        studio.wait_for_run(run, ("failed",), before=("queued", "running", "interrupted"))
