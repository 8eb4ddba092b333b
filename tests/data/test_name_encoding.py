"""Archives whose names are in an old code page, and archives that unpack themselves."""

import codecs
import io
import os
import struct
import typing
import zipfile
import zlib

import pytest

from imageloom.data.convert import convert
from imageloom.data.params import ConvertParams, NameEncoding
from imageloom.data.sources.archive.name_encoding import _CODECS
from imageloom.data.sources.archive.unpack import unpack_archive
from imageloom.errors import InvalidDatasetError, ParameterParsingError
from imageloom.events import Control, Notice

from .made_pictures import png
from .test_archive import a_tar, a_zip


def renamed(archive, names, encoding="cp932"):
    """Put names of the same length into an archive, as a program of old would have written them."""
    for placeholder, name in names.items():
        raw = name.encode(encoding)
        assert len(raw) == len(placeholder)
        archive = archive.replace(placeholder.encode(), raw)
    return archive


CATS, DOGS = "猫ねこ", "犬いぬ"
JAPANESE = renamed(
    a_zip({"CATCAT/1.png": png(1), "DOGDOG/2.png": png(2)}), {"CATCAT": CATS, "DOGDOG": DOGS}
)


@pytest.fixture
def unpack(tmp_path):
    def run(content, **options):
        (tmp_path / "x.zip").write_bytes(content)
        (tmp_path / "out").mkdir()
        found = unpack_archive(tmp_path / "x.zip", tmp_path / "out", **options, control=Control())
        files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        return {str(one.relative_to(tmp_path / "out")) for one in files}, found.notices

    return run


def test_names_are_read_in_the_encoding_that_is_asked_for(unpack):
    files, notices = unpack(JAPANESE, name_encoding="shift_jis")
    assert files == {f"{CATS}/1.png", f"{DOGS}/2.png"}
    assert notices == ()


def test_a_guess_is_told_with_three_names_and_how_to_say_otherwise(unpack, tmp_path):
    files, (notice,) = unpack(JAPANESE)
    guessed = CATS.encode("cp932").decode("cp437")
    assert f"{guessed}/1.png" in files
    assert "the names of 2 files are encoded" in notice
    assert f"'{guessed}/1.png'" in notice
    assert f"imageloom data convert {tmp_path}/x.zip --out pictures --name-encoding" in notice


def test_a_second_byte_that_looks_like_a_backslash_separates_nothing(unpack):
    # The second byte of this character is 0x5C in Shift-JIS.
    content = renamed(a_zip({"d/AA": png(1), "BBBB/1.png": png(2)}), {"AA": "表", "BBBB": "表示"})
    files, _ = unpack(content, name_encoding="shift_jis")
    assert files == {"d/表", "表示/1.png"}


def test_a_name_that_cannot_be_in_that_encoding_is_refused(unpack):
    content = a_zip({"CATCAT/1.png": png(1)}).replace(b"CATCAT", b"\x81\x01\x81\x01\x81\x01")
    with pytest.raises(InvalidDatasetError, match="is not in the encoding shift_jis") as refused:
        unpack(content, name_encoding="shift_jis")
    assert refused.value.reason == "name-encoding"


def test_what_says_its_encoding_is_not_read_otherwise(unpack):
    files, notices = unpack(a_zip({f"{CATS}/1.png": png(1)}), name_encoding="cp1252")
    assert files == {f"{CATS}/1.png"}  # zipfile sets the flag for UTF-8
    assert notices == ()


def test_utf_8_without_its_flag_is_known_for_what_it_is(unpack):
    content = renamed(a_zip({"CATCATCAT/1.png": png(1)}), {"CATCATCAT": "猫ねこ"}, "utf-8")
    files, notices = unpack(content)
    assert files == {"猫ねこ/1.png"}
    assert notices == ()


@pytest.mark.parametrize(("is_whole", "folder"), [(True, "猫"), (False, "é")])
def test_a_name_in_utf_8_beside_the_old_one_is_taken_if_it_belongs_to_it(unpack, is_whole, folder):
    old, new = b"\x82/1.png", "猫/1.png".encode()
    info = zipfile.ZipInfo("A/1.png")
    crc = zlib.crc32(old) + (not is_whole)
    info.extra = struct.pack("<HHBL", 0x7075, 5 + len(new), 1, crc) + new
    files, _ = unpack(a_zip([(info, png(1))]).replace(b"A/1.png", old))
    assert files == {f"{folder}/1.png"}


