"""Each sees what is theirs or shared: what is not is as if it were not there."""

import re

import pytest

from imageloom.pipeline.ownership import Ownership, write_ownership
from imageloom.pipeline.store.recycle_bin import binned
from imageloom.pipeline.store.unfinished_uploads import begin_upload

from .conftest import all_operations
from .made_pictures import ADDRESS, run_with_pictures
from .made_run import made_run

PIPELINE = {"format_version": 2, "kind": "pipeline", "name": "One", "nodes": []}
ABSENT = {
    "run_id": "20201101-120000-0001",
    "draft_id": "20201101-120000-0001",
    "upload_id": "0" * 32,
    "entry": "0" * 32,
}
REST = {
    **{"node": "a", "port": "out", "label": "worker", "row": "0", "version": "1", "offset": "0"},
    "picture": "0" * 64,
}
VOLATILE = re.compile(r'"request":"[0-9a-f]+"')


@pytest.fixture
def things(studio, shared, own):
    """One of each kind, all of eve's, by the name of the parameter that stands for it."""
    workspace = studio.engine.workspace
    run = made_run(studio)
    run.set_ownership(own("eve"))
    draft = studio.drafts.create(PIPELINE, saved_by="eve", ownership=own("eve"))
    upload = begin_upload(workspace, "photos.zip", 10, owner="eve")
    thrown = workspace.root / "thrown.zip"
    thrown.write_bytes(b"x")
    entry = binned("upload", "thrown.zip", "thrown.zip", by="eve", ownership=own("eve"))
    shared.recycle_bin.put(thrown, entry)
    return {
        "run_id": run.id,
        "draft_id": draft.id,
        "upload_id": upload.id,
        "entry": entry.id,
    }


def ask(client, method, path, values):
    body = {"is_shared": True} if path.endswith("/shared") else {}
    headers = {"content-type": "application/json", "if-match": '"1"'}
    return client.request(
        method, path.format(**values), json=None if method == "GET" else body, headers=headers
    )


@pytest.mark.parametrize("parameter", ABSENT)
def test_what_is_somebody_elses_is_answered_like_what_is_not_there(app, asking, things, parameter):
    finn = asking("finn")
    tried = 0
    for method, path, _ in all_operations(app):
        if f"{{{parameter}}}" not in path:
            continue
        path += "?sha256=0" if "parts" in path else ""
        hidden = ask(finn, method, path, {**REST, **things})
        absent = ask(finn, method, path, {**REST, **ABSENT})
        assert hidden.status_code == absent.status_code, (method, path)
        told = VOLATILE.sub("", hidden.text).replace(things[parameter], "ID")
        assert told == VOLATILE.sub("", absent.text).replace(ABSENT[parameter], "ID")
        assert hidden.status_code in (404, 422), (method, path)
        tried += 1
    assert tried >= (2 if parameter == "entry" else 3)


def test_a_shared_run_is_seen_with_all_that_belongs_to_it_and_changed_by_its_owner_alone(
    app, asking, things, studio
):
    eve, finn, vic, ada = map(asking, ("eve", "finn", "vic", "ada"))
    address = f"/api/runs/{things['run_id']}"
    assert finn.get("/api/runs").json()["runs"] == []
    told = eve.put(f"{address}/shared", json={"is_shared": True}).json()
    assert told == {"owner": "eve", "is_shared": True, "is_mine": True}
    for other in (finn, vic):
        assert [one["owner"] for one in other.get("/api/runs").json()["runs"]] == ["eve"]
        assert other.get(address).json()["ownership"]["is_mine"] is False
        assert other.get(f"{address}/nodes/a/logs").status_code == 200
        assert other.get("/api/events/now", params={"run": things["run_id"]}).status_code == 200
    for method, path in (
        ("POST", f"{address}/cancel"),
        ("POST", f"{address}/resume"),
        ("PUT", f"{address}/shared"),
        ("DELETE", address),
    ):
        answer = finn.request(method, path, json={"is_shared": False})
        assert (answer.status_code, answer.json()["error"]["reason"]) == (403, "not-yours")
    assert eve.put(f"{address}/shared", json={"is_shared": False}).status_code == 200
    assert finn.get(address).status_code == vic.get(address).status_code == 404
    assert finn.get("/api/runs").json()["runs"] == []
    assert ada.get(address).status_code == 200
    assert ada.delete(address).status_code == 204


