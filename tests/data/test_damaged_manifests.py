"""Damage of any kind to a manifest ends in an error with a name, or in a listing."""

import random

import pytest

from imageloom.data.convert import list_source
from imageloom.data.params import ConvertParams
from imageloom.data.sources.kind import find_source
from imageloom.errors import ImageloomError, InvalidDatasetError, LibraryError
from imageloom.events import Control

WHOLE = {
    "parts.csv": b'file,label,split\n1.png,"a, b",train\n2.png,c,val\n',
    "one-hot.csv": b"filename, Ant, Bee\n1.png, 1, 0\n2.png, 0, 1\n",
    "excel.csv": b"\xef\xbb\xbfimage_path;species\r\n1.png;a\r\n",
    "list.txt": b"1.png 0\n2.png 1\n",
    "table.tsv": b"file\tlabel\n1.png\ta\n2.png\tb\n",
    "lines.jsonl": b'{"file": "1.png", "label": "a"}\n{"file": "2.png", "label": 7}\n',
    "coco.json": b'{"images": [{"id": 1, "file_name": "1.png"}], "annotations": [{"image_id": 1,'
    b' "category_id": 2}], "categories": [{"id": 2, "name": "a"}]}',
    "label-studio.json": b'[{"data": {"image": "/data/upload/1/1.png"}, "annotations": [{"result":'
    b' [{"from_name": "c", "type": "choices", "value": {"choices": ["a"]}}]}]}]',
    "label-studio-min.json": b'[{"image": "1.png", "choice": "a"}, {"image": "2.png"}]',
    "cvat.xml": b'<annotations><image name="1.png"><tag label="a"/></image><image name="2.png">'
    b'<tag label="b"><attribute name="label">c</attribute></tag></image></annotations>',
}
ODD = (
    *(b"\0", b'"', b",", b";", b"|", b"\t", b" ", b"\n", b"\r", b"\xff", b"\xc3", b"\xff\xfe"),
    *(b"/", b"..", b"{", b"[", b"null", b"true", b"NaN", b"1e999", b"-", b"\\ud800", b"\\u0000"),
    *(b"\xe2\x80\xa8", b"\xe2\x80\x8b", b"a" * 300, b"9" * 5000, b"/" * 5000),
)
ASKED = (
    {},
    {"labels": "none"},
    {"part": "train"},
    {"label_column": "label"},
    {"group_column": "split"},
    {"file_column": "file"},
)


def damaged(content: bytes, choice: random.Random) -> bytes:
    at = choice.randrange(len(content) + 1)
    end = at + choice.randint(0, 12)
    new = choice.choice((b"", choice.choice(ODD), content[at:end] * 2, choice.randbytes(1)))
    return content[:at] + new + content[end if choice.random() < 0.5 else at :]


@pytest.mark.parametrize("name", WHOLE)
def test_damage_meets_only_errors_with_a_name(name, tree, sealed):
    root = tree.write({"1.png": b"X", "2.png": b"X"})
    choice = random.Random(0)
    codes = set()
    for _ in range(150):
        tree.write({name: damaged(WHOLE[name], choice)})
        with sealed():
            try:
                list_source(
                    find_source(root / name),
                    ConvertParams(**choice.choice(ASKED)),
                    control=Control(),
                )
            except ImageloomError as problem:
                codes.add(problem.code)
    assert InvalidDatasetError.code in codes
    assert LibraryError.code not in codes
