"""The pictures of a run over the API: pages, what is wrong with them, and corrections."""

import base64
import json
import time

import pytest
from made_scenes import scene

from .made_pictures import ADDRESS, RUN, run_with_pictures, size_of

pytestmark = pytest.mark.processes


@pytest.fixture
def images(studio):
    return run_with_pictures(studio)


def searched(page, against=""):
    """Search, and return what the answer says once it is done."""
    params = {"against": against}
    assert page.post(f"{ADDRESS}/duplicates", json=params).status_code == 202
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = page.get(f"{ADDRESS}/duplicates", params=params).json()
        if answer.get("state") == "done":
            return answer["found"]
        assert answer.get("state") == "working", answer
        time.sleep(0.05)
    raise AssertionError(answer)


def test_an_image_directory_is_told_in_numbers(page, images, studio):
    answer = page.get(ADDRESS).json()
    assert answer["root"] == str(studio.base / "photos")
    assert answer["classes"] == [{"name": "a", "images": 3}, {"name": "b", "images": 4}]
    assert (answer["images"], answer["left_out"]) == (7, 1)
    assert sum(answer["shorter_side"]["counts"]) == sum(answer["shape"]["counts"]) == 7
    assert answer["shorter_side"]["edges"] == [120, 120]
    ports = [(one["node"], one["port"]) for one in answer["others"]]
    assert ports == [("convert", "images"), ("split", "first"), ("split", "second")]


def test_pictures_come_in_pages_of_a_class_or_of_all(page, images):
    answer = page.get(f"{ADDRESS}/pictures", params={"offset": 5, "limit": 10}).json()
    assert (answer["total"], [one["row"] for one in answer["pictures"]]) == (7, [5, 6])
    of_class = page.get(f"{ADDRESS}/pictures", params={"label": "a", "limit": 2}).json()
    assert of_class["total"] == 3
    first = of_class["pictures"][0]
    assert (first["file"], first["label"]) == ("a/0.png", "a")
    assert first["sha256"] == images.index.column("sha256")[0].as_py().hex()
    missing = page.get(f"{ADDRESS}/pictures", params={"label": "c"})
    assert (missing.status_code, missing.json()["error"]["type"]) == (422, "UnknownNameError")


def test_a_picture_is_shown_small_and_a_row_that_is_not_there_is_none(page, images):
    answer = page.get(f"{ADDRESS}/pictures/0/thumbnail", params={"size": 96})
    assert answer.headers["content-type"] == "image/jpeg"
    assert size_of(answer.content) == (96, 72)
    assert page.get(f"{ADDRESS}/pictures/7/thumbnail").status_code == 404
    assert page.get(f"{ADDRESS}/pictures/-1/thumbnail").status_code == 404


def test_s06_a_picture_that_became_a_link_is_not_followed(page, images, studio, tmp_path):
    victim = studio.base / "photos" / "a" / "0.png"
    victim.rename(tmp_path / "elsewhere.png")
    victim.symlink_to(tmp_path / "elsewhere.png")
    answer = page.get(f"{ADDRESS}/pictures/0/thumbnail")
    assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "not-a-plain-file")


def test_what_was_left_out_is_listed_with_its_reason(page, images):
    answer = page.get(f"{ADDRESS}/left-out").json()
    assert answer["total"] == 1
    assert answer["rows"][0]["file"] == "b/broken.png"


def test_a_run_without_pictures_there_says_so(page, images):
    for path in ("data/images/dataset", "convert/images/none", "nobody/images/images"):
        answer = page.get(f"/api/runs/{RUN}/nodes/{path}")
        assert answer.status_code == 404, path


def test_duplicates_are_searched_in_the_background_and_kept(page, images, studio):
    assert page.get(f"{ADDRESS}/duplicates").json()["state"] == "none"
    early = page.get(f"{ADDRESS}/duplicates/sets", params={"kind": "similar"})
    assert early.json()["error"]["reason"] == "no-search"
    found = searched(page)
    assert (found["images"], found["equal"], found["similar"]) == (7, 0, 1)
    assert sum(found["brightness_counts"]) == 7
    (one,) = page.get(f"{ADDRESS}/duplicates/sets", params={"kind": "similar"}).json()["sets"]
    assert [picture["file"] for picture in one["pictures"]] == ["a/1.png", "b/again.png"]
    assert one["is_contradiction"]
    wanted = {"problem": "contradiction", "label": "b"}
    answer = page.get(f"{ADDRESS}/pictures", params=wanted).json()
    assert [picture["file"] for picture in answer["pictures"]] == ["b/again.png"]
    studio.pictures.searches.close()  # what is kept needs no process
    assert page.get(f"{ADDRESS}/duplicates").json()["state"] == "done"


