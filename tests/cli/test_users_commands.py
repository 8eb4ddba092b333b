"""``imageloom users``, and what ``imageloom studio --listen`` refuses."""

import io
import json
import stat

import pytest

from imageloom.cli.root import run
from imageloom.server.people.passwords import is_password
from imageloom.server.people.register import People

PASSWORD = "correct horse battery"


@pytest.fixture
def people(tmp_path, monkeypatch):
    from imageloom.pipeline.workspace import Workspace

    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("IMAGELOOM_HOME", str(tmp_path / "home"))
    return People.of(Workspace(tmp_path / "workspace"))


@pytest.fixture
def typed(monkeypatch):
    """Return what gives a command a line on stdin."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def shown(capsys, *words, code=0):
    capsys.readouterr()
    assert run([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_users_are_added_listed_changed_and_removed(people, typed, capsys):
    typed(f"{PASSWORD}\n")
    assert shown(capsys, "users", "add", "ada", "--role", "admin")["role"] == "admin"
    typed(f"{PASSWORD}\n")
    assert shown(capsys, "users", "add", "bob")["role"] == "editor"
    listed = shown(capsys, "users", "list")["users"]
    assert [(one["name"], one["role"]) for one in listed] == [("ada", "admin"), ("bob", "editor")]
    assert PASSWORD not in json.dumps(listed)
    shown(capsys, "users", "role", "bob", "viewer")
    typed("another long password\n")
    shown(capsys, "users", "password", "bob")
    bob = people.users.find("bob")
    assert bob.role == "viewer"
    assert is_password("another long password", bob.password)
    shown(capsys, "users", "remove", "bob")
    assert list(people.users.all()) == ["ada"]
    deeds = shown(capsys, "users", "activity")["deeds"]
    assert [(one["what"], one["on"], one["address"]) for one in deeds] == [
        ("remove user", "bob", "terminal"),
        ("change password", "bob", "terminal"),
        ("change role", "bob", "terminal"),
        ("add user", "bob", "terminal"),
        ("add user", "ada", "terminal"),
    ]
    file = people.users._file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_command_takes_a_password_as_an_argument(people, typed, capsys):
    typed("")
    for words in (("add", "ada"), ("password", "ada")):
        error = shown(capsys, "users", *words, code=1)["error"]
        assert "stdin" in error["message"]
        assert run(["users", *words, "--password", PASSWORD]) == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("remove", "ada"), "only admin"),
        (("role", "ada", "viewer"), "only admin"),
        (("remove", "nobody"), "no user"),
        (("add", "ada"), "already"),
        (("add", "Ada B"), "cannot be the name"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(people, typed, capsys, words, text):
    typed(f"{PASSWORD}\n")
    shown(capsys, "users", "add", "ada", "--role", "admin")
    typed(f"{PASSWORD}\n")
    capsys.readouterr()
    assert run(["users", *words, "--json"]) != 0
    assert text in json.loads(capsys.readouterr().out)["error"]["message"]
    assert list(people.users.all()) == ["ada"]


def test_odd_text_in_the_record_is_shown_escaped(people, capsys):
    from imageloom.server.people.activity import Deed

    people.activity.append(Deed(time=1.0, who="eve", what="upload", on="\x1b]0;x\x07\u202e.zip"))
    capsys.readouterr()
    assert run(["users", "activity"]) == 0
    text = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "\\x1b" in text


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--listen", "127.0.0.1:0"), "no-admin"),
        (("--listen", "8460"), "no-place"),
    ],
)
def test_the_studio_listens_for_nobody_without_users_and_nowhere_odd(people, capsys, words, reason):
    assert run(["studio", *words, "--no-browser", "--json"]) != 0
    assert json.loads(capsys.readouterr().out)["error"]["reason"] == reason


@pytest.mark.parametrize(
    "words", [("--listen", "127.0.0.1:0", "--port", "1"), ("--origin", "https://a")]
)
def test_options_that_contradict_each_other_are_refused(people, words):
    assert run(["studio", *words, "--no-browser"]) == 2


def test_whoever_listens_on_all_addresses_must_name_one(people, typed, capsys):
    typed(f"{PASSWORD}\n")
    shown(capsys, "users", "add", "ada", "--role", "admin")
    error = shown(capsys, "studio", "--listen", "0.0.0.0:0", "--no-browser", code=1)["error"]
    assert "--origin" in error["hint"]
