"""Settings, users, sessions, tokens and code are reached by no route that shows files (S29)."""

import dataclasses
import os
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import imageloom
from imageloom.app import Engine
from imageloom.errors import CouldNotOpenFileError
from imageloom.pipeline.run_record import NodeFacts
from imageloom.reports.evaluate_to import evaluate_to
from imageloom.run_report.node_files import REPORT
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.tables.scored_table import ScoredTable
from imageloom.server.results import scored_place
from imageloom.server.roots import Roots
from imageloom.server.sight import seen_place
from imageloom.spec.job import LOG_FILE, Output
from imageloom.spec.node_state import NodeState

from .conftest import TOKEN, all_operations
from .made_run import made_run

CANARY = "the canary sings"


@pytest.fixture
def private(studio, people, tmp_path):
    """Every file that nobody may reach; those that can hold a canary do."""
    settings = studio.engine.settings
    hidden = studio.base / ".config" / "imageloom" / "targets.toml"
    token = settings.home / "studio" / "token"
    for file in (hidden, token, studio.base / ".env", settings.home / "features" / "a.csv"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CANARY)
    people.sessions.begin("ada", people.users.find("ada"))
    (session,) = (studio.engine.workspace.people / "sessions").iterdir()
    run = made_run(studio)
    return [
        hidden,
        token,
        studio.base / ".env",
        settings.home / "features" / "a.csv",
        session,
        studio.engine.workspace.people / "users.json",
        studio.engine.workspace.people / "activity.jsonl",
        studio.engine.workspace.people,
        studio.engine.workspace.database,
        studio.engine.workspace.root,
        run.path / "run.json",
    ]


@pytest.fixture
def shared(studio, people, tmp_path):
    """The worst choice of a root: all that the owner has lies in it."""
    return dataclasses.replace(studio, people=people, roots=Roots.of((tmp_path,)))


def spellings(place, base):
    """Return ways to write a place, some over links."""
    link = base / f"link-{abs(hash(place))}"
    if not link.is_symlink():
        link.symlink_to(place)
        (base / f"{link.name}-up").symlink_to(place.parent)
    text = str(place)
    return [
        text,
        f"{text}/",
        f"{text}/.",
        f"/{text}",
        str(place.parent / "x" / ".." / place.name),
        os.path.relpath(place, base),
        text.upper(),
        str(place.parent / place.name.upper()),
        str(place.parent / place.name.title()),
        link.name,
        f"./{link.name}",
        f"{link.name}-up/{place.name}",
        f"file://{text}",
        f"{text}\0",
    ]


