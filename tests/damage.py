"""Random damage to bytes and to JSON documents, and what may come out of reading them."""

import copy
import json
import shutil

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from imageloom.data.decoding.decoded_picture import UnreadablePictureError
from imageloom.errors import ImageloomError
from imageloom.files.publish import MANIFEST, _write_manifest

NAMED = (ImageloomError, UnreadablePictureError)
# Bytes that no text has, and what JSON and TOML trip over.
PIECES = st.sampled_from(
    [
        *(b"\0", b"\xff", b"\xed\xa0\x80", b'"\\ud800"', b"{", b"[" * 3000, b"9" * 5000, b"1e999"),
        *(
            b"null",
            b"NaN",
            b"\n",
            b"\r",
            b"\r\n",
            b",",
            b'"',
            b"'",
            b"../",
            b"/etc",
            b"true",
            b"\xe2\x80\xae",
            b"=",
        ),
    ]
)
PLACE = st.floats(0, 1, exclude_max=True)
CHANGE = st.one_of(
    st.tuples(st.just("flip"), PLACE, st.integers(0, 7)),
    st.tuples(st.just("cut"), PLACE, PLACE),
    st.tuples(st.just("zeros"), PLACE, st.integers(1, 64)),
    st.tuples(st.just("swap"), PLACE, PLACE),
    st.tuples(st.just("insert"), PLACE, PIECES),
    st.tuples(st.just("replace"), PLACE, PIECES),
)


def damaged(content, changes):
    for how, place, more in changes:
        at = int(place * len(content))
        if how == "flip" and content:
            content = content[:at] + bytes([content[at] ^ 1 << more]) + content[at + 1 :]
        elif how == "cut":
            content = content[:at] + content[at + int(more * (len(content) - at)) :]
        elif how == "zeros":
            content = content[:at] + bytes(more) + content[at + more :]
        elif how == "swap":
            other = int(more * len(content))
            first, second = content[at : at + 16], content[other : other + 16]
            content = content[:at] + second + content[at + 16 :]
            content = content[:other] + first + content[other + 16 :]
        elif how == "insert":
            content = content[:at] + more + content[at:]
        elif how == "replace":
            content = content[:at] + more + content[at + len(more) :]
    return content


# What takes the place of one value of a JSON document.
VALUES = st.sampled_from(
    [
        *(None, True, -1, 0, 10**30, 1e300, "", "\0", "\ud800", "../x", "/etc", "x" * 5000),
        *([], {}, [[]], [None], ["x"], {"x": 1}, [1] * 100, "__proto__", "nan", 0.5),
    ]
)
DOCUMENT_CHANGE = st.tuples(st.integers(0, 1000), st.one_of(st.just("remove"), VALUES))


def changed_document(content, changes):
    """Return a JSON document, or lines of them, with some values exchanged or removed."""
    is_lines = content.count(b"\n{") > 0
    documents = [json.loads(one) for one in content.splitlines()] if is_lines else None
    root = documents if is_lines else json.loads(content)
    for place, value in changes:
        slots = list(slots_of(root))
        if not slots:
            break
        holder, key = slots[place % len(slots)]
        if isinstance(value, str) and value == "remove":
            del holder[key]
        else:
            holder[key] = copy.deepcopy(value)  # a value put into itself would have no end
    written = [json.dumps(one) for one in root] if is_lines else [json.dumps(root)]
    return "\n".join([*written, ""]).encode()


def slots_of(value):
    keys = range(len(value)) if isinstance(value, list) else list(value)
    for key in keys:
        yield value, key
        if isinstance(value[key], list | dict):
            yield from slots_of(value[key])


QUICK = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CHANGES = st.lists(CHANGE, min_size=1, max_size=3)
DOCUMENT_CHANGES = st.lists(DOCUMENT_CHANGE, min_size=1, max_size=3)


def only_named_errors(read, path):
    try:
        read(path)
    except NAMED as problem:
        assert getattr(problem, "code", "0018") not in ("0000", "1000")  # noqa: PT017 - two trees


def resealed_copy(source, into, data):
    """Copy a published directory, damage one of its files, and make the manifest fit again."""
    files = sorted(one.name for one in source.iterdir() if one.name != MANIFEST)
    name = data.draw(st.sampled_from(files))
    content = (source / name).read_bytes()
    if name.endswith(".json") and data.draw(st.booleans()):
        content = changed_document(content, data.draw(DOCUMENT_CHANGES))
    else:
        content = damaged(content, data.draw(CHANGES))
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(source, into)
    (into / name).write_bytes(content)
    (into / MANIFEST).unlink()
    _write_manifest(into)
    return into
