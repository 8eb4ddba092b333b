"""Exports of Label Studio, as its export page writes them."""

import json

import pytest

from imageloom.data.sources.table.names_of_others import name_here
from imageloom.errors import InvalidDatasetError, NotExpectedLabelColumnError

X = b"not decoded here"


def choices(*labels, name="choice"):
    return {
        "from_name": name,
        "to_name": "image",
        "type": "choices",
        "value": {"choices": list(labels)},
    }


def annotation(*labels, name="choice", **more):
    result = [choices(*labels, name=name)] if labels else []
    return {"id": 1, "completed_by": 1, "was_cancelled": False, "result": result, **more}


def task(number, *annotations, image=None, **more):
    image = image or f"/data/upload/3/0a1b2c3{number}-{number}.png"
    return {"id": number, "data": {"image": image, **more}, "annotations": list(annotations)}


TASKS = [task(1, annotation("007")), task(2, annotation("NA")), task(3, annotation("a/b"))]
FILES = {f"{number}.png": X for number in (1, 2, 3)}


@pytest.fixture
def read(listed):
    def run(content=TASKS, *, files=FILES, name="export.json", **params):
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        return listed({**files, name: text}, name, **params)

    return run


def labels_of(listing):
    rows = listing.files.to_pylist()
    classes = listing.classes
    return {
        one["path"].decode(): classes[one["label"]] if one["label"] >= 0 else None for one in rows
    }


def label_sets_of(listing):
    rows = listing.files.to_pylist()
    return {
        one["path"].decode(): [listing.classes[label] for label in one["labels"]] for one in rows
    }


def test_the_choice_of_a_task_is_its_class_as_text(read):
    assert labels_of(read()) == {"1.png": "007", "2.png": "NA", "3.png": "a/b"}


@pytest.mark.parametrize("folder", ["", "upload/3/"])
def test_an_upload_is_found_with_the_hash_before_its_name(read, folder):
    files = {f"{folder}0a1b2c3{number}-{number}.png": X for number in (1, 2, 3)}
    assert list(labels_of(read(files=files))) == list(files)


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("/data/local-files/?d=photos/ants/a%20b.png", "photos/ants/a b.png"),
        ("https://host/some/photos/x.png", "photos/x.png"),
        ("https://host/x.png?token=1", "x.png"),
        ("s3://bucket/deep/x.png", "bucket/deep/x.png"),
        ("photos/x.png", "photos/x.png"),
    ],
)
def test_other_names_are_found_where_the_pictures_lie(read, image, file):
    listing = read([task(1, annotation("a"), image=image)], files={file: X})
    assert labels_of(listing) == {file: "a"}


def test_the_longest_end_of_an_address_wins(tmp_path):
    for folder in ("", "b/", "a/b/"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "x.png").write_bytes(X)
    assert name_here("https://host/z/a/b/x.png", tmp_path) == "a/b/x.png"


@pytest.mark.parametrize(
    "image",
    [
        "/etc/passwd",
        "../x.png",
        "/data/local-files/?d=../../etc/passwd",
        "/data/local-files/?d=/etc/passwd",
        "https://host/%2e%2e/%2e%2e/etc/passwd",
        "file:///etc/passwd",
        "/data/upload/1/%2e%2e",
        "x\0.png",
    ],
)
def test_s01_names_that_lead_out_are_refused(read, image):
    with pytest.raises(InvalidDatasetError, match="wrong row"):
        read([task(1, annotation("a"), image=image)])


def test_people_who_agree_are_one_label_and_others_are_named(read):
    assert labels_of(read([task(1, annotation("a"), annotation("a"))])) == {"1.png": "a"}
    with pytest.raises(
        InvalidDatasetError, match="task 1: was labelled 'a' and 'b' by several people"
    ):
        read([task(1, annotation("a"), annotation("b")), *TASKS[1:]])


def test_several_choices_are_the_labels_of_a_picture(read):
    tasks = [
        task(1, annotation("b", "a|c")),
        task(2, annotation()),
        task(3, annotation("b", was_cancelled=True)),
    ]
    listing = read(tasks, labels="several")
    assert label_sets_of(listing) == {"1.png": ["a|c", "b"], "2.png": []}
    assert any(
        "1 task of export.json" in one and "1 of them skipped" in one for one in listing.notices
    )
    minimal = [{"id": 1, "image": "1.png", "choice": {"choices": ["b", "a"]}}]
    assert label_sets_of(read(minimal, labels="several")) == {"1.png": ["a", "b"]}


def test_people_must_agree_on_all_labels_of_a_picture(read):
    same = [task(1, annotation("a", "b"), annotation("b", "a"))]
    assert label_sets_of(read(same, labels="several")) == {"1.png": ["a", "b"]}
    other = [task(1, annotation("a", "b"), annotation("a"), annotation())]
    with pytest.raises(InvalidDatasetError, match="labelled nothing and 'a' and 'a' with 'b' by"):
        read(other, labels="several")


