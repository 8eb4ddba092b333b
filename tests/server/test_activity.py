"""Who did what: written down, bounded, for admins alone, and without secrets."""

import json
import stat

import pytest

from imageloom.server.people.activity import Activity, Deed

from .conftest import HOME, PASSWORD
from .made_run import made_run

PIPELINE = {"format_version": 2, "kind": "pipeline", "name": "One", "nodes": []}


def told(activity):
    return [(one.who, one.what, one.outcome) for one in activity.newest()]


def test_what_people_do_is_written_down_with_how_it_ended(asking, people, studio):
    stranger = asking()
    run = made_run(studio)
    finn, ada = asking("finn"), asking("ada")
    stranger.post("/api/session/sign-in", json={"name": "eve", "password": PASSWORD})
    draft = stranger.post("/api/pipelines", json={"pipeline": PIPELINE}).json()["id"]
    stranger.post("/api/session/sign-out", json={})
    finn.delete(f"/api/runs/{run.id}")
    finn.put("/api/users/eve/role", json={"role": "admin"})
    ada.put(f"/api/runs/{run.id}/shared", json={"is_shared": False})
    deeds = people.activity.newest()
    assert [(one.who, one.what, one.on, one.outcome) for one in deeds] == [
        ("ada", "unshare run", run.id, "done"),
        ("finn", "change role", "eve", "403"),
        ("finn", "delete run", run.id, "403"),
        ("eve", "sign out", "", "done"),
        ("eve", "begin pipeline", draft, "done"),
        ("eve", "sign in", "", "done"),
    ]
    assert {one.address for one in deeds} == {"testclient"}


def test_looking_leaves_no_line(asking, people):
    ada = asking("ada")
    for path in ("runs", "pipelines", "users", "activity", "bin"):
        ada.get(f"/api/{path}")
    ada.post("/api/check", json={"pipeline": PIPELINE})
    assert told(people.activity) == []


def test_no_password_is_written_down_not_even_one_typed_as_the_name(asking, people, studio):
    stranger, ada = asking(), asking("ada")
    stranger.post("/api/session/sign-in", json={"name": PASSWORD, "password": "x" * 20})
    stranger.post("/api/session/sign-in", json={"name": "eve", "password": PASSWORD + "y"})
    ada.put("/api/users/eve/password", json={"password": "a very new password"})
    ada.post("/api/users", json={"name": "new", "role": "viewer", "password": "another, newer"})
    assert told(people.activity) == [
        ("ada", "add user", "done"),
        ("ada", "change password", "done"),
        ("eve", "sign in", "401"),
        ("(an unknown name)", "sign in", "401"),
    ]
    text = "".join(
        one.read_text() for one in studio.engine.workspace.people.glob("activity*") if one.is_file()
    )
    for secret in (PASSWORD, "very new", "newer", "xxxx"):
        assert secret not in text


def test_it_is_shown_to_admins_alone_page_by_page(asking, people):
    for number in range(5):
        people.activity.append(Deed(time=float(number), who="eve", what="begin run"))
    assert asking("eve").get("/api/activity").status_code == 403
    ada = asking("ada")
    first = ada.get("/api/activity", params={"limit": 3}).json()
    rest = ada.get("/api/activity", params={"limit": 3, "offset": 3}).json()
    assert [one["time"] for one in first["deeds"] + rest["deeds"]] == [4, 3, 2, 1, 0]
    assert (first["more"], rest["more"]) == (True, False)


def test_it_takes_bounded_room_and_keeps_the_newest(tmp_path):
    activity = Activity(tmp_path, max_file_bytes=2_000)
    for number in range(200):
        activity.append(Deed(time=float(number), who="eve", what="begin run", on="x" * 10_000))
    size = sum(one.stat().st_size for one in tmp_path.glob("activity*"))
    assert size < 2 * (2_000 + 500)
    times = [one.time for one in activity.newest(limit=1_000)]
    assert times == sorted(times, reverse=True)
    assert times[0] == 199
    assert len(times) > 5
    modes = {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.glob("activity*.jsonl")}
    assert modes == {0o600}


def test_a_line_that_was_cut_takes_no_other_with_it(tmp_path):
    activity = Activity(tmp_path)
    activity.append(Deed(time=1.0, who="eve", what="begin run"))
    with (tmp_path / "activity.jsonl").open("ab") as file:
        file.write(b'{"time": 2.0, "who": "ev')
    activity.append(Deed(time=3.0, who="eve", what="stop run"))
    assert [one.time for one in activity.newest()] == [3.0, 1.0]


@pytest.mark.parametrize("name", ["\x1b]0;title\x07", "a\rb", "\u202etxt", "<script>"])
def test_odd_names_reach_the_record_as_text(asking, people, name):
    asking("ada").delete(f"{HOME}/api/users/{json.dumps(name)[1:-1].replace('/', '')}")
    (deed,) = people.activity.newest()
    assert deed.outcome == "404"
    lines = (people.activity._file).read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].isascii()
