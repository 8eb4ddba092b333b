import json
import os
import subprocess
import time

import pytest

from imageloom.data.convert import convert
from imageloom.data.open import _saying_where_options_belong, open_each, open_images
from imageloom.data.params import ConvertParams
from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToWriteOutputsError,
    ImageloomError,
    InvalidDatasetError,
)
from imageloom.events import Control, Notice, Progress
from imageloom.settings import Settings

from .made_pictures import png
from .test_archive import a_zip


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", workspace=tmp_path / "workspace")


@pytest.fixture
def opened(settings, sealed):
    """Open a path and tell whether pictures were decoded for it."""

    def run(path):
        events = []
        with sealed():
            images = open_images(path, settings=settings, on_event=events.append)
        stages = {event.stage for event in events if isinstance(event, Progress)}
        return images, "Decoding pictures" in stages

    return run


FILES = {"a/1.png": png(1), "b/2.png": png(2)}


def test_a_plain_folder_is_converted_once_and_then_only_listed(opened, tree):
    first, decoded = opened(tree.write(FILES))
    again, decoded_again = opened(f"{tree.root}//")
    assert (decoded, decoded_again) == (True, False)
    assert first.digest == again.digest
    assert first.root == tree.root


def messages(events):
    return [event.message for event in events if isinstance(event, Notice)]


def test_what_was_left_out_is_told_every_time_also_when_the_conversion_is_kept(tree, settings):
    files = {f"a/{number}.png": png(number) for number in range(199)}
    tree.write(files | {"a/junk.png": b"<html>", "a/notes.txt": b"no picture", "b/x.png": png(200)})
    told = []
    for _ in range(2):
        events = []
        images = open_images(tree.root, settings=settings, on_event=events.append)
        assert images.left_out == {"is an HTML page": 1}
        told.append(messages(events))
    assert told[0] == told[1]
    assert f"1 of 201 files in {tree.root} was left out: a/junk.png is an HTML page." in told[0]
    assert any("1 file that is a document by name" in message for message in told[0])


def test_what_holds_for_several_in_the_same_words_is_told_once(tree, monkeypatch, settings):
    monkeypatch.setenv("IMAGELOOM_HOME", str(settings.home))
    one = tree.write({"a/ants /1.png": png(seed=1), "a/bees/2.png": png(seed=2)}) / "a"
    other = tree.write({"b/ants /3.png": png(seed=3), "b/bees/4.png": png(seed=4)}) / "b"
    heard = []
    open_each([one, other], control=Control(heard.append))
    (notice,) = [event.message for event in heard if isinstance(event, Notice)]
    assert "'ants '. It stays part of the name." in notice


def test_what_was_left_out_of_an_archive_is_told_with_the_archives_own_name(tree, settings):
    files = {f"a/{number}.png": png(number) for number in range(100)} | {"a/junk.png": b"<html>"}
    tree.write({"x.zip": a_zip(files)})
    events = []
    open_images(tree.root / "x.zip", settings=settings, on_event=events.append)
    assert messages(events) == [
        f"1 of 101 files in {tree.root}/x.zip was left out: a/junk.png is an HTML page."
    ]


def test_labels_are_left_out_of_every_kind_of_source_on_request(tree, settings, tmp_path):
    tree.write(
        {
            "x.zip": a_zip(FILES),
            "list.csv": b"file,label\np/1.png,a\n",
            "p/1.png": png(1),
            "photos/2024/may/1.png": png(1),
        }
    )
    saved = convert(tree.write(FILES) / "p", tmp_path / "saved")
    none = ConvertParams(labels="none")
    for source, names in (
        (tree.root / "x.zip", ["a/1.png", "b/2.png"]),
        (tree.root / "list.csv", ["p/1.png"]),
        (tree.root / "photos", ["2024/may/1.png"]),
        (tmp_path / "saved", ["1.png"]),
        (saved, ["1.png"]),
    ):
        images = open_images(source, convert_params=none, settings=settings)
        assert [images.file(row) for row in range(len(images))] == names
        assert (images.classes, images.is_labelled) == ((), False)