def test_the_ground_truth_decides(read):
    found = read([task(1, annotation("a"), annotation("b", ground_truth=True))])
    assert labels_of(found) == {"1.png": "b"}


def test_skipped_and_unlabelled_tasks_are_left_out_and_counted(read):
    skipped = task(2, annotation("b", was_cancelled=True))
    listing = read([task(1, annotation("a")), skipped, task(3)])
    assert labels_of(listing) == {"1.png": "a"}
    assert (
        "2 tasks of export.json without a label were left out, 1 of them skipped."
        in listing.notices
    )


def test_without_labels_all_are_taken(read):
    wrong = [task(1, annotation("a", "b")), task(2, annotation("b")), task(3)]
    assert labels_of(read(wrong, labels="none")) == dict.fromkeys(FILES)
    assert labels_of(read([task(1), task(2)])) == {"1.png": None, "2.png": None}


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ([task(1, annotation("a", "b"))], "task 1: has several labels, 'a', 'b'"),
        ([{"id": 1, "annotations": []}], "task 1: has no 'data'"),
        ([task(1) | {"data": {"photo": "1.png"}}], "no text 'image'; --file-column .* 'photo'"),
        ([task(1) | {"annotations": 7}], "'annotations' that is no list"),
        ([task(1, annotation() | {"result": [choices(5)]})], "label that is no text: 5"),
        ([TASKS[0], TASKS[0]], "task 2: names the same picture as task 1"),
        ([task(1, annotation("a"), image="none.png")], "task 1: there is no file 'none.png'"),
        ([task(1, {"result": [choices("a"), choices("b", name="b")]})], "several questions"),
        ([1], "is no list of tasks"),
        (b"[", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[]", "names no pictures"),
    ],
)
def test_what_is_wrong_is_named_by_its_task(read, tasks, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read(tasks)


def test_one_of_several_questions_is_chosen(read):
    both = {"result": [choices("a"), choices("good", name="quality")]}
    assert labels_of(read([task(1, both)], label_column="quality")) == {"1.png": "good"}


def test_a_key_of_the_data_is_the_group(read):
    listing = read([task(1, annotation("a"), camera="north")], group_column="camera")
    assert listing.files.column("group").to_pylist() == ["north"]


def test_what_was_asked_for_must_be_there(read):
    with pytest.raises(NotExpectedLabelColumnError, match="a choice for 'quality'"):
        read(label_column="quality")
    with pytest.raises(InvalidDatasetError, match="has 'camera' in its data"):
        read(group_column="camera")


MIN = {"annotator": 1, "annotation_id": 5, "created_at": "x", "lead_time": 1.5}


def test_json_min_is_read_as_well(read):
    rows = [{"id": n, "image": f"/data/upload/3/0a1b2c3{n}-{n}.png", **MIN} for n in (1, 2, 3)]
    rows = [rows[0] | {"choice": "007"}, rows[1] | {"choice": "NA"}, rows[2]]
    listing = read([*rows, rows[0] | {"choice": "007"}])
    assert labels_of(listing) == {"1.png": "007", "2.png": "NA"}
    assert "1 task of export.json without a label was left out." in listing.notices
    with pytest.raises(InvalidDatasetError, match="task 1: was labelled '007' and 'b'"):
        read([*rows, rows[0] | {"choice": "b"}])
    with pytest.raises(InvalidDatasetError, match="task 1: has several labels, 'a', 'b'"):
        read([rows[0] | {"choice": {"choices": ["a", "b"]}}])
    with pytest.raises(InvalidDatasetError, match="several keys, 'x', 'y'; --label-column"):
        read([rows[2] | {"x": "a", "y": "b"}])


def test_its_csv_is_a_table(read):
    text = (
        "annotation_id,annotator,choice,created_at,id,image,lead_time,updated_at\n"
        "5,1,007,x,1,/data/upload/3/0a1b2c31-1.png,1.5,x\n"
        "6,1,NA,x,2,/data/upload/3/0a1b2c32-2.png,1.5,x\n"
    )
    columns = {"file_column": "image", "label_column": "choice"}
    listing = read(text.encode(), name="export.csv", **columns)
    assert labels_of(listing) == {"1.png": "007", "2.png": "NA"}
    several = text.replace("NA", '"{""choices"": [""a"", ""b""]}"')
    with pytest.raises(InvalidDatasetError, match="line 3: has several labels"):
        read(several.encode(), name="export.csv", **columns)


def test_a_group_with_half_a_character_is_named_by_its_task(read):
    tasks = [task(1, annotation("a"), who="\udce9"), task(2, annotation("b"), who="\ud800")]
    with pytest.raises(InvalidDatasetError, match=r"task 1: has a group with half .* task 2: has"):
        read(tasks, group_column="who")
