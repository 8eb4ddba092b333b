"""``imageloom agent join``: what is refused at once, and where the key may not stand."""

import json
import sys

import pytest

from imageloom.cli import failures
from imageloom.cli.root import run
from imageloom.launch import agent
from imageloom.launch.cluster import connection


@pytest.mark.parametrize(
    ("address", "words"), [("head", "ADDRESS:PORT"), ("head:99999", "ports"), ("head:0", "ports")]
)
def test_what_is_no_address_is_a_mistake_in_the_command(capsys, address, words):
    assert run(["agent", "join", address, "--token", "key"]) == 2
    assert words.removesuffix("s") in capsys.readouterr().err


def test_who_waits_for_an_address_where_nobody_listens_is_told(capsys, monkeypatch):
    monkeypatch.setattr(connection, "SAY_S", 0.0)
    monkeypatch.setattr(agent, "CONNECT_S", 0.5)
    assert run(["agent", "join", "127.0.0.1:1", "--token", "key"]) == 1
    said = capsys.readouterr().err
    words = "No connection to 127.0.0.1:1 yet: connection refused. Trying for 0.5 s in all."
    assert said.count(words) == 1


def test_who_gives_no_token_is_told_both_ways(capsys):
    assert run(["agent", "join", "head:29400"]) == 2
    said = capsys.readouterr().err
    assert "--token" in said
    assert "IMAGELOOM_TOKEN" in said


def test_the_token_may_stand_in_the_environment(monkeypatch, tmp_path):
    heard = []
    # A stand-in, because nobody leads here.
    monkeypatch.setattr(agent, "join_run", lambda leader, **_: heard.append(leader) or tmp_path)
    monkeypatch.setenv("IMAGELOOM_TOKEN", "key")
    assert run(["agent", "join", "head:29400"]) == 0
    assert (heard[0].address, heard[0].port, heard[0].token) == ("head", 29400, "key")


@pytest.mark.parametrize("words", [["--token", "secret"], ["--token=secret"]])
def test_s10_the_token_is_not_kept_with_the_traceback_of_a_crash(monkeypatch, tmp_path, words):
    monkeypatch.setenv("IMAGELOOM_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["imageloom", "agent", "join", "head:29400", *words])
    failures.known_error(TypeError("unexpected"))
    (crash,) = (tmp_path / "crashes").iterdir()
    assert "secret" not in crash.read_text()
    assert json.loads(crash.read_text())["command"][:3] == ["agent", "join", "head:29400"]
