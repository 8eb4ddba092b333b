"""What is deleted in the page can be restored for some days (J15)."""

import pytest

from imageloom.files.locks import release, try_lock
from imageloom.pipeline.ownership import Ownership, read_ownership
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.store.clean import clean
from imageloom.pipeline.store.recycle_bin import BIN_DAYS, RecycleBin
from imageloom.server.upkeep import tidy_once
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState

from .made_run import made_run
from .sent import send

DAY_S = 86_400
PIPELINE = {"format_version": 2, "kind": "pipeline", "name": "One", "nodes": []}


@pytest.fixture
def bin_of(studio):
    return RecycleBin(studio.engine.workspace)


def content_of(folder):
    return {
        str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }


def entries(client):
    return [(one["kind"], one["title"]) for one in client.get("/api/bin").json()["entries"]]


def restore_all(client):
    for one in client.get("/api/bin").json()["entries"]:
        assert client.post(f"/api/bin/{one['id']}/restore", json={}).status_code == 204


def test_a_run_a_pipeline_and_an_upload_come_back_as_they_were(page, studio):
    workspace = studio.engine.workspace
    run = made_run(studio)
    draft = page.post("/api/pipelines", json={"pipeline": PIPELINE}).json()["id"]
    upload = send(page, b"abc")["name"]
    places = (run.path, studio.drafts.folder(draft), workspace.uploads)
    before = [content_of(place) for place in places]
    addresses = [f"/api/runs/{run.id}", f"/api/pipelines/{draft}"]
    for address in (*addresses, f"/api/uploads/finished/{upload}"):
        assert page.delete(address).status_code == 204
    assert [page.get(address).status_code for address in addresses] == [404, 404]
    assert page.get("/api/runs").json()["runs"] == []
    assert entries(page) == [("upload", upload), ("pipeline", "One"), ("run", "One")]
    restore_all(page)
    assert entries(page) == []
    found = [content_of(place) for place in places]
    found[0].pop("executor.lock", None)  # taken for a moment, so that nobody could begin
    assert [{**one} for one in found] == before
    assert [one["id"] for one in page.get("/api/runs").json()["runs"]] == [run.id]


def test_what_is_deleted_for_ever_is_gone(page, studio):
    draft = page.post("/api/pipelines", json={"pipeline": PIPELINE}).json()["id"]
    page.delete(f"/api/pipelines/{draft}")
    (one,) = page.get("/api/bin").json()["entries"]
    assert page.delete(f"/api/bin/{one['id']}").status_code == 204
    assert page.post(f"/api/bin/{one['id']}/restore", json={}).status_code == 404
    assert not any(draft in str(path) for path in studio.engine.workspace.root.rglob("*"))


def test_a_run_that_goes_on_is_not_deleted(page, studio, bin_of):
    run = made_run(studio)
    lock = try_lock(run.lock_file, "a test")  # as its executor holds it
    answer = page.delete(f"/api/runs/{run.id}")
    release(lock)
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "OutputInUseError")
    assert run.exists()
    assert bin_of.entries() == ()


def test_what_was_deleted_a_week_ago_is_swept_and_nothing_newer(page, studio, bin_of):
    draft = page.post("/api/pipelines", json={"pipeline": PIPELINE}).json()["id"]
    page.delete(f"/api/pipelines/{draft}")
    (one,) = bin_of.entries()
    assert bin_of.sweep(now=one.deleted + (BIN_DAYS - 0.01) * DAY_S) == 0
    tidy_once(studio)
    assert bin_of.entries() == (one,)
    assert bin_of.sweep(now=one.deleted + (BIN_DAYS + 0.01) * DAY_S) == 1
    assert bin_of.entries() == ()


def test_an_upload_is_not_restored_over_another_one(page, studio):
    send(page, b"abc")
    page.delete("/api/uploads/finished/photos.zip")
    send(page, b"another")
    (one,) = page.get("/api/bin").json()["entries"]
    answer = page.post(f"/api/bin/{one['id']}/restore", json={})
    assert answer.status_code == 409
    assert (studio.engine.workspace.uploads / "photos.zip").read_bytes() == b"another"
    assert entries(page) == [("upload", "photos.zip")]


def test_outputs_of_a_run_in_the_bin_stay_for_when_it_is_restored(page, studio):
    workspace = studio.engine.workspace
    run = made_run(studio)
    digest = "ab" * 32
    output = Output(object=digest, digest=digest, type="image_directory", size_bytes=2)
    facts = NodeFacts(state=NodeState.COMPLETED, time=2.0, key="cafe", outputs={"out": output})
    run.append_node("a", facts)
    workspace.object_folder(digest).mkdir(parents=True)
    workspace.object_record(digest).write_text("{}")
    page.delete(f"/api/runs/{run.id}")
    assert clean(workspace, limit_bytes=None).objects == ()
    (one,) = page.get("/api/bin").json()["entries"]
    page.delete(f"/api/bin/{one['id']}")
    assert clean(workspace, limit_bytes=None).objects == (digest,)


def test_what_comes_back_belongs_to_whom_it_belonged(asking, studio, bin_of):
    workspace = studio.engine.workspace
    eve, finn, ada = asking("eve"), asking("finn"), asking("ada")
    upload = send(eve, b"abc")["name"]
    eve.put(f"/api/uploads/finished/{upload}/shared", json={"is_shared": True})
    eve.delete(f"/api/uploads/finished/{upload}")
    assert entries(finn) == []
    assert entries(ada) == entries(eve) == [("upload", upload)]
    restore_all(eve)
    told = read_ownership(workspace.owner_of_upload(upload))
    assert told == Ownership(owner="eve", is_shared=True)


def test_a_name_that_was_private_once_does_not_hide_what_has_it_now(asking, page, studio):
    eve = asking("eve")
    upload = send(eve, b"abc")["name"]
    (studio.engine.workspace.uploads / upload).unlink()  # by hand: the file beside it stays
    assert send(page, b"another")["name"] == upload
    (told,) = asking("finn").get("/api/uploads").json()["finished"]
    assert (told["name"], told["owner"]) == (upload, "")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"owner": 1}', '{"is_shared": "yes"}'])
def test_a_damaged_note_of_whose_it_is_hides_the_thing_from_all_but_admins(asking, studio, text):
    run = made_run(studio)
    (run.path / "owner.json").write_text(text)
    assert asking("eve").get(f"/api/runs/{run.id}").status_code == 404
    assert asking("ada").get(f"/api/runs/{run.id}").status_code == 200
