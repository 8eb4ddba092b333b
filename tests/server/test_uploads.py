"""Uploads in parts: resumed, bounded, whole or absent (J16, S01, S02, S16)."""

import os
import random
import shutil
import threading
import time
from collections import namedtuple
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from imageloom.files.locks import release, try_lock
from imageloom.pipeline.run_record import ResolvedRecord
from imageloom.pipeline.store.upload_limits import MAX_UPLOAD_BYTES, PART_BYTES
from imageloom.server.app import create_app
from imageloom.server.upkeep import tidy_once
from imageloom.spec.node_state import RunState

from .conftest import HOME
from .made_run import made_run
from .sent import begin, digest, finish, put, put_all, send
from .test_hostile import CANARY, SECRET, everything, payloads

DAY_S = 86_400


@pytest.fixture
def content():
    """Two parts and a half that no two places of are alike."""
    return random.Random(1).randbytes(2 * PART_BYTES + PART_BYTES // 2)


@pytest.fixture
def folder(studio):
    return studio.engine.workspace.uploads


def elsewhere(folder):
    """Every file that is neither an upload nor one in the recycle bin."""
    found = everything(folder)
    own = ("uploads", "/bin/")
    return {path: size for path, size in found.items() if not any(one in path for one in own)}


def seen(folder):
    """What pipelines and people find."""
    return sorted(one.name for one in folder.glob("[!.]*"))


def test_an_upload_that_was_cut_in_the_middle_goes_on_where_it_was(page, folder, tmp_path):
    file = tmp_path / "sparse.tar"
    with file.open("wb") as sparse:
        sparse.truncate(16 * PART_BYTES)
    content = file.read_bytes()
    upload = begin(page, content, file.name)
    put_all(page, upload, content, end=len(content) // 2)
    # The page was closed; another that has the same file finds what is there.
    (row,) = page.get("/api/uploads").json()["unfinished"]
    assert (row["name"], row["size_bytes"], row["there"]) == (
        "sparse.tar",
        len(content),
        len(content) // 2,
    )
    state = page.get(f"/api/uploads/{row['id']}").json()
    assert state["parts"] == [digest(bytes(PART_BYTES))] * 8
    assert seen(folder) == []
    put_all(page, state, content, start=state["there"])
    assert seen(folder) == []
    done = finish(page, state).json()
    assert done == {
        "name": "sparse.tar",
        "path": str(folder / "sparse.tar"),
        "size_bytes": len(content),
        "sha256": digest(content),
    }
    assert (folder / "sparse.tar").read_bytes() == content
    assert page.get("/api/uploads").json()["unfinished"] == []
    (told,) = page.get("/api/uploads").json()["finished"]
    assert (told["name"], told["is_shared"], told["is_mine"]) == ("sparse.tar", True, True)


def test_what_was_answered_and_got_lost_may_be_asked_again(page, folder, content):
    upload = begin(page, content)
    put_all(page, upload, content)
    again = put(page, upload, 0, content[:PART_BYTES])
    assert (again.status_code, again.json()) == (200, {"there": len(content)})
    first, second = finish(page, upload), finish(page, upload)
    assert first.json() == second.json()
    assert seen(folder) == ["photos.zip"]


@pytest.mark.parametrize("size", [0, -1])
def test_nothing_is_no_upload(page, folder, size):
    answer = page.post("/api/uploads", json={"name": "a.zip", "size_bytes": size})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "API-001")
    assert not folder.exists()


def test_more_than_the_limit_is_refused_with_both_numbers(page, folder):
    answer = page.post("/api/uploads", json={"name": "a.zip", "size_bytes": MAX_UPLOAD_BYTES + 1})
    assert answer.status_code == 413
    assert "34,359,738,369 bytes; at most 34,359,738,368" in answer.json()["error"]["message"]
    assert not folder.exists()


def test_more_than_the_free_space_is_refused_with_both_numbers(page, folder, monkeypatch):
    """The disk is the one thing that a test cannot fill."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage(9_000, 8_000, 1_000))
    answer = page.post("/api/uploads", json={"name": "a.zip", "size_bytes": 901})
    assert answer.status_code == 507
    assert "has 901 bytes, but only 1,000 are free" in answer.json()["error"]["message"]
    assert page.get("/api/uploads").json()["unfinished"] == []
    assert not list((folder / ".unfinished").iterdir())
    assert page.post("/api/uploads", json={"name": "a.zip", "size_bytes": 900}).status_code == 201


def test_a_part_is_the_next_one_and_has_its_size(page, content):
    upload = begin(page, content)
    short = put(page, upload, 0, content[: PART_BYTES - 1])
    assert (short.status_code, short.json()["error"]["reason"]) == (422, "other-size")
    ahead = put(page, upload, PART_BYTES, content[PART_BYTES : 2 * PART_BYTES])
    assert (ahead.status_code, ahead.json()["error"]["reason"]) == (409, "other-offset")
    assert ahead.json()["error"]["details"]["there"] == 0
    odd = put(page, upload, -PART_BYTES, content[:PART_BYTES])
    assert odd.status_code == 409
    put_all(page, upload, content)
    behind = put(page, upload, len(content), b"more")
    assert (behind.status_code, behind.json()["error"]["reason"]) == (422, "other-size")
    early = begin(page, content)
    assert finish(page, early).json()["error"]["message"] == (
        f"0 of the {len(content):,} bytes of photos.zip are there."
    )


def test_s16_a_body_beyond_the_bound_is_refused_whatever_its_header_says(page, content):
    upload = begin(page, content)
    address = f"/api/uploads/{upload['id']}/parts/0?sha256={digest(b'')}"
    headers = {"content-type": "application/octet-stream"}
    said = page.put(address, content=bytes(PART_BYTES + 1), headers=headers)
    assert (said.status_code, said.json()["error"]["reason"]) == (413, "part-too-large")
    assert "4194305 bytes was sent, but a part has at most 4,194,304" in said.text
    pieces = (bytes(PART_BYTES) for _ in range(2))  # sent in chunks, without a length
    lied = page.put(address, content=pieces, headers=headers)
    assert (lied.status_code, lied.json()["error"]["reason"]) == (413, "part-too-large")
    assert page.get(f"/api/uploads/{upload['id']}").json()["there"] == 0


def test_a_part_that_changed_on_its_way_does_not_count(page, content):
    upload = begin(page, content)
    changed = b"x" + content[1:PART_BYTES]
    answer = put(page, upload, 0, changed, sha256=digest(content[:PART_BYTES]))
    assert (answer.status_code, answer.json()["error"]["reason"]) == (422, "other-digest")
    assert page.get(f"/api/uploads/{upload['id']}").json()["there"] == 0
    put_all(page, upload, content)
    assert finish(page, upload).json()["sha256"] == digest(content)


def test_a_whole_that_is_not_what_was_announced_does_not_appear(page, folder, content):
    new = {"name": "a.zip", "size_bytes": len(content), "sha256": digest(b"another")}
    upload = page.post("/api/uploads", json=new).json()
    put_all(page, upload, content)
    answer = finish(page, upload)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (422, "other-digest")
    assert digest(b"another") in answer.text
    assert digest(content) in answer.text
    assert seen(folder) == []


def test_what_changed_on_the_disk_is_sent_again_from_there(page, folder, content):
    upload = begin(page, content)
    put_all(page, upload, content)
    with (folder / ".unfinished" / upload["id"] / "content").open("r+b") as file:
        file.seek(PART_BYTES + 5)
        file.write(bytes([content[PART_BYTES + 5] ^ 1]))
    answer = finish(page, upload)
    assert (answer.status_code, answer.json()["error"]["details"]) == (409, {"there": PART_BYTES})
    put_all(page, upload, content, start=PART_BYTES)
    assert finish(page, upload).status_code == 200
    assert (folder / "photos.zip").read_bytes() == content


def test_a_server_that_died_while_it_wrote_a_part_has_the_parts_before(page, folder, content):
    upload = begin(page, content)
    put_all(page, upload, content, end=PART_BYTES)
    place = folder / ".unfinished" / upload["id"]
    with (place / "content").open("ab") as file:
        file.write(b"half of a part")
    with (place / "parts").open("ab") as file:
        file.write(b"0123456789")  # a line that was cut
    assert page.get(f"/api/uploads/{upload['id']}").json()["there"] == PART_BYTES
    put_all(page, upload, content, start=PART_BYTES)
    assert finish(page, upload).json()["sha256"] == digest(content)


def test_two_pages_that_send_one_file_make_one_of_it(page, studio, folder, content):
    upload = begin(page, content)
    problems = []

    def go_on():
        there = 0
        while there < len(content):
            answer = put(page, upload, there, content[there : there + PART_BYTES])
            if answer.status_code not in (200, 409):
                problems.append(answer.text)
                return
            found = answer.json()
            there = found["there"] if "there" in found else found["error"]["details"]["there"]

    pages = [threading.Thread(target=go_on) for _ in range(4)]
    for one in pages:
        one.start()
    for one in pages:
        one.join()
    assert problems == []
    assert finish(page, upload).json()["sha256"] == digest(content)
    assert (folder / "photos.zip").read_bytes() == content


def test_two_files_of_one_name_are_both_there_in_the_end(page, folder, content):
    other = content[::-1]
    uploads = [begin(page, one, "photos.tar.gz") for one in (content, other)]
    for offset in range(0, len(content), PART_BYTES):  # part by part, in turn
        for upload, one in zip(uploads, (content, other), strict=True):
            assert put(page, upload, offset, one[offset : offset + PART_BYTES]).status_code == 200
    names = [finish(page, upload).json()["name"] for upload in uploads]
    assert names == ["photos.tar.gz", "photos-2.tar.gz"]
    assert (folder / names[0]).read_bytes() == content
    assert (folder / names[1]).read_bytes() == other


def test_s01_hostile_names_lead_nowhere(page, studio, folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / SECRET).write_text(CANARY)
    names = {text + suffix for text in payloads(tmp_path) for suffix in ("", ".zip")}
    before = elsewhere(tmp_path)
    taken = []
    for name in names:
        answer = page.post("/api/uploads", json={"name": name, "size_bytes": 3})
        assert answer.status_code in (201, 422), name
        if answer.status_code == 201:
            upload = answer.json()
            assert put(page, upload, 0, b"abc").status_code == 200
            taken.append(finish(page, upload).json()["name"])
        gone = page.delete(f"/api/uploads/finished/{quote(name, safe='')}")
        assert gone.status_code in (204, 404, 405, 422), name
    assert elsewhere(tmp_path) == before
    assert len(taken) > 10
    assert not any(set(name) & set("/\\\n\r\0\x1b") or name[0] in ".-" for name in taken)
    assert all(len(os.fsencode(name)) <= 220 for name in taken)


@pytest.mark.parametrize("name", ["a.rar", "a.jpg", "photos", "a.zip.exe", ".zip", "-a.zip"])
def test_what_is_no_archive_by_its_name_is_refused_before_it_is_sent(page, name):
    answer = page.post("/api/uploads", json={"name": name, "size_bytes": 3})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "ParameterParsingError")


@pytest.mark.parametrize("upload_id", ["x", "0" * 32, "0" * 31 + "G"])
def test_an_upload_that_is_not_there_is_said_so(page, upload_id):
    for answer in (
        page.get(f"/api/uploads/{upload_id}"),
        page.post(f"/api/uploads/{upload_id}/finish", json={}),
        page.delete(f"/api/uploads/{upload_id}"),
        put(page, {"id": upload_id}, 0, b"abc"),
    ):
        assert answer.status_code == 404, answer.text


def test_one_that_was_given_up_is_gone(page, folder, content):
    upload = begin(page, content)
    put_all(page, upload, content, end=PART_BYTES)
    assert page.delete(f"/api/uploads/{upload['id']}").status_code == 204
    answer = put(page, upload, PART_BYTES, content[PART_BYTES : 2 * PART_BYTES])
    assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "no-upload")
    assert list((folder / ".unfinished").iterdir()) == []


def test_one_that_is_finished_can_be_deleted_unless_a_run_reads_it(page, studio, folder):
    """J15."""
    done = send(page, b"abc")
    run = made_run(studio)
    record = run.record()
    params = {"path": None, "upload": done["name"]}
    resolved = {"a": ResolvedRecord(component="dataset", version=1, params=params)}
    other = studio.engine.workspace.run("20261101-120000-0002")
    other.create(record.model_copy(update={"id": other.id, "resolved": resolved}))
    other.append_run(RunState.RUNNING)
    lock = try_lock(other.lock_file, "a test")  # as its executor holds it
    answer = page.delete(f"/api/uploads/finished/{done['name']}")
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        409,
        f"Run {other.id} reads {folder / 'photos.zip'}.",
    )
    release(lock)
    assert page.delete(f"/api/uploads/finished/{done['name']}").status_code == 204
    assert page.delete(f"/api/uploads/finished/{done['name']}").status_code == 404
    assert seen(folder) == []


def test_one_that_nobody_goes_on_with_is_swept_after_a_week(page, studio, folder, content):
    left, recent = begin(page, content, "left.zip"), begin(page, content, "recent.zip")
    put_all(page, left, content, end=PART_BYTES)
    for upload, days in ((left, 7.01), (recent, 6.99)):
        place = folder / ".unfinished" / upload["id"]
        for one in (place / "parts", place):
            os.utime(one, times=(time.time() - days * DAY_S,) * 2)
    finished = send(page, b"abc", "finished.zip")
    tidy_once(studio)
    names = [one["name"] for one in page.get("/api/uploads").json()["unfinished"]]
    assert names == ["recent.zip"]
    assert Path(finished["path"]).is_file()
    assert not list(studio.engine.workspace.trash.glob("*"))


def test_nothing_changes_by_get(page, tmp_path, content):
    upload = begin(page, content)
    before = everything(tmp_path)
    for address in ("", f"/{upload['id']}", f"/{upload['id']}/finish", f"/{upload['id']}/parts/0"):
        page.get(f"/api/uploads{address}")
    assert everything(tmp_path) == before


def test_s09_a_part_from_another_page_or_of_a_form_is_refused(page, content):
    upload = begin(page, content)
    address = f"/api/uploads/{upload['id']}/parts/0?sha256={digest(content[:PART_BYTES])}"
    for kind in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
        answer = page.put(address, content=content[:PART_BYTES], headers={"content-type": kind})
        assert answer.status_code == 415
    headers = {"content-type": "application/octet-stream", "origin": "http://evil.com"}
    assert page.put(address, content=content[:PART_BYTES], headers=headers).status_code == 403
    # Only parts are bytes: what is asked by POST stays JSON.
    bytes_by_post = {"content-type": "application/octet-stream"}
    assert page.post("/api/uploads", content=b"{}", headers=bytes_by_post).status_code == 415


def test_another_server_on_the_workspace_goes_on(page, studio, access, content):
    upload = begin(page, content)
    put_all(page, upload, content, end=PART_BYTES)
    with TestClient(create_app(studio, access), base_url=HOME) as other:
        other.headers.update({"authorization": f"Bearer {access.token}"})
        other.headers["content-type"] = "application/json"
        put_all(other, upload, content, start=PART_BYTES)
        assert finish(other, upload).json()["sha256"] == digest(content)