def test_other_parameters_make_another_conversion(tree, settings):
    tree.write(FILES | {"c/3.png": png(3)})
    (tree.root / "c" / "4.png").symlink_to("3.png")
    followed = open_images(
        tree.root, convert_params=ConvertParams(follow_links=True), settings=settings
    )
    assert len(followed) == 4
    with pytest.raises(InvalidDatasetError, match="1 of 4 pictures"):
        open_images(tree.root, settings=settings)


def hint_of(path, settings):
    with pytest.raises(InvalidDatasetError, match=str(path)) as refused:
        open_images(path, settings=settings)
    return refused.value.hint


@pytest.mark.parametrize(
    ("files", "option"),
    [
        ({"a/b/1.png": png(1), "c/2.png": png(2)}, "--nested join"),
        ({"a/1.png": png(1), "b": None}, "--empty-classes drop"),
        ({"a/1.png": png(1), "a/2.png": b""}, "--max-rejected-fraction 0.5"),
    ],
)
def test_a_hint_with_an_option_of_the_conversion_gives_its_whole_command(
    tree, settings, tmp_path, files, option
):
    hint = hint_of(tree.write(files), settings)
    assert hint.endswith(f"imageloom data convert {tree.root} --out pictures {option}")
    name, value = option.removeprefix("--").split()
    params = ConvertParams.parse({name.replace("-", "_"): float(value) if "0" in value else value})
    assert len(convert(tree.root, tmp_path / "out", params=params)) > 0  # it leads on


def test_an_option_that_only_the_words_of_a_hint_name_is_found_too(tree, settings):
    tree.write({"list.csv": b"file,label\n1.png,a\n2.png,b\n", "1.png": png(1)})
    (tree.root / "2.png").symlink_to("1.png")
    with pytest.raises(InvalidDatasetError, match="no usable image") as refused:
        open_images(tree.root / "list.csv", settings=settings)
    assert "data convert" not in refused.value.hint  # --follow-links is at hand everywhere
    with (
        pytest.raises(InvalidDatasetError, match="lost") as refused,
        _saying_where_options_belong(tree.root, ConvertParams()),
    ):
        raise InvalidDatasetError("lost", hint="Name it with --label-column.")
    assert refused.value.hint.endswith("--out pictures --label-column ...")


def test_the_command_of_a_hint_keeps_the_options_that_were_given(tree, settings):
    tree.write({"a/b/1.png": png(1), "c/2.png": b""})
    params = ConvertParams(labels="none", follow_links=True)
    with pytest.raises(InvalidDatasetError, match="1 of 2 pictures") as refused:
        open_images(tree.root, convert_params=params, settings=settings)
    assert refused.value.hint.endswith(
        "--out pictures --labels none --follow-links --max-rejected-fraction 0.5"
    )


@pytest.mark.parametrize(
    ("table", "options"),
    [
        (b"file,class\n1.png,a\n2.png,b\n", "--label-column class"),
        (b"image_path;my class\n1.png;a\n2.png;b\n", "--file-column image_path"),
        (b"image_path;class\n1.png;a\n2.png;b\n", "--file-column image_path --label-column class"),
        (b"file,label,split\n1.png,a,train\n2.png,b,val\n", "--part train"),
    ],
)
def test_a_hint_on_a_table_gives_the_columns_and_the_part_in_full(tree, settings, table, options):
    tree.write({"list.csv": table, "1.png": png(1), "2.png": png(2)})
    with pytest.raises(ImageloomError, match=r"list\.csv") as refused:
        open_images(tree.root / "list.csv", settings=settings)
    command = f"imageloom data convert {tree.root}/list.csv --out pictures {options}"
    assert command in refused.value.hint
    assert "..." not in refused.value.hint


def test_parts_of_a_folder_are_named_by_their_paths_and_those_of_an_archive_by_the_option(
    tree, settings
):
    files = {"train/a/1.png": png(1), "val/a/2.png": png(2)}
    tree.write({f"d/{name}": content for name, content in files.items()} | {"x.zip": a_zip(files)})
    assert f"such as {tree.root}/d/train" in hint_of(tree.root / "d", settings)
    command = f"imageloom data convert {tree.root}/x.zip --out pictures --folder train"
    assert hint_of(tree.root / "x.zip", settings).endswith(command)