def test_a_shared_pipeline_is_read_by_all_and_saved_by_its_owner_alone(asking, things):
    eve, finn = asking("eve"), asking("finn")
    address = f"/api/pipelines/{things['draft_id']}"
    assert finn.get("/api/pipelines").json() == []
    eve.put(f"{address}/shared", json={"is_shared": True})
    assert finn.get(address).status_code == 200
    assert finn.get(f"{address}/versions").status_code == 200
    save = {"json": {"pipeline": PIPELINE}, "headers": {"if-match": '"1"'}}
    assert finn.put(address, **save).status_code == 403
    assert finn.delete(address).status_code == 403
    assert eve.put(address, **save).status_code == 200
    assert finn.post("/api/pipelines", json={"pipeline": PIPELINE}).status_code == 201


@pytest.mark.parametrize(
    ("name", "whose", "expected"),
    [
        ("eve", "all", ["eve-own", "eve-shared", "finn-shared", "terminal"]),
        ("eve", "mine", ["eve-own", "eve-shared"]),
        ("eve", "shared", ["finn-shared", "terminal"]),
        ("vic", "all", ["eve-shared", "finn-shared", "terminal"]),
        ("vic", "mine", []),
        ("ada", "all", ["eve-own", "eve-shared", "finn-own", "finn-shared", "terminal"]),
        ("ada", "shared", ["eve-shared", "finn-shared", "terminal"]),
    ],
)
def test_lists_have_what_is_mine_what_is_shared_and_all_that_i_see(
    asking, studio, name, whose, expected
):
    for number, (key, owner, is_shared) in enumerate(
        [
            ("eve-own", "eve", False),
            ("eve-shared", "eve", True),
            ("finn-own", "finn", False),
            ("finn-shared", "finn", True),
            ("terminal", "", True),
        ]
    ):
        run = made_run(studio, f"20261101-120000-000{number}")
        if owner:
            run.set_ownership(Ownership(owner=owner, is_shared=is_shared))
        if owner:
            ownership = Ownership(owner=owner, is_shared=is_shared)
            named = {**PIPELINE, "name": key}
            studio.drafts.create(named, saved_by=owner, ownership=ownership)
        else:
            studio.drafts.create({**PIPELINE, "name": key}, saved_by="root")
    keys = ["eve-own", "eve-shared", "finn-own", "finn-shared", "terminal"]
    client = asking(name)
    drafts = client.get("/api/pipelines", params={"whose": whose}).json()
    assert sorted(one["name"] for one in drafts) == expected
    runs = client.get("/api/runs", params={"whose": whose}).json()["runs"]
    assert sorted(keys[int(one["id"][-1])] for one in runs) == expected


def test_what_a_user_makes_is_theirs_alone_and_what_the_terminal_made_is_everybodys(asking, studio):
    eve, finn, vic = asking("eve"), asking("finn"), asking("vic")
    draft = eve.post("/api/pipelines", json={"pipeline": PIPELINE}).json()["id"]
    assert finn.get(f"/api/pipelines/{draft}").status_code == 404
    run = made_run(studio)
    assert vic.get(f"/api/runs/{run.id}").json()["ownership"] == {
        "owner": "",
        "is_shared": True,
        "is_mine": False,
    }
    assert finn.delete(f"/api/runs/{run.id}").status_code == 403


def test_nobody_looks_into_the_workspace_and_each_only_at_uploads_they_see(asking, studio):
    workspace = studio.engine.workspace
    for name, owner in (("eves", "eve"), ("old", "")):
        (workspace.uploads / name / "cats").mkdir(parents=True)
        if owner:
            workspace.owner_of_upload(name).parent.mkdir(exist_ok=True)
            workspace.owner_of_upload(name).write_text(
                f'{{"owner": "{owner}", "is_shared": false}}'
            )
    eve, finn = asking("eve"), asking("finn")
    (studio.base / "into").symlink_to(workspace.uploads / "eves")

    def sees(client, path):
        return client.get("/api/places", params={"path": str(path)}).status_code == 200

    assert sees(eve, studio.base)
    for hidden in (workspace.root, workspace.people, workspace.uploads, workspace.runs, "/"):
        assert not sees(eve, hidden), hidden
    assert sees(eve, workspace.uploads / "eves")
    assert sees(finn, workspace.uploads / "old" / "cats")
    assert not sees(finn, workspace.uploads / "eves")
    assert not sees(finn, studio.base / "into")
    names = [one["name"] for one in finn.get("/api/uploads").json()["finished"]]
    assert names == ["old"]


