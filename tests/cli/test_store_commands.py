"""``imageloom store``: how much room things take, and how it is freed."""

import json
import os

import pytest

from imageloom.cli.root import run
from imageloom.cli.screen import size_text

pytestmark = pytest.mark.usefixtures("toys", "workspace")


def json_of(capsys, *words: str) -> dict:
    capsys.readouterr()
    assert run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1536, "1.5 KiB"),
        (5 * 2**30, "5.0 GiB"),
        (3000 * 2**40, "3,000.0 TiB"),
    ],
)
def test_sizes_read_as_people_say_them(size, text):
    assert size_text(size) == text


def test_clean_frees_what_no_run_names_and_a_dry_run_frees_nothing(write, capsys):
    run_id = json_of(capsys, "run", write(a="number"))["run"]
    assert json_of(capsys, "store", "clean")["objects"] == []
    assert run(["runs", "delete", run_id]) == 0
    would = json_of(capsys, "store", "clean", "--dry-run")
    assert (len(would["objects"]), would["dry_run"]) == (1, True)
    capsys.readouterr()
    assert run(["store", "clean", "--dry-run", "--limit", "20"]) == 0
    assert capsys.readouterr().out.endswith("Next     imageloom store clean --limit 20\n")
    assert json_of(capsys, "store", "clean")["objects"] == would["objects"]
    assert json_of(capsys, "store", "clean")["objects"] == []


def test_above_the_limit_old_results_go_and_are_made_again_when_asked_for(write, capsys):
    path = write(a="number")
    assert run(["run", path]) == 0
    done = json_of(capsys, "store", "clean", "--limit", "0")
    assert (len(done["objects"]), done["kept_bytes"]) == (1, 0)
    assert json_of(capsys, "run", path)["nodes"]["a"]["state"] == "completed"


@pytest.mark.parametrize("limit", ["nan", "inf", "-1", "much"])
def test_a_limit_that_is_no_size_is_exit_2(limit, capsys):
    assert run(["store", "clean", "--limit", limit]) == 2
    assert "limit" in capsys.readouterr().err


def test_size_counts_every_part_of_the_workspace(write, workspace, capsys):
    assert run(["run", write(a="number")]) == 0
    content = json_of(capsys, "store", "size")
    assert content["workspace"] == str(workspace)
    for part in ("store", "runs"):
        files = [file for file in (workspace / part).rglob("*") if not file.is_dir()]
        assert content["bytes"][part] == sum(file.lstat().st_size for file in files)
    assert run(["store", "size"]) == 0
    assert "100 GiB of outputs" in capsys.readouterr().out


def kept_copy(home, name: str, size: int) -> None:
    folder = home / "downloads" / name
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "1.jpg").write_bytes(b"x" * size)
    (folder / "address.txt").write_text(f"s3://bucket/{name}")
    os.utime(folder / "files" / "1.jpg", (0, 0))


def test_copies_of_addresses_are_counted_and_go_above_their_limit(
    write, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("IMAGELOOM_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("IMAGELOOM_DOWNLOADS_LIMIT_GIB", f"{1500 / 2**30}")
    assert run(["run", write(a="number")]) == 0
    assert json_of(capsys, "store", "clean")["copies"] == []
    for name in ("ants", "bees"):
        kept_copy(tmp_path / "cache", name, 1000)
    assert json_of(capsys, "store", "size")["bytes"]["downloads"] >= 2000
    would = json_of(capsys, "store", "clean", "--dry-run")
    assert (would["copy_bytes"], would["kept_copy_bytes"]) == (1000, 1000)
    capsys.readouterr()
    assert run(["store", "clean"]) == 0
    assert f"copy of {would['copies'][0]}, 1,000 bytes" in capsys.readouterr().out
    left = json_of(capsys, "store", "clean")
    assert (left["copies"], left["kept_copy_bytes"]) == ([], 1000)


def test_rebuild_lists_all_runs_again(write, workspace, capsys):
    assert run(["run", write(a="number")]) == 0
    (workspace / "database.sqlite").unlink()
    assert json_of(capsys, "store", "rebuild") == {"runs": 1, "notices": []}
    assert len(json_of(capsys, "runs", "list")["runs"]) == 1


def test_an_upload_is_found_under_its_name(tmp_path, workspace, capsys):
    (tmp_path / "photos.zip").write_bytes(b"zip")
    content = json_of(capsys, "store", "upload", str(tmp_path / "photos.zip"), "--name", "ants")
    assert content["path"] == str(workspace / "uploads" / "ants")
    assert (workspace / "uploads" / "ants").read_bytes() == b"zip"


@pytest.mark.parametrize(
    "words",
    [
        ["runs", "list"],
        ["runs", "show", "last"],
        ["runs", "logs", "last"],
        ["runs", "compare", "last", "last"],
        ["runs", "cancel", "last"],
        ["runs", "delete", "last"],
        ["store", "size"],
        ["store", "clean"],
        ["store", "rebuild"],
        ["run", "--resume", "last"],
    ],
)
def test_a_workspace_with_a_typing_error_is_named_and_not_made(words, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    for name in ("wrokspace", "photos"):
        assert run([*words, "--workspace", str(tmp_path / name)]) == 1
        assert f"{tmp_path / name} is no workspace" in capsys.readouterr().err
    assert not (tmp_path / "wrokspace").exists()
    assert list((tmp_path / "photos").iterdir()) == []


def test_a_workspace_that_holds_only_uploads_is_one(tmp_path, capsys):
    (tmp_path / "photo.jpg").touch()
    place = ["--workspace", str(tmp_path / "new")]
    assert run(["store", "upload", str(tmp_path / "photo.jpg"), *place]) == 0
    assert run(["store", "size", *place]) == 0
