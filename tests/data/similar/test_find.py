import json

import numpy as np
import pytest
from made_scenes import COPIES, brightened, encoded_anew, scene
from PIL import Image

from imageloom.data.convert import convert
from imageloom.data.images import converted_files
from imageloom.data.similar.find import find_duplicates
from imageloom.errors import RunInterruptedError
from imageloom.events import CancelToken, Notice, Progress

DIFFERENT = 60
PLANTED = 15  # in one directory, and as many in the other


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Training pictures, of which some stand nearly twice, and validation pictures with leaks."""
    folder = tmp_path_factory.mktemp("scenes")
    inside, leaking = {}, {}
    for part in ("train", "validation"):
        for name in ("a", "b"):
            (folder / part / name).mkdir(parents=True)
    for number in range(DIFFERENT):
        name = f"{'ab'[number % 2]}/{number:02}.png"
        scene(number).save(folder / "train" / name)
        scene(1000 + number).save(folder / "validation" / name)
        copy = COPIES[number % 3](scene(number))
        if number < PLANTED:
            inside[f"a/copy-{number:02}.png"] = name
            copy.save(folder / "train" / "a" / f"copy-{number:02}.png")
        elif number < 2 * PLANTED:
            leaking[name] = f"b/leak-{number:02}.png"
            copy.save(folder / "validation" / "b" / f"leak-{number:02}.png")
    out = tmp_path_factory.mktemp("directories")
    training, validation = (convert(folder / one, out / one) for one in ("train", "validation"))
    return training, validation, inside, leaking


def test_all_thirty_planted_copies_are_found_and_nothing_else(planted):
    training, validation, inside, leaking = planted
    found = find_duplicates(training, against=validation)
    sets = [{training.file(row) for row in one.rows} for one in found.similar]
    assert sorted(map(sorted, sets)) == sorted(sorted(pair) for pair in inside.items())
    pairs = {training.file(one.here): validation.file(one.there) for one in found.leaks}
    assert pairs == leaking
    assert len(sets) + len(pairs) == 30
    assert not any(one.is_equal for one in found.leaks)
    assert all(max(one.distances) <= found.distance for one in found.similar)
    assert not found.equal
    assert not found.is_clean


def test_copies_under_another_label_are_contradictions(planted):
    training, _, inside, _ = planted
    found = find_duplicates(training)
    expected = {copy for copy, original in inside.items() if original.startswith("b/")}
    contradicting = {
        training.file(row) for one in found.similar if one.is_contradiction for row in one.rows
    }
    assert expected <= contradicting
    assert len([one for one in found.similar if one.is_contradiction]) == len(expected)


def test_the_result_is_plain_json(planted):
    training, validation, _, _ = planted
    content = json.loads(json.dumps(find_duplicates(training, against=validation).to_json()))
    assert content["counts"] == {"equal": 0, "similar": 15, "leaks": 15, "flat": 0, "unread": 0}
    assert set(content["leaks"][0]) == {"here", "there", "distance", "is_equal"}


@pytest.fixture
def images(tree, tmp_path):
    folder = tree.root
    for name in ("a", "b"):
        (folder / name).mkdir()
    scene(1).save(folder / "a" / "1.png")
    (folder / "b" / "same.png").write_bytes((folder / "a" / "1.png").read_bytes())
    brightened(scene(1)).save(folder / "a" / "bright.png")
    scene(2).save(folder / "b" / "2.png")
    for number in range(3):
        Image.new("RGB", (40, 40), (10 + number, 9, 8)).save(folder / "b" / f"plain{number}.png")
    return convert(folder, tmp_path / "images")


def test_equal_bytes_stand_apart_and_belong_to_what_looks_alike(images):
    found = find_duplicates(images)
    (equal,) = found.equal
    assert [images.file(row) for row in equal.rows] == ["a/1.png", "b/same.png"]
    assert (equal.distances, equal.is_contradiction) == ((0, 0), True)
    (similar,) = found.similar
    assert {images.file(row) for row in similar.rows} == {"a/1.png", "a/bright.png", "b/same.png"}


def test_pictures_that_show_nothing_are_counted_and_not_paired(images):
    events = []
    found = find_duplicates(images, on_event=events.append)
    assert found.num_flat == 3
    notices = [one.message for one in events if isinstance(one, Notice)]
    assert notices[0].startswith("3 pictures show next to nothing")


def test_an_equal_picture_is_the_nearest_of_a_leak(images, tree, tmp_path):
    here = images.select(np.array([images.index.column("path").to_pylist().index(b"a/1.png")]))
    (leak,) = find_duplicates(here, against=images).leaks
    assert (images.file(leak.there), leak.distance, leak.is_equal) == ("a/1.png", 0, True)


def test_what_looks_alike_only_because_of_the_other_side_is_no_set_here(images):
    paths = images.index.column("path").to_pylist()
    equal = images.select(np.array([paths.index(b"a/1.png"), paths.index(b"b/same.png")]))
    bright = images.select(np.array([paths.index(b"a/bright.png")]))
    found = find_duplicates(equal, against=bright)
    assert (len(found.equal), len(found.similar), len(found.leaks)) == (1, 0, 2)


def test_brightness_is_known_of_each_picture(images):
    found = find_duplicates(images)
    by_file = {images.file(row): float(found.brightness_N[row]) for row in range(len(images))}
    assert by_file["b/plain0.png"] == pytest.approx(0.299 * 10 + 0.587 * 9 + 0.114 * 8, abs=0.6)
    assert by_file["a/bright.png"] > by_file["a/1.png"] + 5
    assert found.brightness == (
        pytest.approx(min(by_file.values())),
        pytest.approx(float(np.median(list(by_file.values())))),
        pytest.approx(max(by_file.values())),
    )


def test_a_file_that_was_replaced_is_named_and_compared_with_nothing(images, tree):
    encoded_anew(scene(7)).save(tree.root / "b" / "2.png")
    (tree.root / "a" / "bright.png").unlink()
    found = find_duplicates(images)
    assert sorted((one.file, one.reason[:7]) for one in found.unread) == [
        ("a/bright.png", "is gone"),
        ("b/2.png", found.unread[1].reason[:7]),
    ]
    assert not found.similar
    assert np.isnan(found.brightness_N).sum() == 2


def test_a_second_search_opens_no_picture_and_neither_does_one_of_a_part(images, monkeypatch):
    first = find_duplicates(images)
    monkeypatch.setattr(converted_files, "read_listed", None)
    assert find_duplicates(images) == first
    part = images.select(np.arange(3))
    assert find_duplicates(part).unread == ()


def test_what_was_looked_at_before_a_stop_is_kept(images, monkeypatch):
    monkeypatch.setattr(converted_files, "_ROWS_PER_TURN", 2)
    cancel, read = CancelToken(), []
    original = converted_files.read_listed

    def reading(path, **more):
        read.append(path)
        return original(path, **more)

    monkeypatch.setattr(converted_files, "read_listed", reading)

    def stop(event):
        if isinstance(event, Progress):
            cancel.set("the test")

    with pytest.raises(RunInterruptedError, match="the test"):
        find_duplicates(images, on_event=stop, cancel=cancel)
    assert len(read) == 2
    find_duplicates(images)
    assert len(read) == len(set(read)) == len(images) - 1  # two have equal bytes


def test_kept_looks_that_are_damaged_are_made_anew(images, tmp_path):
    kept = tmp_path / "looks.sqlite"
    first = find_duplicates(images, looks=kept)
    kept.write_bytes(b"no database" * 1000)
    assert find_duplicates(images, looks=kept) == first


def test_progress_counts_pictures(images):
    events = []
    find_duplicates(images, on_event=events.append)
    last = [one for one in events if isinstance(one, Progress)][-1]
    assert (last.done, last.total, last.unit) == (len(images), len(images), "images")


def test_pictures_without_labels_contradict_nothing(images):
    found = find_duplicates(images.without_labels())
    assert not any(one.is_contradiction for one in (*found.equal, *found.similar))