def test_a_pipeline_that_reads_somebody_elses_upload_neither_runs_nor_tells_of_it(asking, studio):
    workspace = studio.engine.workspace
    (workspace.uploads / "eves" / "cats").mkdir(parents=True)
    workspace.owner_of_upload("eves").parent.mkdir()
    workspace.owner_of_upload("eves").write_text('{"owner": "eve", "is_shared": false}')
    finn = asking("finn")

    def lights(upload):
        node = {"id": "data", "component": "dataset", "params": {"upload": upload}}
        pipeline = {**PIPELINE, "nodes": [node]}
        ran = finn.post("/api/runs", json={"pipeline": pipeline})
        light = finn.post("/api/check", json={"pipeline": pipeline}).json()["nodes"]["data"]
        return ran.status_code, light["why"].replace(upload, "NAME"), light["state"]

    assert lights("eves") == lights("none")
    assert lights("eves")[::2] == (404, "incomplete")


@pytest.fixture
def drawings_of_scenes(studio, own):
    """Drawings that have the node whose pictures are looked at, by who may change them."""
    images = run_with_pictures(studio)
    digest = images.index.column("sha256")[0].as_py().hex()
    asked = {"corrections": [{"file": "a/0.png", "sha256": digest, "label": None}]}
    pipeline = studio.engine.workspace.run(ADDRESS.split("/")[3]).record().pipeline
    made = {}
    for name, ownership in (
        ("eve", own("eve")),
        ("finn", own("finn")),
        ("shared", Ownership(owner="finn", is_shared=True)),
    ):
        drawn = {**pipeline, "name": name}
        made[name] = studio.drafts.create(drawn, saved_by="x", ownership=ownership).id
    return made, asked


@pytest.mark.processes
def test_corrections_reach_no_drawing_that_is_somebody_elses(asking, studio, drawings_of_scenes):
    made, asked = drawings_of_scenes
    eve = asking("eve")
    absent = eve.post(f"{ADDRESS}/corrections", json={**asked, "draft": "20201101-120000-0001"})
    hidden = eve.post(f"{ADDRESS}/corrections", json={**asked, "draft": made["finn"]})
    assert (absent.status_code, hidden.status_code) == (404, 404)
    assert "finn" not in hidden.text.replace(made["finn"], "")
    shared = eve.post(f"{ADDRESS}/corrections", json={**asked, "draft": made["shared"]})
    assert (shared.status_code, shared.json()["error"]["reason"]) == (403, "not-yours")
    for name in ("finn", "shared"):
        assert studio.drafts.read(made[name]).version == 1
    assert eve.post(f"{ADDRESS}/corrections", json={**asked, "draft": made["eve"]}).is_success


@pytest.mark.processes
def test_a_drawing_that_corrections_make_is_its_makers_alone(asking, drawings_of_scenes):
    _, asked = drawings_of_scenes
    eve, finn = asking("eve"), asking("finn")
    draft = eve.post(f"{ADDRESS}/corrections", json=asked).json()["id"]
    assert finn.get(f"/api/pipelines/{draft}").status_code == 404
    told = eve.get(f"/api/pipelines/{draft}/ownership").json()
    assert told == {"owner": "eve", "is_shared": False, "is_mine": True}


@pytest.mark.processes
def test_the_page_of_pictures_names_drawings_that_one_may_change_and_no_others(
    asking, drawings_of_scenes
):
    def named(name):
        return {one["name"] for one in asking(name).get(ADDRESS).json()["drawings"]}

    assert named("eve") == {"eve"}
    assert named("finn") == {"finn", "shared"}
    assert named("vic") == set()
    assert named("ada") == {"eve", "finn", "shared"}


def test_an_upload_is_deleted_while_a_run_that_one_may_not_see_goes_on(asking, studio, own):
    workspace = studio.engine.workspace
    for name in ("mine", "theirs"):
        (workspace.uploads / name).mkdir(parents=True)
        write_ownership(workspace.owner_of_upload(name), own("eve"))
    running = made_run(studio, params={"upload": "theirs"}, is_ended=False)
    running.set_ownership(own("finn"))
    eve = asking("eve")
    with running.execution_lock():
        assert eve.delete("/api/uploads/finished/mine").status_code == 204
        kept = eve.delete("/api/uploads/finished/theirs")
    assert (kept.status_code, kept.json()["error"]["reason"]) == (409, "in-use")
    assert running.id not in kept.text
