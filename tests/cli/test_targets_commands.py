"""``imageloom targets``: what can run where, as a table and as JSON."""

import json

import pytest

from imageloom.cli.root import run


@pytest.fixture
def targets(tmp_path, monkeypatch):
    """Name a file with a Slurm that this machine does not reach."""
    file = tmp_path / "targets.toml"
    file.write_text('[lab]\nkind = "slurm"\nmax_nodes = 4\n', encoding="utf-8")
    monkeypatch.setenv("IMAGELOOM_TARGETS", str(file))
    monkeypatch.setenv("PATH", "/nowhere")
    return file


@pytest.mark.parametrize("words", [[], ["list"]])
def test_targets_are_listed_with_their_limits_and_whether_they_can_be_reached(
    targets, capsys, words
):
    assert run(["targets", *words]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "local This machine 1" in shown
    assert "lab Slurm 4 1 There is no command 'scontrol'" in shown
    assert str(targets) in shown


def test_the_list_is_json_too(targets, capsys):
    assert run(["targets", "list", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    found = {one["name"]: one for one in content["targets"]}
    assert list(found) == ["local", "machines", "lab"]
    assert (found["lab"]["nodes"], found["local"]["trouble"]) == (4, "")


def test_a_target_out_of_reach_or_unknown_is_not_tried(targets, capsys):
    assert run(["targets", "check", "lab"]) == 1
    assert "There is no command 'scontrol'" in capsys.readouterr().err
    assert run(["targets", "check", "lob"]) == 1
    assert "Did you mean lab" in capsys.readouterr().err
