"""The commands on real files: what they write, print and return, one after the other."""

import hashlib
import json
import math
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from networks import TINY
from PIL import Image

from imageloom.cli.root import run
from imageloom.data.images.directory import load_image_directory

CLASSES = {"007": (200, 40, 40), "NA": (40, 200, 40), "bee": (40, 40, 200)}
SECRETS = {"TOKEN": "tok-81723", "PASSWORD": "pw-55120", "AWS_SECRET_ACCESS_KEY": "aws-9917"}


def write_photos(folder: Path, per_class: int = 12) -> Path:
    generator = np.random.default_rng(0)
    for name, colour in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            noise = generator.integers(-40, 40, (32, 32, 3))
            pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:02}.png")
    return folder


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_photos(tmp_path / "photos")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with photos, their parts, a run and its scores, made by the commands alone."""
    folder = tmp_path_factory.mktemp("whole path")  # with a space, as people have
    write_photos(folder / "photos")
    here = Path.cwd()
    os.environ.update(SECRETS)
    os.chdir(folder)
    try:
        for line in (
            "data convert photos --out pictures",
            "data split pictures --fraction 0.5 --third-fraction 0.25 --first train "
            "--second validation --third test",
            f"train --model {TINY} --epochs 2 --batch-size 6 --learning-rate 0.01 "
            "--precision float32 --train train --validation validation --out run",
            "score --model run --data test --out scores.parquet",
            "score --model run/model --data photos --out scores.csv",
            "evaluate scores.parquet --out evaluation",
            "evaluate scores.parquet scores.csv --out comparison",
        ):
            assert run(line.split()) == 0, line
    finally:
        os.chdir(here)
        for name in SECRETS:
            del os.environ[name]
    return folder


def test_convert_counts_lists_and_leaves_the_source_alone(photos, capsys):
    before = fingerprint(photos)
    assert run(["data", "convert", "photos", "--out", "pictures"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].split() == ["Class", "Pictures"]
    assert [line.split() for line in lines[2:6]] == [
        ["007", "12"],
        ["NA", "12"],
        ["bee", "12"],
        ["all", "36"],
    ]
    assert lines[6] == f"Wrote    {photos.parent}/pictures (36 pictures)"
    assert lines[7].startswith("Next     imageloom data split pictures --first")
    assert fingerprint(photos) == before
    assert load_image_directory(photos.parent / "pictures").classes == ("007", "NA", "bee")


def test_convert_shows_what_was_left_out_and_where_all_are_listed(photos, capsys):
    (photos / "bee" / "[red]x\x1b[2J.png").write_text("no picture")
    (photos / "bee" / "cut.png").write_bytes((photos / "bee" / "00.png").read_bytes()[:200])
    words = ["data", "convert", "photos", "--out", "pictures"]
    assert run([*words, "--max-rejected-fraction", "0.2"]) == 0
    out = capsys.readouterr().out
    assert "2 files left out (5.3 %):" in out
    assert "bee/[red]x\\x1b[2J.png" in out
    assert f"List     {photos.parent}/pictures/rejected.jsonl" in out


def test_a47_above_the_limit_nothing_is_written(photos, capsys):
    (photos / "bee" / "x.png").write_text("no picture")
    assert run(["data", "convert", "photos", "--out", "pictures"]) == 1
    assert capsys.readouterr().err.splitlines()[-3].startswith("InvalidDatasetError (0018)")
    assert not (photos.parent / "pictures").exists()


def test_convert_as_json(photos, capsys):
    assert run(["data", "convert", "photos", "--out", "pictures", "--json"]) == 0
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    assert captured.err == ""
    assert content["image_directory"] == str(photos.parent / "pictures")
    assert content["images_per_class"] == {"007": 12, "NA": 12, "bee": 12}
    assert (content["left_out"], content["labelled"]) == (0, True)


def test_what_exists_is_not_overwritten(photos, capsys):
    (photos.parent / "pictures").mkdir()
    (photos.parent / "pictures" / "mine.txt").write_text("mine")
    assert run(["data", "convert", "photos", "--out", "pictures"]) == 1
    assert capsys.readouterr().err.startswith("FailedToWriteOutputsError (0160)")
    assert (photos.parent / "pictures" / "mine.txt").read_text() == "mine"


def test_pictures_without_classes_can_be_converted_and_the_next_step_is_scoring(photos, capsys):
    assert run(["data", "convert", "photos/bee", "--out", "pictures"]) == 0
    assert "Next     imageloom score --model RUN --data pictures" in capsys.readouterr().out


def test_after_a_split_of_pictures_without_labels_the_next_step_is_scoring(photos, capsys):
    words = ["data", "split", "photos", "--labels", "none", "--first", "a", "--second", "b"]
    assert run(words) == 0
    assert "Next     imageloom score --model RUN --data a --out" in capsys.readouterr().out


def test_split_takes_a_plain_folder_and_every_picture_once(photos, capsys):
    words = ["data", "split", "photos", "--fraction", "0.75"]
    assert run([*words, "--first", "a", "--second", "b", "--json"]) == 0
    parts = json.loads(capsys.readouterr().out)["parts"]
    assert [part["images"] for part in parts] == [27, 9]
    first, second = (load_image_directory(Path(part["image_directory"])) for part in parts)
    names = [images.file(row) for images in (first, second) for row in range(len(images))]
    assert len(names) == len(set(names)) == 36


def test_split_shows_the_parts_side_by_side(photos, capsys):
    words = ["--first", "a", "--second", "b", "--third", "c", "--third-fraction", "0.25"]
    assert run(["data", "split", "photos", "--fraction", "0.5", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Class", "First", "Second", "Third"]
    assert lines[2].split() == ["007", "6", "3", "3"]
    assert lines[-1] == (
        "Next     imageloom train --model resnet18 --train a --validation b --out run"
    )


@pytest.mark.parametrize("flag", [["--third", "c"], ["--third-fraction", "0.2"]])
def test_a_third_part_needs_its_place_and_its_share(flag, photos, capsys):
    assert run(["data", "split", "photos", "--first", "a", "--second", "b", *flag]) == 2
    assert "go together" in capsys.readouterr().err


def test_split_writes_nothing_when_one_place_is_taken(photos):
    (photos.parent / "b").mkdir()
    (photos.parent / "b" / "mine.txt").write_text("mine")
    assert run(["data", "split", "photos", "--first", "a", "--second", "b"]) == 1
    assert not (photos.parent / "a").exists()


@pytest.mark.parametrize("fraction", ["0", "1", "nan", "-1", "0,5"])
def test_c09_a_share_outside_0_to_1_is_refused(fraction, photos, capsys):
    words = ["data", "split", "photos", "--first", "a", "--second", "b"]
    assert run([*words, "--fraction", fraction]) == 1
    assert "fraction is" in capsys.readouterr().err


def test_check_finds_leaks_and_changed_files(photos, capsys):
    assert run(["data", "split", "photos", "--first", "a", "--second", "b"]) == 0
    (photos / "extra" / "bee").mkdir(parents=True)
    leak = photos.parent / "other" / "bee" / "copy.png"
    leak.parent.mkdir(parents=True)
    leak.write_bytes((photos / "bee" / "03.png").read_bytes())
    capsys.readouterr()
    assert run(["data", "check", "b", "--against", "a"]) == 0
    assert "no file is in both" in capsys.readouterr().out
    assert run(["data", "check", "a", "--against", "other"]) in (0, 1)
    assert "2 only here: '007', 'NA'" in capsys.readouterr().out
    assert run(["data", "check", "a", "--against", "other", "--json"]) in (0, 1)
    content = json.loads(capsys.readouterr().out)
    assert [pair[1] for pair in content["comparison"]["leaks"]] == ["bee/copy.png"]
    assert content["comparison"]["missing_classes"] == ["007", "NA"]


def test_equal_files_that_check_lists_are_not_told_a_second_time_as_a_notice(photos, capsys):
    (photos / "bee" / "copy.png").write_bytes((photos / "007" / "00.png").read_bytes())
    assert run(["data", "convert", "photos", "--out", "pictures"]) == 0
    assert "1 picture stands under more than one label" in capsys.readouterr().err
    assert run(["data", "check", "pictures"]) == 0
    shown = capsys.readouterr().out
    assert "1 set of equal files with different labels" in shown
    assert "under more than one label" not in shown


def test_moved_pictures_are_checked_split_and_scored_where_they_are_now(trained, photos, capsys):
    assert run(["data", "convert", "photos", "--out", "pictures"]) == 0
    photos.rename("moved")
    capsys.readouterr()
    assert run(["data", "check", "pictures"]) == 1
    assert "--root NEW" in capsys.readouterr().err
    assert run(["data", "check", "pictures", "--root", "moved"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("--against OTHER --root moved")
    assert run(["data", "check", "pictures", "--root", "moved", "--json"]) == 0
    (notice,) = json.loads(capsys.readouterr().out)["notices"]
    assert f"{photos} is now {photos.parent}/moved, proven by SHA-256." in notice["message"]
    words = ["--root", "moved", "--first", "a", "--second", "b"]
    assert run(["data", "split", "pictures", *words]) == 0
    assert load_image_directory(Path("a")).root == photos.parent / "moved"
    words = ["--data", "pictures", "--out", "moved.parquet"]
    assert run(["score", "--model", str(trained / "run"), *words]) == 1
    assert run(["score", "--model", str(trained / "run"), *words, "--root", "moved"]) == 0
    assert "(36 rows)" in capsys.readouterr().out


def test_a_flood_of_equal_pictures_takes_a_line_on_the_screen_and_is_listed_in_json(photos, capsys):
    for name in ("007", "bee"):
        for number in range(60):
            copy = photos / name / f"copy-{number:03}.png"
            copy.write_bytes((photos / name / "00.png").read_bytes())
    assert run(["data", "check", "photos", "--against", "photos"]) == 0
    captured = capsys.readouterr()
    assert "imageloom train" not in captured.out  # validation pictures must not be trained on
    assert "take the equal files out of one of the two" in captured.out
    assert "007/00.png, 007/copy-000.png, 007/copy-001.png and 58 more" in captured.out
    assert "122 of 156 pictures stand more than once" in captured.err
    assert (captured.out + captured.err).count("copy-") < 20
    assert run(["data", "check", "photos", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [len(files) for files in content["duplicates"]] == [61, 61]
    assert content["counts"]["files_in_duplicates"] == 122


def test_a_picture_under_two_labels_is_shown_with_a_file_of_each(photos, capsys):
    for name in ("copy-1", "copy-2", "copy-3"):
        (photos / "007" / f"{name}.png").write_bytes((photos / "007" / "00.png").read_bytes())
    (photos / "bee" / "copy.png").write_bytes((photos / "007" / "00.png").read_bytes())
    assert run(["data", "check", "photos"]) == 0
    out = capsys.readouterr().out
    assert "1 set of equal files with different labels:" in out
    assert "007/00.png, bee/copy.png, 007/copy-1.png and 2 more" in out
    assert "with one label" not in out


def test_what_a_split_could_not_do_is_said_once(photos, capsys):
    for number in range(30):
        copy = photos / "bee" / f"copy-{number}.png"
        copy.write_bytes((photos / "bee" / "00.png").read_bytes())
    assert run(["data", "split", "photos", "--first", "a", "--second", "b"]) == 0
    captured = capsys.readouterr()
    out = captured.out + captured.err
    assert out.count("1 picture stands in more than one part with equal bytes") == 1


def test_a07_check_reads_every_file_again_and_fails_when_one_changed(photos, capsys):
    assert run(["data", "convert", "photos", "--out", "pictures"]) == 0
    file = photos / "bee" / "03.png"
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    capsys.readouterr()
    assert run(["data", "check", "pictures"]) == 1
    out = capsys.readouterr().out
    assert "1 file changed or gone:" in out
    assert "bee/03.png" in out


def test_create_writes_a_model_that_train_takes(photos, capsys):
    assert run(["model", "create", "resnet18", "--stem", "small", "--out", "model"]) == 0
    out = capsys.readouterr().out
    assert "resnet18, random weights" in out
    assert "Next     imageloom train --model model --train TRAIN" in out
    assert (photos.parent / "model" / "model.json").is_file()


def test_e08_an_unknown_network_suggests_the_nearest(photos, capsys):
    assert run(["model", "create", "resnet19", "--out", "model"]) == 1
    err = capsys.readouterr().err
    assert "resnet19" in err
    assert "Did you mean resnet18" in err


@pytest.mark.slow
def test_train_says_where_the_run_is_and_one_line_per_epoch(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    words = ["--epochs", "2", "--batch-size", "6", "--precision", "float32"]
    places = ["--train", str(trained / "train"), "--validation", "validation", "--out", "again"]
    assert run(["train", "--model", TINY, *words, *places]) == 0
    captured = capsys.readouterr()
    epochs = [line for line in captured.err.splitlines() if line.strip()[:1] in ("1", "2")]
    assert len(epochs) == 2
    assert captured.out.splitlines()[0].startswith("Best     epoch ")
    assert f"Wrote    {trained}/again" in captured.out
    assert "Next     imageloom score --model again --data PICTURES" in captured.out


@pytest.mark.slow
def test_train_finds_the_parts_of_one_folder_and_says_which(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for part, source in (("train", "train"), ("val", "validation"), ("test", "test")):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / part).symlink_to(trained / source)  # image directories will do
    words = ["--epochs", "1", "--batch-size", "6", "--precision", "float32"]
    assert run(["train", "--model", TINY, "--data", "data", "--out", "run", *words]) == 0
    told = f"Training on {tmp_path}/data/train, validating on {tmp_path}/data/val. "
    assert told + f"{tmp_path}/data/test is left for the last test." in capsys.readouterr().err
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["data"]["training"]["images"] == 18
    assert record["data"]["validation"]["images"] == 9


@pytest.mark.slow
def test_how_many_processes_read_says_nothing_of_how_plain_folders_are_opened(tmp_path):
    """-1 is a number of --workers in a training, and none in a conversion."""
    for part in ("train", "val"):
        write_photos(tmp_path / "parts" / part)
    words = ["--epochs", "1", "--batch-size", "6", "--workers", "-1", "--out", str(tmp_path / "r")]
    assert run(["train", "--model", TINY, "--data", str(tmp_path / "parts"), *words]) == 0


def test_a_class_that_only_training_has_is_named(photos, tmp_path, capsys):
    for part in ("train", "val"):
        write_photos(tmp_path / "parts" / part)
    for path in (tmp_path / "parts" / "val" / "bee").iterdir():
        path.unlink()
    (tmp_path / "parts" / "val" / "bee").rmdir()
    words = ["train", "--model", TINY, "--data", "parts", "--out", "run"]
    assert run(words) == 1
    assert "The validation pictures lack the class 'bee'." in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("words", [["--train", "photos"], ["--validation", "photos"]])
def test_one_folder_of_parts_and_single_parts_exclude_each_other(photos, capsys, words):
    command = ["train", "--model", TINY, "--data", "photos", "--out", "run"]
    assert run([*command, *words]) == 2
    assert f"--data finds both parts by itself, so it cannot be joined with {words[0]}" in " ".join(
        capsys.readouterr().err.split()
    )


def test_resuming_a_finished_run_shows_it_again_and_changes_nothing(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    before = fingerprint(trained / "run" / "model")
    assert run(["train", "--resume", "run"]) == 0
    captured = capsys.readouterr()
    assert "epoch  train loss" in captured.err
    assert f"Wrote    {trained}/run" in captured.out
    assert fingerprint(trained / "run" / "model") == before


@pytest.mark.slow
def test_what_says_how_to_learn_on_from_a_finished_run_does_so(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    run(["train", "--resume", "run"])
    told = " ".join(capsys.readouterr().err.split())
    words = shlex.split(told.split("from its model: imageloom ")[1])[:9]
    assert words[-1] == f"{trained}/run-2"
    assert run([*words, "--freeze", "body", "--epochs", "1", "--batch-size", "6"]) == 0


def test_a_completed_run_in_the_place_of_a_new_one_is_not_offered_to_be_resumed(
    trained, capsys, monkeypatch
):
    monkeypatch.chdir(trained)
    words = ["train", "--model", TINY, "--train", "train", "--validation", "validation"]
    assert run([*words, "--out", "run"]) == 1
    told = capsys.readouterr().err
    assert "exists already" in told
    assert "Resume" not in told


def test_resuming_what_is_no_run_says_so(photos, capsys):
    assert run(["train", "--resume", "photos"]) == 1
    assert capsys.readouterr().err.startswith("CannotResumeError (RUN-004)")


@pytest.mark.slow
def test_c01_unlabelled_training_pictures_are_refused_before_anything_is_written(photos, capsys):
    places = ["--train", "photos/bee", "--validation", "photos", "--out", "run"]
    assert run(["train", "--model", TINY, *places]) == 1
    assert "NotLabeledDatasetError (0024)" in capsys.readouterr().err
    assert not (photos.parent / "run").exists()


def test_scores_name_each_file_and_keep_class_names_as_text(trained):
    import csv

    with (trained / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 36
    assert {row["label"] for row in rows} == {"007", "NA", "bee"}
    assert all((trained / "photos" / row["file"]).is_file() for row in rows)


@pytest.fixture
def lossy(tmp_path, monkeypatch) -> Path:
    """A plain folder of 108 photos and a file that is none."""
    monkeypatch.chdir(tmp_path)
    folder = write_photos(tmp_path / "lossy", per_class=36)
    (folder / "bee" / "junk.png").write_text("<html>")
    return folder


LOST = "1 of 109 files in {} was left out: bee/junk.png is an HTML page."


def test_split_and_check_tell_what_was_left_out_each_time_and_once(lossy, capsys):
    for first in ("a", "b"):  # the second time the kept conversion is used
        assert run(["data", "split", "lossy", "--first", first, "--second", f"{first}2"]) == 0
        assert capsys.readouterr().err.splitlines() == [f"Warning: {LOST.format(lossy)}"]
        kept = (lossy.parent / first / "rejected.jsonl").read_text()
        assert json.loads(kept)["file"] == "bee/junk.png"
    assert run(["data", "check", "lossy", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [one["message"] for one in content["notices"]] == [LOST.format(lossy)]


def test_split_shows_its_own_notices_once(photos, capsys):
    for path in sorted((photos / "NA").iterdir())[1:]:
        path.unlink()
    assert run(["data", "split", "photos", "--first", "a", "--second", "b"]) == 0
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("1 class has one picture") == 1


def test_score_and_its_evaluation_tell_what_was_left_out(trained, lossy, capsys):
    words = ["score", "--model", str(trained / "run"), "--data", "lossy"]
    assert run([*words, "--out", "s.parquet", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["images"], content["left_out"]) == (108, 1)
    assert [one["message"] for one in content["notices"]] == [LOST.format(lossy)]
    assert run(["evaluate", "s.parquet", "--out", "evaluation"]) == 0
    assert "Left out, and in no figure: 1 file (1: is an HTML page)." in capsys.readouterr().err


@pytest.mark.slow
def test_a_linked_class_folder_is_named_by_every_command_or_followed(trained, lossy, capsys):
    (lossy / "bee").rename(lossy.parent / "elsewhere")
    (lossy / "bee").symlink_to(lossy.parent / "elsewhere")
    model = ["--model", str(trained / "run")]
    for words in (
        ["data", "convert", "lossy", "--out", "c"],
        ["data", "split", "lossy", "--first", "a", "--second", "b"],
        ["data", "check", "lossy"],
        ["train", "--model", TINY, "--train", "lossy", "--validation", "lossy", "--out", "r"],
        ["score", *model, "--data", "lossy", "--out", "s.csv"],
    ):
        assert run(words) == 1
        err = capsys.readouterr().err
        assert f"'bee' to {lossy.parent}/elsewhere" in err
        assert "--follow-links" in err
    for words in (
        ["data", "convert", "lossy", "--out", "c"],
        ["data", "split", "lossy", "--first", "a", "--second", "b"],
        ["data", "check", "lossy"],
        ["score", *model, "--data", "lossy", "--out", "s.csv"],
    ):
        assert run([*words, "--follow-links"]) == 0
        assert "1 link to a folder was followed" in "".join(capsys.readouterr())


def test_score_prints_counts_and_accuracy(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    words = ["score", "--model", "run", "--data", "test", "--out", "more.parquet", "--json"]
    assert run(words) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["images"] == content["labelled"] == 9
    assert sum(content["scored_labels"].values()) == 9
    assert 0 <= content["top1"] <= 1
    assert run(["score", "--model", "run", "--data", "test", "--out", "more.csv"]) == 0
    out = capsys.readouterr().out
    assert "Top-1" in out
    assert "Next     imageloom evaluate more.csv --out evaluation" in out


def test_evaluate_prints_the_figures_and_where_the_report_is(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    assert run(["evaluate", "scores.parquet", "--out", "figures"]) == 0
    out = capsys.readouterr().out
    for figure in ("Overall Accuracy", "Macro F1", "Log Loss", "Expected Calibration Error"):
        assert figure in out
    (row,) = (one for one in out.splitlines() if "95 % interval" in one)
    written = json.loads((trained / "figures" / "evaluation.json").read_text())
    right = written["evaluations"][0]["figures"]["Overall_Accuracy"]
    low, high = (float(one) / 100 for one in re.findall(r"\d+\.\d", row))
    assert low < right < high
    for rate in (low, high):  # each would give what was found with a chance of 2.5 % at most
        spread = math.sqrt(rate * (1 - rate) / 9)
        assert abs(right - rate) == pytest.approx(1.96 * spread, abs=2e-3)
    assert "Top 5" not in out  # of two classes, the right one is always among five
    assert f"open {trained}/figures/report.html in a browser" in out
    names = {
        "evaluation.json",
        "evaluation.xlsx",
        "per_class.csv",
        "confusion_matrix.csv",
        "pictures.sqlite",
        "thresholds.json",
        "report.html",
    }
    assert names <= {path.name for path in (trained / "figures").iterdir()}


def test_evaluate_compares_two_tables(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    words = ["evaluate", "scores.parquet", "scores.csv", "--out", "two", "--json"]
    assert run(words) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["evaluations"]) == 2
    assert content["comparison"]["images_in_both"] == 9


def test_explain_shows_classes_heat_maps_and_the_runs_own_pictures(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    words = ["explain", "run", "photos/bee/00.png", "--nearest", "2"]
    assert run([*words, "--out", "why", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    (found,) = content["explanations"]
    assert content["out"] == str(trained / "why")
    assert (trained / "why" / found["heat_map"]).is_file()
    assert found["explained"] == found["classes"][0]["class"]
    assert len(found["nearest"]) == 2
    assert run(words) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{trained}/photos/bee/00.png: ")
    assert "Most alike" in out
    assert run(["explain", "run", "nothing.png"]) == 1
    assert "nothing.png cannot be read" in capsys.readouterr().out
    assert run([*words, "--class", "wasp"]) == 1
    assert "no class called 'wasp'" in capsys.readouterr().err


def test_label_errors_are_listed_with_what_they_rest_on(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    words = ["data", "label-errors", "scores.parquet"]
    assert run([*words, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["images"] == 9
    assert content["suspicious"] == sum(one["is_suspicious"] for one in content["listed"])
    assert "has not learned from" in content["caveats"][0]
    assert run([*words, "--training", "run/training_images"]) == 0
    out = capsys.readouterr().out
    assert "Labels" in out
    assert "are suspicious" in out
    assert "has not learned from" not in out


def test_predict_prints_one_line_per_picture(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    assert run(["predict", "--model", "run", "photos/bee/00.png", "photos/NA/01.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{trained}/photos/bee/00.png: ")
    assert lines[1].startswith(f"{trained}/photos/NA/01.png: ")
    for name in CLASSES:
        assert f"{name} " in lines[0]


def test_predict_names_the_file_it_cannot_read_and_goes_on(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    assert run(["predict", "--model", "run", "gone.png", "photos/bee/00.png"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "gone.png" in lines[0]
    assert lines[1].startswith(f"{trained}/photos/bee/00.png: ")


def test_e01_what_is_no_model_is_refused(photos, capsys):
    assert run(["predict", "--model", "photos", "photos/bee/00.png"]) == 1
    assert capsys.readouterr().err.startswith("InvalidModelDirectoryError (0159)")


@pytest.mark.slow
def test_s21_no_secret_is_in_anything_that_was_written(trained):
    found = [
        path
        for path in trained.rglob("*")
        if path.is_file()
        for value in SECRETS.values()
        if value.encode() in path.read_bytes()
    ]
    assert found == []
    assert len(list(trained.rglob("*"))) > 50


def test_every_metric_that_was_written_is_in_the_docs(trained, repository):
    page = (repository / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    lines = (trained / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    names = {json.loads(line)["name"] for line in lines}
    assert "Valid loss" in names
    assert not [name for name in names if f"| `{name}` |" not in page]


def test_duplicates_are_shown_and_the_exit_code_tells_of_them(photos, capsys):
    assert run(["data", "duplicates", "photos"]) == 0
    assert "Found    no picture stands twice" in capsys.readouterr().out
    (photos / "bee" / "twice.png").write_bytes((photos / "bee" / "00.png").read_bytes())
    assert run(["data", "duplicates", "photos"]) == 1
    out = capsys.readouterr().out
    assert "1 set of pictures of equal bytes:" in out
    assert "bee/00.png, bee/twice.png" in out


def test_leaks_are_listed_with_their_distance_as_json(photos, capsys):
    words = ["data", "split", "photos", "--fraction", "0.5", "--first", "a", "--second", "b"]
    assert run(words) == 0
    capsys.readouterr()
    assert run(["data", "duplicates", "a", "--against", "a", "--json", "--distance", "0"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["counts"]["leaks"] == content["images"] == 18
    assert {one["distance"] for one in content["leaks"]} == {0}
    assert run(["data", "duplicates", "a", "--against", "b"]) == 0
    assert "Leaks    no picture is in both" in capsys.readouterr().out


def test_a_distance_beyond_likeness_is_a_named_error(photos, capsys):
    assert run(["data", "duplicates", "photos", "--distance", "40"]) == 1
    assert "distance is 40, but must be 0 to 10 bits" in capsys.readouterr().err


def test_pictures_are_relabelled_and_left_out_into_another_version(photos, capsys):
    before = fingerprint(photos)
    lines = photos.parent / "changes.jsonl"
    lines.write_text('{"file": "bee/00.png", "exclude": true}\n')
    words = ["data", "correct", "photos", "--corrections", "changes.jsonl", "--out", "corrected"]
    words += ["--exclude", "bee/01.png", "--relabel", "NA/03.png", "007", "--json"]
    assert run(words) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["relabelled"], content["excluded"]) == (1, 2)
    assert content["images_per_class"] == {"007": 13, "NA": 11, "bee": 10}
    assert load_image_directory(photos.parent / "corrected").counts == content["images_per_class"]
    assert fingerprint(photos) == before


def test_corrections_of_nothing_are_refused_before_anything_is_read(photos, capsys):
    assert run(["data", "correct", "photos", "--out", "corrected"]) == 1
    assert "There is nothing to correct." in capsys.readouterr().err
    words = ["data", "correct", "photos", "--corrections", "none.jsonl", "--out", "corrected"]
    assert run(words) == 1
    assert "none.jsonl cannot be read: No such file" in capsys.readouterr().err
