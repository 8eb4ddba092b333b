"""A disk that does not answer holds up who waits for it, and nobody else (J18)."""

import asyncio
import os
import threading

import pytest
from fastapi.routing import APIRoute

from imageloom.pipeline.store.unfinished_upload import UnfinishedUpload
from imageloom.server.routes import places
from imageloom.server.watch import RunWatch

from .asking_at_once import DEADLINE_S, at_once
from .conftest import all_operations
from .made_run import made_run
from .sent import begin, digest

MORE_THAN_THREADS = (os.cpu_count() or 1) + 40  # asyncio has at most 32 of its own


@pytest.fixture
def disk():
    """Return what waits like a disk that does not answer, and lets all go at the end."""
    slow = SlowDisk()
    yield slow
    slow.answers.set()


class SlowDisk:
    def __init__(self):
        self.asked = threading.Semaphore(0)
        self.answers = threading.Event()

    def wait(self):
        self.asked.release()
        self.answers.wait(DEADLINE_S)

    async def is_asked(self):
        """Wait until somebody waits for it."""
        async with asyncio.timeout(DEADLINE_S):
            while not self.asked.acquire(blocking=False):
                await asyncio.sleep(0)


def test_a_request_that_waits_for_a_disk_holds_no_other_up(page, disk, monkeypatch):
    seen_place = places.seen_place

    def slow(*where):
        disk.wait()
        return seen_place(*where)

    monkeypatch.setattr(places, "seen_place", slow)

    async def body(ask):
        waiting = ask("/api/places")
        await disk.is_asked()
        status, _ = await ask("/api/session").answered()
        was_waiting = not waiting.task.done()
        disk.answers.set()
        return status, was_waiting, (await waiting.answered())[0]

    assert at_once(page, body) == (200, True, 200)


def test_runs_that_are_followed_on_a_slow_disk_hold_no_request_up(page, studio, disk, monkeypatch):
    runs = [made_run(studio, f"20261101-120000-{one:04}") for one in range(MORE_THAN_THREADS)]
    look = RunWatch.look

    def slow(watch):
        disk.wait()
        return look(watch)

    monkeypatch.setattr(RunWatch, "look", slow)

    async def body(ask):
        pages = [ask(f"/api/events?runs=false&run={run.id}") for run in runs]
        await disk.is_asked()
        status, _ = await ask("/api/session").answered()
        disk.answers.set()
        followed = [(await one.event())[2]["run"] for one in pages]
        return status, followed

    assert at_once(page, body) == (200, [run.id for run in runs])


def test_a_part_that_a_slow_disk_takes_holds_no_request_up(page, disk, monkeypatch):
    """The part is sent by a client of its own, since its body is more than one piece."""
    put = UnfinishedUpload.put

    def slow(*what):
        disk.wait()
        return put(*what)

    monkeypatch.setattr(UnfinishedUpload, "put", slow)
    upload = begin(page, b"x" * 100)
    statuses = []

    def send():
        statuses.append(
            page.put(
                f"/api/uploads/{upload['id']}/parts/0",
                params={"sha256": digest(b"x" * 100)},
                content=b"x" * 100,
                headers={"content-type": "application/octet-stream"},
            ).status_code
        )

    sending = threading.Thread(target=send)
    sending.start()
    assert disk.asked.acquire(timeout=DEADLINE_S)
    assert page.get("/api/session").status_code == 200
    assert statuses == []
    disk.answers.set()
    sending.join(DEADLINE_S)
    assert statuses == [200]


def test_only_what_reads_no_file_by_itself_runs_on_the_event_loop(page):
    """All else is called in threads; a route that joins these must hand its files to one."""
    on_loop = {
        (method, path)
        for method, path, route in all_operations(page.app)
        if isinstance(route, APIRoute) and asyncio.iscoroutinefunction(route.endpoint)
    }
    assert {path for _, path in on_loop if not path.endswith("openapi.json")} == {
        "/api/uploads/{upload_id}/parts/{offset}",
        "/api/runs/{run_id}/nodes/{node}/dropped",
    }