@pytest.mark.parametrize("change", [{"a/1.png": png(3)}, {"c/3.png": png(3)}])
def test_a_changed_folder_is_converted_again(opened, tree, change):
    first, _ = opened(tree.write(FILES))
    second, decoded = opened(tree.write(change))
    assert decoded
    assert first.digest != second.digest
    assert len(first) == 2  # what an earlier run has open stays whole


def test_an_archive_a_manifest_and_an_old_directory_open_the_same_way(opened, tree):
    row = {"id": 1, "image_info": {"file_name": "1.png"}, "category": "a"}
    tree.write(
        {
            "x.zip": a_zip(FILES),
            "list.csv": b"file,label\np/1.png,a\n",
            "p/1.png": png(1),
            "old/_meta.yaml": b"type: ImageDirectory\n",
            "old/images.lst": json.dumps(row).encode(),
            "old/image/1.png": png(1),
        }
    )
    for name, count in (("x.zip", 2), ("list.csv", 1), ("old", 1)):
        first, decoded = opened(tree.root / name)
        again, decoded_again = opened(tree.root / name)
        assert (len(first), decoded, decoded_again) == (count, True, False)
        assert first.digest == again.digest


def test_a_saved_image_directory_opens_as_it_is(opened, tree, tmp_path, settings):
    saved = convert(tree.write(FILES), tmp_path / "out")
    images, decoded = opened(tmp_path / "out")
    assert images.digest == saved.digest
    assert not decoded
    assert not settings.home.exists()


def test_a_kept_conversion_that_is_damaged_is_made_again(opened, tree, settings):
    opened(tree.write(FILES))
    index = next(settings.image_directories.rglob("index.arrow"))
    index.write_bytes(index.read_bytes()[:-1])
    images, decoded = opened(tree.root)
    assert decoded
    assert len(images) == 2


def test_conversions_of_earlier_states_are_removed_after_a_week_without_use(opened, tree, settings):
    opened(tree.write(FILES))
    (old,) = (path.parent for path in settings.image_directories.rglob("index.arrow"))
    os.utime(old, (time.time() - 8 * 86_400,) * 2)
    opened(tree.write({"c/3.png": png(3)}))
    assert not old.exists()
    opened(tree.write({"d/4.png": png(4)}))
    assert len(list(settings.image_directories.rglob("index.arrow"))) == 2  # the fresh one stays


def test_nothing_at_the_path_is_told(opened, tmp_path):
    with pytest.raises(CouldNotOpenFileError, match=r"There is nothing at .*missing"):
        opened(tmp_path / "missing")


@pytest.mark.parametrize(
    ("record", "name"), [("model.json", "a model directory"), ("run.json", "a training run")]
)
def test_another_kind_of_directory_says_what_it_is(opened, tree, record, name):
    tree.write({record: json.dumps({"kind": "anything"}).encode(), "weights.safetensors": b"x"})
    with pytest.raises(InvalidDatasetError, match=f"is {name}, not an image directory"):
        opened(tree.root)


def test_a_folder_of_pictures_may_hold_a_strangers_model_json(opened, tree):
    images, _ = opened(tree.write(FILES | {"model.json": b"[]"}))
    assert len(images) == 2


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(tree, tmp_path):
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(FailedToWriteOutputsError, match="cannot be written") as refused:
        open_images(
            tree.write(FILES),
            settings=Settings(home=tmp_path / "home", workspace=tmp_path / "workspace"),
        )
    assert "IMAGELOOM_HOME" in refused.value.hint


@pytest.mark.slow
def test_two_processes_that_open_one_folder_at_once_both_succeed(tree, settings, python):
    tree.write({f"a/{number}.png": png(number) for number in range(40)})
    code = (
        "import sys; from pathlib import Path; from imageloom.settings import Settings; "
        "from imageloom.data.open import open_images; "
        "home = Path(sys.argv[2]); settings = Settings(home=home, workspace=home); "
        "print(open_images(sys.argv[1], settings=settings).digest)"
    )
    command = [python, "-c", code, str(tree.root), str(settings.home)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert said[0] == said[1]
    assert said[0][1] == ""
    assert len(list(settings.image_directories.rglob("index.arrow"))) == 1
