"""Exports of CVAT, "CVAT for images 1.1"."""

import random

import pytest

from imageloom.errors import InvalidDatasetError, NotExpectedLabelColumnError

X = b"not decoded here"
FILES = {"images/1.png": X, "images/2.png": X, "images/sub/3.png": X}
META = "<version>1.1</version><meta><task><labels><label><name>no</name></label></labels></task>"


def image(name, *inside, **more):
    values = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<image id="0" name="{name}" width="4" height="5"{values}>{"".join(inside)}</image>'


def tag(label, inside=""):
    return f'<tag label="{label}" source="manual">{inside}</tag>'


def box(label):
    return f'<box label="{label}" xtl="0" ytl="0" xbr="1" ybr="1" occluded="0" z_order="0"></box>'


TAGGED = [
    image("1.png", tag("007")),
    image("2.png", tag("NA"), tag("NA")),
    image("sub/3.png", tag("a/b &amp; é")),
]


@pytest.fixture
def read(listed):
    def run(images=TAGGED, *, text=None, files=FILES, **params):
        head = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>{META}</meta>'
        content = text or f"{head}{''.join(images)}</annotations>".encode()
        return listed({**files, "annotations.xml": content}, "annotations.xml", **params)

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


def test_the_tag_of_a_picture_is_its_class_as_text(read):
    assert labels_of(read()) == {
        "images/1.png": "007",
        "images/2.png": "NA",
        "images/sub/3.png": "a/b & é",
    }


def test_pictures_may_lie_beside_the_file_or_in_a_folder_that_is_named(read):
    assert list(labels_of(read(TAGGED[:1], files={"1.png": X}))) == ["1.png"]
    listing = read(TAGGED[:1], files={"there/1.png": X}, folder="there")
    assert list(labels_of(listing)) == ["1.png"]


def test_where_nothing_is_tagged_what_was_drawn_gives_the_class(read):
    listing = read([image("1.png", box("a"), box("a")), image("2.png", box("b"))])
    assert labels_of(listing) == {"images/1.png": "a", "images/2.png": "b"}


def test_boxes_do_not_count_beside_tags(read):
    listing = read([image("1.png", tag("a"), box("b")), image("2.png", box("c"))])
    assert labels_of(listing) == {"images/1.png": "a"}
    assert "1 picture of annotations.xml without a label was left out." in listing.notices


def test_several_tags_are_the_labels_of_a_picture(read):
    images = [
        image("1.png", tag("b"), tag("a|c"), box("d")),
        image("2.png", box("b")),
        image("sub/3.png", tag("b")),
    ]
    assert label_sets_of(read(images, labels="several")) == {
        "images/1.png": ["a|c", "b"],
        "images/2.png": [],
        "images/sub/3.png": ["b"],
    }
    drawn = [image("1.png", box("b"), box("a"), box("b")), image("2.png")]
    assert label_sets_of(read(drawn, labels="several")) == {
        "images/1.png": ["a", "b"],
        "images/2.png": [],
    }


def test_an_attribute_can_be_the_class(read):
    kind = '<attribute name="age">3</attribute><attribute name="kind">ant &amp; co</attribute>'
    listing = read([image("1.png", tag("insect", kind))], label_column="kind")
    assert labels_of(listing) == {"images/1.png": "ant & co"}


def test_what_was_asked_for_must_be_there(read):
    with pytest.raises(NotExpectedLabelColumnError, match="has the attribute 'kind'"):
        read(label_column="kind")
    with pytest.raises(InvalidDatasetError, match="tells no groups"):
        read(group_column="camera")


def test_subsets_of_a_project_are_parts(read):
    images = [image("1.png", tag("a"), subset="Train"), image("2.png", tag("b"), subset="Test")]
    files = {"images/Train/1.png": X, "images/Test/2.png": X}
    with pytest.raises(InvalidDatasetError, match="'Test'"):
        read(images, files=files)
    assert labels_of(read(images, files=files, part="Train")) == {"images/Train/1.png": "a"}


def test_without_labels_all_are_taken(read):
    images = [image("1.png", tag("a"), tag("b")), image("2.png")]
    assert labels_of(read(images, labels="none")) == dict.fromkeys(["images/1.png", "images/2.png"])


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ([image("1.png", tag("a"), tag("b"))], "image 1: has several labels, 'a', 'b'"),
        ([image("9.png", tag("a"))], "image 1: there is no file '9.png'"),
        ([image("1.png", tag("a")), image("1.png", tag("a"))], "names the same file as image 1"),
        ([image("", tag("a"))], "image 1: the file name is empty"),
        ([], "has no element 'image'"),
        (["<track id='0' label='a'/>"], "but tracks of a video"),
        (["<image>"], "is not valid XML: mismatched tag"),
    ],
)
def test_what_is_wrong_is_named_by_its_picture(read, images, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read(images)


@pytest.mark.parametrize("name", ["../1.png", "/etc/passwd", "images/../../x.png", "C:/../../x"])
def test_s01_names_that_lead_out_are_refused(read, name):
    with pytest.raises(InvalidDatasetError, match="wrong row"):
        read([image(name, tag("a"))])


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        f'<!ENTITY l0 "ha">{LAUGHS}<!ENTITY x "&l19;">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/evil.dtd"> %p;',
        "",
    ],
    ids=["external", "laughs", "parameter", "empty"],
)
def test_s20_a_document_type_is_refused_before_it_does_anything(read, declared):
    text = (
        f"<!DOCTYPE annotations [{declared}]><annotations>{image('1.png', tag('a'))}</annotations>"
    )
    with pytest.raises(InvalidDatasetError, match="declares a document type"):
        read(text=text.encode())


@pytest.mark.parametrize(
    "text",
    [
        b"<annotations>",
        b"\xff\xfe\x00",
        b"<a/>",
        b"<annotations><image name='1.png'><tag label='&x;'/></image></annotations>",
        b"<?xml version='1.0' encoding='nonsense'?><annotations/>",
        b"<a>" * 100_000,
        random.Random(0).randbytes(1000),
    ],
)
def test_what_is_no_export_is_named(read, text):
    with pytest.raises(InvalidDatasetError, match=r"annotations\.xml"):
        read(text=text)


def test_s20_elements_without_end_are_refused_before_they_fill_the_memory(read):
    deep = b"<annotations>" + b"<a>" * 63
    with pytest.raises(InvalidDatasetError, match="no element found"):
        read(text=deep)
    with pytest.raises(InvalidDatasetError, match="elements in more than 64 others"):
        read(text=deep + b"<a>" * 100_000)
