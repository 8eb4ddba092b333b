"""``imageloom studio``: what it says before it answers."""

import pytest

from imageloom import doctor
from imageloom.cli.root import run
from imageloom.server.serve import Listening


@pytest.fixture
def studio(tmp_path, monkeypatch, capsys):
    """Return what the command prints; it takes a port, and ends as if somebody had stopped it."""
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("IMAGELOOM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Listening, "run", lambda self, _cancel: self.listener.close())

    def printed():
        assert run(["studio", "--no-browser", "--port", "0"]) == 0
        return capsys.readouterr().out

    return printed


@pytest.mark.parametrize(("kind", "is_said"), [("", False), ("nfs4", True)])
def test_j04_a_workspace_on_a_network_disk_is_said_with_what_it_needs(
    studio, monkeypatch, kind, is_said
):
    monkeypatch.setattr(doctor, "network_disk", lambda _folder: kind)
    text = " ".join(studio().split())
    assert ("is on a network disk (nfs4)" in text) is is_said
    assert ("IMAGELOOM_DATABASE_URL" in text) is is_said
