"""Section D of the bad inputs: archives that lie, and those that are only unusual (S03)."""

import bz2
import contextlib
import gzip
import io
import os
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageloom.data.sources.archive import limits as archive_limits
from imageloom.data.sources.archive import zip as zip_archive
from imageloom.data.sources.archive.limits import ArchiveLimits
from imageloom.data.sources.archive.member_names import (
    MAX_PATH_BYTES,
    MemberNames,
    safe_member_path,
)
from imageloom.data.sources.archive.unpack import unpack_archive
from imageloom.errors import (
    FailedToWriteOutputsError,
    InvalidDatasetError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Control

from .made_pictures import png

GOOD = {"a/1.png": png(1), "b/2.png": png(2)}


def a_zip(members, method=zipfile.ZIP_DEFLATED):
    """Members are pairs of a name or ZipInfo and bytes, so that a name can stand twice."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return file.getvalue()


def tar_info(name, size=0, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def a_tar(members, mode="w", tar_format=tarfile.PAX_FORMAT):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=tar_format) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            info = name if isinstance(name, tarfile.TarInfo) else tar_info(name, len(content))
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def unpack(tmp_path):
    """Unpack bytes below tmp_path/jail/out and return the files; nothing may appear elsewhere."""
    jail = tmp_path / "jail"
    (jail / "out").mkdir(parents=True)

    def run(content, name="pictures.zip", **options):
        archive = tmp_path / name
        archive.write_bytes(content)
        try:
            run.ignored, run.notices = unpack_archive(
                archive, jail / "out", **options, control=Control()
            )
        finally:
            assert os.listdir(jail) == ["out"]  # noqa: PTH208
            assert archive.read_bytes() == content
            run.written = files_below(jail / "out")
        return run.written

    return run


def files_below(folder):
    root = os.fsencode(folder)
    return {
        os.path.relpath(os.path.join(where, name), root): Path(  # noqa: PTH118
            os.fsdecode(os.path.join(where, name))  # noqa: PTH118
        ).read_bytes()
        for where, _, names in os.walk(root)
        for name in names
    }


def named(files):
    return {os.fsencode(name): content for name, content in files.items()}


def refused(unpack, content, match, reason, name="pictures.zip"):
    with pytest.raises(InvalidDatasetError, match=match) as problem:
        unpack(content, name)
    assert problem.value.reason == reason
    assert problem.value.hint
    return problem.value


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (a_zip(GOOD), "x.zip"),
        (a_zip(GOOD, zipfile.ZIP_STORED), "x.zip"),
        (a_tar(GOOD), "x.tar"),
        (a_tar(GOOD, tar_format=tarfile.GNU_FORMAT), "x.tar"),
        (a_tar(GOOD, tar_format=tarfile.USTAR_FORMAT), "x.tar"),
        (a_tar(GOOD, "w:gz"), "x.tar.gz"),
        (a_tar(GOOD, "w:gz"), "x.tgz"),
        (a_tar(GOOD, "w:bz2"), "x.tar.bz2"),
        (a_tar(GOOD, "w:gz"), "wrong-suffix.zip"),
    ],
    ids=["zip", "zip-stored", "pax", "gnu", "ustar", "tar.gz", "tgz", "tar.bz2", "by-content"],
)
def test_d20_every_accepted_kind_unpacks_to_the_same_files(unpack, content, name):
    assert unpack(content, name) == named(GOOD)


UNSAFE = [
    "../../evil.png",
    "a/../../b.png",
    "/etc/evil.png",
    "..\\..\\evil.png",
    "C:\\x.png",
    "C:/x.png",
    "\\\\server\\share\\x.png",
    "a/..",
]


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("make", [a_zip, a_tar])
def test_d01_a_member_that_leads_outside_refuses_the_whole_archive(unpack, make, name):
    content = make([("a/1.png", png()), (name, png())])
    problem = refused(unpack, content, "leads out of the folder", "unsafe-member")
    assert "Nothing was unpacked" in problem.message
    assert unpack.written == {}


def test_d01_the_usual_call_writes_such_a_member_inside_under_another_name(tmp_path):
    with zipfile.ZipFile(io.BytesIO(a_zip({"../../evil.png": b"x"}))) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "evil.png").is_file()


def zip_link(name, target):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return (info, target)


@pytest.mark.parametrize(
    "content",
    [
        a_zip([zip_link("a", "/tmp"), ("a/1.png", png())]),
        a_tar([(tar_info("a", kind=tarfile.SYMTYPE, link="/tmp"), b""), ("a/1.png", png())]),
        a_tar([("1.png", png()), (tar_info("2.png", kind=tarfile.LNKTYPE, link="1.png"), b"")]),
        a_tar([(tar_info("pipe.png", kind=tarfile.FIFOTYPE), b"")]),
        a_tar([(tar_info("dev.png", kind=tarfile.CHRTYPE), b"")]),
        a_tar([(tar_info("s.png", kind=tarfile.GNUTYPE_SPARSE), b"")]),
    ],
    ids=["zip-link", "tar-link", "hard-link", "pipe", "device", "sparse"],
)
def test_d02_and_d03_links_devices_and_sparse_members_are_refused(unpack, content):
    refused(unpack, content, "is a (link|hard link|named pipe|device|sparse file)", "unsafe-member")
    assert unpack.written == {}


def test_d03_a_sparse_member_by_extended_header_is_refused(unpack):
    info = tar_info("a/1.png", 3)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "x"}
    refused(unpack, a_tar([(info, b"xyz")]), "is a sparse file", "unsafe-member")


def test_d04_a_path_replaced_by_an_extended_header_is_checked_too(unpack):
    info = tar_info("harmless.png", 1)
    info.pax_headers = {"path": "../canary"}
    refused(unpack, a_tar([(info, b"x")]), "leads out", "unsafe-member")


def zeros():
    return bytes(30_000_000)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: a_zip({"a/z.png": zeros()}), "too-big"),  # refused by what it promises
        (lambda: a_tar({"a/z.png": zeros()}, "w:gz"), "too-big"),
        (lambda: gzip.compress(a_tar(GOOD) + zeros()), "compression-bomb"),  # promises nothing
    ],
    ids=["zip", "tar.gz", "zeros behind the end"],
)
def test_d05_a_compression_bomb_is_stopped(unpack, make, reason):
    content = make()
    assert len(zeros()) / len(content) > 200
    refused(unpack, content, "unpacks to more than", reason)
    assert unpack.written == {}


def test_d06_an_archive_inside_an_archive_stays_a_file(unpack):
    inner = a_zip({"x.png": b"1"})
    assert unpack(a_zip({"a/inner.zip": inner})) == {b"a/inner.zip": inner}


def test_d07_entries_that_share_bytes_are_refused(unpack):
    content = bytearray(a_zip({"a/1.png": b"x" * 500, "a/2.png": b"x" * 500}, zipfile.ZIP_STORED))
    second = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, second + 42, 0)  # both now begin at byte 0
    refused(unpack, bytes(content), "share the same bytes", "overlapping-members")


def test_d08_too_many_members_are_refused(unpack, monkeypatch):
    monkeypatch.setattr(archive_limits, "MAX_MEMBERS", 10)  # two million take a minute to make
    content = a_zip({f"a/{number}.png": b"" for number in range(11)})
    refused(unpack, content, "more than 10 members", "too-many-members")


@pytest.mark.parametrize("promised", [10, 4000])
def test_d09_a_member_that_is_not_as_long_as_it_says_is_refused(unpack, promised):
    content = bytearray(a_zip({"a/1.png": b"x" * 2000}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", content, content.index(mark) + offset, promised)
    refused(unpack, bytes(content), "not what its directory says", "damaged-archive")


def test_d09_bytes_are_counted_while_writing_not_believed(tmp_path):
    limits = ArchiveLimits(tmp_path, archive_bytes=1_000_000, disk_bytes=10**12)
    for _ in range(20):
        limits.count_bytes(1_000_000)
    with pytest.raises(InvalidDatasetError, match="more than 20 times"):
        limits.count_bytes(1)


def test_d09_an_archive_larger_than_the_free_disk_is_refused_with_both_numbers(tmp_path):
    limits = ArchiveLimits(tmp_path, archive_bytes=10**9, disk_bytes=100)
    with pytest.raises(FailedToWriteOutputsError, match="91 bytes or more, but only 100"):
        limits.count_bytes(91)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("make", [a_zip, a_tar])
@pytest.mark.parametrize(
    "names",
    [
        ("a/1.png", "a/1.png"),
        ("a/1.png", "a/./1.png"),
        ("Cat/x.png", "cat/x.png"),
        ("Cat/x.png", "cat/y.png"),
        ("a/X.png", "a/x.png"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("caf\u00e9/1.png", "cafe\u0301/2.png"),
    ],
)
def test_d10_to_d12_names_that_collide_are_refused_naming_both(unpack, make, names):
    content = make([(name, png()) for name in names])
    problem = refused(unpack, content, "holds '.*' and '.*'", "colliding-members")
    assert len(problem.details["members"]) == 2
    assert unpack.written == {}


def test_d10_the_usual_call_keeps_the_last_of_two_members(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = a_zip([("1.png", b"first"), ("1.png", b"second")])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "1.png").read_bytes() == b"second"


def test_d13_nul_in_a_name_is_refused(unpack):
    content = a_zip({"a/1#.png": b"x"}).replace(b"1#.png", b"1\0.png")
    refused(unpack, content, "holds a NUL character", "unsafe-member")


WHOLE_ZIP, WHOLE_TAR, WHOLE_GZ = a_zip(GOOD), a_tar(GOOD), a_tar(GOOD, "w:gz")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (WHOLE_ZIP[:-10], "cut.zip"),
        (WHOLE_ZIP[: len(WHOLE_ZIP) // 2], "half.zip"),
        (WHOLE_TAR[:1100], "half.tar"),
        (WHOLE_TAR[:1024], "one-member.tar"),
        (WHOLE_GZ[: len(WHOLE_GZ) // 2], "half.tar.gz"),
        (WHOLE_GZ[:-5], "cut.tar.gz"),
        (a_tar(GOOD, "w:bz2")[:-20], "cut.tar.bz2"),
        (WHOLE_TAR + WHOLE_TAR, "two-in-one.tar"),
    ],
)
def test_d14_a_damaged_archive_is_refused(unpack, content, name):
    refused(unpack, content, "is damaged or cut short", "damaged-archive", name)


def test_d14_a_flipped_bit_in_a_member_is_refused(unpack):
    content = bytearray(a_zip(GOOD, zipfile.ZIP_STORED))
    content[60] ^= 1
    refused(unpack, bytes(content), "not what its directory says", "damaged-archive")


def test_d14_a_flipped_bit_in_a_tar_header_is_refused(unpack):
    content = bytearray(WHOLE_TAR)
    content[content.index(b"b/2.png")] ^= 1
    refused(unpack, bytes(content), "does not have the sum", "damaged-archive", "x.tar")


def patched_entry(offset, value):
    content = bytearray(WHOLE_ZIP)
    for mark, shift in ((b"PK\x03\x04", -2), (b"PK\x01\x02", 0)):
        struct.pack_into("<H", content, content.index(mark) + offset + shift, value)
    return bytes(content)


def test_d15_an_encrypted_archive_is_refused(unpack):
    refused(unpack, patched_entry(8, 1), "encrypted", "encrypted")


def test_d16_one_of_several_parts_is_refused(unpack):
    content = bytearray(WHOLE_ZIP)
    struct.pack_into("<H", content, content.rindex(b"PK\x05\x06") + 4, 1)
    refused(unpack, bytes(content), "one of several parts", "multi-disk")


@pytest.mark.parametrize(("method", "name"), [(12, "bzip2"), (14, "LZMA"), (77, "number 77")])
def test_d17_an_unknown_compression_method_is_named(unpack, method, name):
    refused(unpack, patched_entry(10, method), name, "compression-method")


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(600), "x.7z", "7z"),
        (b"Rar!\x1a\x07" + bytes(600), "x.rar", "rar"),
        (b"\xfd7zXZ\0" + bytes(600), "x.tar.xz", "xz"),
        (gzip.compress(b"one file" * 200, mtime=0), "x.gz", "gz of one file"),
        (bz2.compress(b"one file" * 200), "x.bz2", "bz2 of one file"),
        (png(), "x.png", "a single PNG picture"),
        (b"", "x.zip", "an empty file"),
        (b"hello" * 300, "x.zip", "no .zip archive"),
        (b"hello" * 300, "x.dat", r"\.dat"),
    ],
)
def test_d20_other_formats_are_named(unpack, content, name, told):
    problem = refused(
        unpack, content, f"format that is not supported: {told}", "format-not-supported", name
    )
    assert ".tar.gz" in problem.hint


@pytest.mark.slow
def test_d21_more_members_than_16_bits_count_are_read_by_the_zip64_records(tmp_path):
    content = a_zip({f"{number}.png": b"" for number in range(65_600)}, zipfile.ZIP_STORED)
    limits = ArchiveLimits(tmp_path, archive_bytes=len(content), disk_bytes=10**12)
    reader = zip_archive.ZipReader(io.BytesIO(content), tmp_path, limits)
    assert sum(1 for _ in reader.members()) == 65_600


def test_d21_sizes_beyond_32_bits_are_read_from_their_extra_field():
    extra = struct.pack("<HHQQ", 1, 16, 5_000_000_000, 4_999_999_999)
    full = 0xFFFFFFFF
    assert zip_archive._long_values(full, full, 7, extra) == (5_000_000_000, 4_999_999_999, 7)


def test_system_files_are_not_written_but_counted(unpack):
    content = a_zip({"__MACOSX/a/._1.png": b"x", "a/.DS_Store": b"x", "a/1.png": b"1"})
    assert unpack(content) == {b"a/1.png": b"1"}
    assert unpack.ignored == 2


def test_a_folder_of_its_own_is_made_so_that_an_empty_class_is_seen(unpack, tmp_path):
    unpack(a_zip({"empty/": b"", "a/1.png": b"1"}))
    assert (tmp_path / "jail" / "out" / "empty").is_dir()


def test_names_by_old_windows_programs_are_read_as_they_were_meant(unpack):
    content = a_zip({"a#1.png": b"1", "b/2.png": b"2"}).replace(b"a#1.png", b"a\\1.png")
    assert set(unpack(content)) == {b"a/1.png", b"b/2.png"}


def test_a_name_in_the_old_code_page_becomes_utf_8(unpack):
    content = a_zip({"caf#.png": b"1"}).replace(b"caf#", b"caf\x82")
    assert set(unpack(content)) == {"café.png".encode()}


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_survive_in_every_tar_dialect(unpack, tar_format):
    name = "/".join(["n" * 90] * 4) + ".png"
    assert unpack(a_tar({name: b"1"}, tar_format=tar_format)) == {name.encode(): b"1"}


def test_b08_a_name_of_256_bytes_is_refused_by_name(unpack):
    refused(unpack, a_zip({"n" * 256 + ".png": b"1"}), "more than 255 bytes", "name-too-long")


def test_an_extended_header_of_gigabytes_is_not_read_into_memory(unpack):
    header = bytearray(a_tar({"a/1.png": b""})[:512])
    header[156:157] = b"x"
    header[124:136] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    refused(unpack, bytes(header) + bytes(10240), "extended header has", "damaged-archive", "x.tar")


def test_a_cancelled_unpacking_stops(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "x.zip").write_bytes(WHOLE_ZIP)
    cancel = CancelToken()
    cancel.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match="Ctrl"):
        unpack_archive(tmp_path / "x.zip", tmp_path / "out", control=Control(cancel=cancel))


def test_d22_an_archive_that_changes_meanwhile_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    archive = tmp_path / "x.zip"
    archive.write_bytes(WHOLE_ZIP)
    with pytest.raises(InvalidDatasetError, match="changed while it was being unpacked"):
        unpack_archive(
            archive, tmp_path / "out", control=Control(lambda _: os.utime(archive, ns=(1, 1)))
        )


HOSTILE_PARTS = st.sampled_from(
    ["..", ".", "", "a", "b c", "C:", "é", "\\", "..\\", "\0", "n" * 300]
)


@given(st.lists(HOSTILE_PARTS, min_size=1, max_size=6).map("/".join), st.booleans())
def test_a_name_that_passes_never_leads_outside(name, backslash_separates):
    try:
        path = safe_member_path(
            os.fsencode(name), Path("x.zip"), backslash_separates=backslash_separates
        )
    except InvalidDatasetError:
        return
    place = os.path.normpath(os.path.join(b"/jail/out", path))  # noqa: PTH118
    assert place == b"/jail/out" or place.startswith(b"/jail/out/")
    assert len(path) <= MAX_PATH_BYTES
    assert b".." not in path.split(b"/")
    assert b"\0" not in path


@given(st.lists(st.sampled_from("abAB"), min_size=1, max_size=4), st.data())
def test_collisions_are_found_exactly_when_folded_names_meet(letters, data):
    paths = [f"{letter}/{data.draw(st.sampled_from('xyX'))}".encode() for letter in letters]
    names = MemberNames(Path("x.zip"))
    folders = {path.split(b"/")[0] for path in paths}
    files = [path.lower() for path in paths]
    collide = len({f.lower() for f in folders}) < len(folders) or len(set(files)) < len(files)
    try:
        for path in paths:
            names.add(path, is_folder=False)
        names.refuse_collisions(lambda: paths)
    except InvalidDatasetError:
        assert collide
    else:
        assert not collide


CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([WHOLE_ZIP, WHOLE_TAR, WHOLE_GZ]), CHANGES)
def test_s19_a_changed_archive_is_unpacked_whole_or_refused(content, changes):
    changed = bytearray(content)
    for place, value in changes:
        changed[place % len(changed)] = value
    with tempfile.TemporaryDirectory() as folder:
        archive, out = Path(folder, "x"), Path(folder, "out")
        archive.write_bytes(changed)
        out.mkdir()
        with contextlib.suppress(InvalidDatasetError):  # and no other kind of error
            unpack_archive(archive, out, control=Control())
        assert sorted(os.listdir(folder)) == ["out", "x"]  # noqa: PTH208


def test_a_file_without_a_name_is_refused(unpack):
    refused(unpack, a_tar([("./", b""), (tar_info("."), b"")]), "without a name", "unsafe-member")