def test_names_of_a_tar_are_kept_byte_for_byte_or_read_as_asked_for(unpack, tmp_path):
    import shutil
    import tarfile

    content = io.BytesIO()
    with tarfile.open(
        fileobj=content, mode="w", format=tarfile.GNU_FORMAT, encoding="cp932"
    ) as tar:
        info = tarfile.TarInfo(f"{CATS}/1.png")
        info.size = len(png(1))
        tar.addfile(info, io.BytesIO(png(1)))
    _, (notice,) = unpack(content.getvalue())
    assert "were kept byte for byte" in notice
    assert os.listdir(os.fsencode(tmp_path / "out")) == [CATS.encode("cp932")]  # noqa: PTH208
    shutil.rmtree(tmp_path / "out")
    files, notices = unpack(content.getvalue(), name_encoding="shift_jis")
    assert (files, notices) == ({f"{CATS}/1.png"}, ())


def test_the_classes_of_an_archive_have_their_real_names(tree, sealed, tmp_path):
    tree.write({"x.zip": JAPANESE})
    events = []
    with sealed():
        guessed = convert(tree.root / "x.zip", tmp_path / "guessed", on_event=events.append)
        asked = ConvertParams(name_encoding="shift_jis")
        images = convert(tree.root / "x.zip", tmp_path / "asked", params=asked)
    assert set(images.classes) == {CATS, DOGS}
    assert images.notices == ()
    told = [event.message for event in events if isinstance(event, Notice)]
    assert told == list(guessed.notices)
    assert "--name-encoding shift_jis" in told[0]


def test_only_encodings_of_the_list_are_taken():
    assert set(_CODECS) == set(typing.get_args(NameEncoding))
    assert all(codecs.lookup(codec) for codec in _CODECS.values())
    with pytest.raises(ParameterParsingError, match="must be one of utf_8, shift_jis, "):
        ConvertParams.parse({"name_encoding": "rot13"})


STUBS = {"windows": b"MZ" + bytes(3000), "linux": b"\x7fELF" + bytes(500), "script": b"#!/bin/sh\n"}


def behind(stub, files):
    """A zip file that was written behind a program, its places counted from the very beginning."""
    content = io.BytesIO(stub)
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


FILES = {"a/1.png": png(1), "b/2.png": png(2)}


@pytest.mark.parametrize("stub", STUBS.values(), ids=STUBS)
@pytest.mark.parametrize("make", [behind, lambda stub, files: stub + a_zip(files)])
def test_an_archive_that_unpacks_itself_is_read_and_not_run(unpack, stub, make):
    files, (notice,) = unpack(make(stub, FILES))
    assert files == set(FILES)
    assert "the program was not run" in notice


def test_a_member_behind_a_program_is_checked_as_any_other(unpack):
    with pytest.raises(InvalidDatasetError, match="leads out of the folder"):
        unpack(STUBS["windows"] + a_zip({"../evil.png": png(1)}))


@pytest.mark.parametrize(
    "content",
    [b"MZ", b"#!", *STUBS.values(), STUBS["linux"] + b"7z\xbc\xaf\x27\x1c", b"MZ" + a_tar(FILES)],
)
def test_a_program_without_a_zip_is_named_for_what_it_is(unpack, content):
    with pytest.raises(InvalidDatasetError, match="an archive that unpacks itself") as refused:
        unpack(content)
    assert refused.value.reason == "format-not-supported"
    assert "not run" in refused.value.hint


@pytest.mark.parametrize("cut", [1, 25, 200])
def test_an_archive_behind_a_program_that_is_cut_short_is_refused(unpack, cut):
    with pytest.raises(InvalidDatasetError, match=r"damaged|unpacks itself"):
        unpack((STUBS["windows"] + a_zip(FILES))[:-cut])


def test_anything_else_in_front_of_a_zip_stays_refused(unpack):
    with pytest.raises(InvalidDatasetError, match="not supported"):
        unpack(b"something" + a_zip(FILES))