def test_no_place_of_a_page_shows_them(app, asking, shared, private, monkeypatch):
    monkeypatch.setattr(Engine, "start", lambda _self, _run: None)
    editor = asking("eve")
    asked = 0
    for place in private:
        for text in spellings(place, shared.base):
            for address in ("/api/places", "/api/places/description", "/api/places/left-out"):
                answer = editor.get(address, params={"path": text})
                assert (answer.status_code, place, text) == (404, place, text), answer.text
                assert CANARY not in answer.text
                asked += 1
            node = {"id": "a", "component": "dataset", "params": {"path": text}}
            pipeline = {"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]}
            answer = editor.post("/api/runs", json={"pipeline": pipeline})
            is_nothing = "\0" not in text and not (shared.base / text).exists()
            assert answer.status_code in (404, 422) or is_nothing, (text, answer.text)
            assert CANARY not in editor.post("/api/check", json={"pipeline": pipeline}).text
    assert asked > 400


def test_s14_nobody_has_an_address_asked_although_downloads_are_a_link_into_a_root(
    app, asking, shared, tmp_path, monkeypatch
):
    asked = []
    monkeypatch.setattr(Engine, "start", lambda _self, _run: None)
    monkeypatch.setattr("imageloom.data.dataset.fingerprint_of_address", asked.append)
    downloads = shared.engine.settings.downloads
    monkeypatch.setenv("IMAGELOOM_HOME", str(shared.engine.settings.home))
    (tmp_path / "large-disk").mkdir()
    downloads.parent.mkdir(parents=True, exist_ok=True)
    downloads.symlink_to(tmp_path / "large-disk")
    node = {"id": "a", "component": "dataset", "params": {"path": "s3://bucket/photos"}}
    pipeline = {"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]}
    for name in ("eve", "ada"):
        assert asking(name).post("/api/runs", json={"pipeline": pipeline}).status_code == 404
        asking(name).post("/api/check", json={"pipeline": pipeline})
    assert asked == []


def test_no_list_of_a_folder_leads_into_them(app, asking, shared, private, tmp_path):
    editor = asking("eve")
    for entry in editor.get("/api/places", params={"path": str(tmp_path)}).json()["entries"]:
        for found in (
            editor.get("/api/places", params={"path": entry["path"]}).json().get("entries", [])
        ):
            assert not any(found["path"] == str(place) for place in private), found


def test_code_of_ours_is_no_place_although_a_root_has_it(studio, people):
    code = Path(imageloom.__file__).parent
    roots = Roots.of((studio.base, code.parent))
    shared = dataclasses.replace(studio, people=people, roots=roots)
    for text in (code, code / "server" / "access.py", code / "server" / "static"):
        with pytest.raises(imageloom.errors.CouldNotOpenFileError, match="lies outside"):
            seen_place(shared, text)


def test_another_spelling_of_a_folder_is_that_folder(shared, private, monkeypatch, tmp_path):
    """As on a file system that does not tell A from a: links that no path resolves stand for it."""
    workspace, home = shared.engine.workspace.root, shared.engine.settings.home
    for folder in (workspace, home):
        folder.with_name(folder.name.upper()).symlink_to(folder)
    monkeypatch.setattr(os.path, "realpath", os.path.abspath)
    for place in (
        tmp_path / workspace.name.upper() / "people" / "users.json",
        tmp_path / home.name.upper() / "studio" / "token",
    ):
        assert place.exists()
        with pytest.raises(imageloom.errors.CouldNotOpenFileError, match="lies outside"):
            seen_place(shared, place)


@pytest.mark.slow
def test_no_name_in_an_address_leads_to_them(page, studio, private):
    """Of the machine's owner, too: what is sent is never one of these files."""
    secrets = [CANARY, 'format_version": 1, "users', TOKEN]
    known = {"run_id": made_run(studio, "20261101-120000-0009").id, "node": "a", "label": "worker"}
    for path in page.get("/api/openapi.json").json()["paths"]:
        for parameter in re.findall(r"{(\w+)}", path):
            for place in private:
                name = os.path.relpath(place, studio.engine.workspace.runs).replace("/", "%2F")
                values = {one: known.get(one, "x") for one in re.findall(r"{(\w+)}", path)}
                answer = page.get(path.format(**{**values, parameter: name}))
                assert not any(one in answer.text for one in secrets), (path, parameter, name)


def test_links_inside_a_run_and_the_page_lead_to_no_private_file(page, studio, private):
    """What could be put in the place of a served file by hand is a link, and none is followed."""
    run = made_run(studio, "20261101-120000-0003")
    run.report.symlink_to(studio.engine.workspace.people / "users.json")
    log = run.node_folder("a") / LOG_FILE
    log.parent.mkdir(parents=True)
    log.write_text("mine")
    assert page.get(f"/api/runs/{run.id}/nodes/a/logs/worker/file").text == "mine"
    log.unlink()
    log.symlink_to(private[1])
    (run.node_folder("a") / REPORT).symlink_to(private[1])
    for address in ("report", "nodes/a/report", "nodes/a/logs/worker", "nodes/a/logs/worker/file"):
        answer = page.get(f"/api/runs/{run.id}/{address}")
        assert answer.status_code == 404
        assert CANARY not in answer.text, address
        assert "argon2" not in answer.text, address


def test_every_route_is_looked_at_here_or_takes_no_name_of_a_file(app):
    """A new route with a part of an address that names a file must be thought about."""
    named = {part for _, path, _ in all_operations(app) for part in re.findall(r"{(\w+)}", path)}
    assert named == {
        "draft_id", "entry", "label", "name", "node", "offset", "picture", "port", "row", "run_id",
        "upload_id", "version",
    }  # fmt: skip


def test_scored_pictures_that_were_unpacked_in_the_workspace_are_shown_and_no_others(
    shared, tmp_path
):
    """A run's pictures may lie in the workspace, which is no folder that people look around in."""
    shared = dataclasses.replace(shared, roots=Roots.of((shared.base,)))
    workspace = shared.engine.workspace
    unpacked = workspace.root / "unpacked"
    with pytest.raises(CouldNotOpenFileError, match="outside the folders"):
        shared.roots.require(unpacked)
    for root, is_shown in ((unpacked, True), (shared.base, True), (tmp_path / "elsewhere", False)):
        run_id = f"20261103-120000-{len(workspace.run_names()):04}"
        run = made_run(shared, run_id)
        output = Output(type="EvaluationResults", object="0" * 64, digest="0" * 64, size_bytes=1)
        facts = NodeFacts(state=NodeState.COMPLETED, time=3.0, outputs={"evaluation": output})
        run.append_node("a", facts)
        made = tmp_path / f"made-{run_id}"
        root.mkdir(parents=True, exist_ok=True)
        table = ScoredTable(
            files=pa.array(["1.jpg", "2.jpg"], pa.string()),
            labels_N=np.array([0, 1], np.int32),
            classes=("ant", "bee"),
            predicted_N=np.array([0, 0], np.int32),
            probabilities_NK=np.array([[0.9, 0.1], [0.6, 0.4]], np.float32),
            root=root,
        )
        evaluate_to(table, made, params=EvaluateParams(thumbnails=False))
        (run.node_folder("a") / "outputs").mkdir(parents=True)
        made.rename(run.node_folder("a") / "outputs" / "evaluation")
        if is_shown:
            place = scored_place(shared, run_id, "a", 1)
            assert (place.folder, place.file) == (root.resolve(), "2.jpg")
        else:
            with pytest.raises(CouldNotOpenFileError, match="outside the folders"):
                scored_place(shared, run_id, "a", 1)