def test_all_pictures_of_a_set_come_in_pages_also_those_that_are_not_shown(page, studio):
    photos = studio.base / "many"
    (photos / "a").mkdir(parents=True)
    for number in range(15):
        scene(1).save(photos / "a" / f"{number:02}.png")
    run_with_pictures(studio, photos)
    searched(page)
    shown = page.get(f"{ADDRESS}/duplicates/sets", params={"kind": "equal"}).json()
    (one,) = shown["sets"]
    assert (len(one["pictures"]), one["num_pictures"]) == (12, 15)
    here = {"set": one["number"], "limit": 10}
    first = page.get(f"{ADDRESS}/pictures", params=here).json()
    rest = page.get(f"{ADDRESS}/pictures", params={**here, "offset": 10}).json()
    found = [picture["file"] for picture in first["pictures"] + rest["pictures"]]
    assert (found, first["total"]) == ([f"a/{number:02}.png" for number in range(15)], 15)
    none = page.get(f"{ADDRESS}/pictures", params={**here, "set": 99}).json()
    assert (none["pictures"], none["total"]) == ([], 0)


def test_leaks_between_two_outputs_of_a_run_stand_side_by_side(page, images):
    found = searched(page, against="split.first")
    assert found["leaks"] == 7
    params = {"kind": "leak", "against": "split.first", "limit": 1}
    answer = page.get(f"{ADDRESS}/duplicates/sets", params=params).json()
    here, there = answer["sets"][0]["pictures"]
    assert (here["file"], here["is_other"], there["is_other"]) == (there["file"], False, True)
    assert answer["total"] == 7


def test_a_search_that_fails_says_why_and_may_be_begun_anew(page, images, studio):
    folder = studio.engine.workspace.run(RUN).node_folder("convert") / "outputs" / "images"
    key = studio.pictures.searches.key(images.digest)
    index = (folder / "index.arrow").read_bytes()
    (folder / "index.arrow").write_bytes(b"no index")
    studio.pictures.searches.begin(key, folder, None)
    deadline = time.monotonic() + 60
    while (answer := page.get(f"{ADDRESS}/duplicates")).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer.json()["error"]["type"] == "InvalidDatasetError"
    (folder / "index.arrow").write_bytes(index)
    assert searched(page)["similar"] == 1


@pytest.mark.slow
def test_what_the_network_sees_is_drawn_anew_by_another_seed(page, images):
    address = f"/api/runs/{RUN}/nodes/split/images/first/pictures/0/seen"
    first, again, other = (page.get(address, params={"seed": seed}).json() for seed in (1, 1, 2))
    assert first == again
    assert first["picture"] != other["picture"]
    assert (first["purpose"], first["is_random"], first["is_default"]) == ("training", True, True)
    kind, _, content = first["picture"].partition(",")
    assert kind == "data:image/png;base64"
    assert size_of(base64.b64decode(content)) == (first["width"], first["height"]) == (120, 120)
    measured = f"/api/runs/{RUN}/nodes/split/images/second/pictures/0/seen"
    fixed = [page.get(measured, params={"seed": seed}).json() for seed in (1, 2)]
    assert fixed[0] == fixed[1]
    assert (fixed[0]["purpose"], fixed[0]["is_random"]) == ("inference", False)


def corrections_of(images, *rows, label=None):
    digests = images.index.column("sha256")
    return [
        {"file": images.file(row), "sha256": digests[row].as_py().hex(), "label": label}
        for row in rows
    ]


def test_corrections_become_a_node_behind_the_pictures_of_a_copy(page, images):
    asked = {"corrections": corrections_of(images, 0, 1)}
    answer = page.post(f"{ADDRESS}/corrections", json=asked)
    assert answer.status_code == 201
    pipeline = answer.json()["pipeline"]
    (node,) = [one for one in pipeline["nodes"] if one["component"] == "correct_images"]
    assert len(node["params"]["corrections"]) == 2
    ends = {(one["from"], one["to"]) for one in pipeline["edges"]}
    assert {("convert.images", "correct.images"), ("correct.images", "split.images")} <= ends
    assert ("convert.images", "split.images") not in ends
    problems = page.post("/api/check", json={"pipeline": pipeline}).json()["problems"]
    assert [one for one in problems if one["node"] in ("correct", "split")] == []


def test_corrections_of_a_drawing_go_into_its_next_version_and_join_those_before(page, images):
    first = {"corrections": corrections_of(images, 0, 1)}
    draft = page.post(f"{ADDRESS}/corrections", json=first).json()
    (row,) = page.get(ADDRESS).json()["drawings"]
    assert (row["id"], row["version"]) == (draft["id"], 1)
    second = {"corrections": corrections_of(images, 1, 3, label="b"), "draft": draft["id"]}
    saved = page.post(f"{ADDRESS}/corrections", json=second).json()
    assert (saved["version"], saved["commands"]) == (2, ["Corrected 2 pictures"])
    (node,) = [one for one in saved["pipeline"]["nodes"] if one["component"] == "correct_images"]
    lines = node["params"]["corrections"]
    expected = [(images.file(0), True), (images.file(1), False), (images.file(3), False)]
    assert [(json.loads(one)["file"], "exclude" in one) for one in lines] == expected


def test_corrections_that_name_nothing_are_refused(page, images):
    for wrong in (
        {"corrections": []},
        {"corrections": [{"file": "a/0.png", "sha256": "12", "label": None}]},
        {"corrections": [{"file": "a/0.png", "label": None}]},
    ):
        assert page.post(f"{ADDRESS}/corrections", json=wrong).status_code == 422
    gone = {"corrections": corrections_of(images, 0), "draft": "20260101-000000-0000"}
    assert page.post(f"{ADDRESS}/corrections", json=gone).status_code == 404
