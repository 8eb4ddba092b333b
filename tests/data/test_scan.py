import contextlib
import os
import socket
import time

import pytest
from torchvision.datasets import ImageFolder

from imageloom.data.images.index import UNLABELLED
from imageloom.data.params import ConvertParams
from imageloom.data.sources.folder.scan import scan_folder
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.events import Control

X = b"not decoded here"


@pytest.fixture
def scan(tree, sealed):
    def run(files, **params):
        root = tree.write(files)
        with sealed():
            return scan_folder(root, ConvertParams(**params), control=Control())

    return run


def rows(listing):
    labels = listing.files.column("label").to_pylist()
    names = [listing.classes[label] if label != UNLABELLED else None for label in labels]
    return list(zip(listing.files.column("path").to_pylist(), names, strict=True))


def test_each_sub_folder_is_a_class_and_paths_stand_in_byte_order(scan):
    listing = scan({"b/2.jpg": X, "b/10.jpg": X, "a/1.jpg": X})
    assert rows(listing) == [(b"a/1.jpg", "a"), (b"b/10.jpg", "b"), (b"b/2.jpg", "b")]
    assert listing.files.column("size_bytes").to_pylist() == [len(X)] * 3


def test_b01_a_name_that_is_not_utf_8_is_kept_byte_for_byte_and_shown_escaped(scan):
    listing = scan({b"caf\xe9/\xff.jpg": X})
    assert rows(listing) == [(b"caf\xe9/\xff.jpg", "caf\\xe9")]


def test_b02_emoji_and_combining_names_are_kept(scan):
    names = ["😀", "שלום", "a\u200bb", "e\u0301"]
    listing = scan({f"{name}/1.jpg": X for name in names})
    assert set(listing.classes) == set(names)


def test_b03_one_name_in_two_unicode_forms_is_refused(scan):
    with pytest.raises(InvalidDatasetError, match="Unicode form") as refused:
        scan({"caf\u00e9/1.jpg": X, "cafe\u0301/1.jpg": X})
    assert refused.value.reason == "twin-classes"


def test_b04_two_classes_that_differ_in_case_are_refused_naming_both(scan, tree):
    files = {"Cat/1.jpg": X, "cat/2.jpg": X, "dog/3.jpg": X}
    with pytest.raises(InvalidDatasetError, match=r"'Cat' and 'cat'|'cat' and 'Cat'"):
        scan(files)
    # The usual loader makes two classes, which become one on another computer.
    assert ImageFolder(tree.root).classes == ["Cat", "cat", "dog"]


@pytest.mark.parametrize(
    "name", ["new\nline", "tab\t", '"', "<img onerror=x>", "; rm -rf", "$(x)", "-x", "=1+1"]
)
def test_b05_odd_names_are_plain_text(scan, name):
    assert scan({f"{name}/{name}.jpg": X}).classes == (name,)


def test_b06_and_b07_names_that_look_like_numbers_or_nothing_stay_text_in_string_order(scan):
    names = ["007", "NA", "null", "1e5", "True", "1", "10", "2"]
    assert scan({f"{name}/x.jpg": X for name in names}).classes == tuple(sorted(names))
    assert sorted(["1", "10", "2"]) == ["1", "10", "2"]  # string order, not 1, 2, 10


def test_b06_a_blank_class_name_is_refused(scan):
    with pytest.raises(InvalidDatasetError, match="cannot be the name of a class"):
        scan({" /x.jpg": X, "a/x.jpg": X})


def test_b08_a_name_of_255_bytes_is_accepted(scan):
    name = "n" * 255
    assert rows(scan({f"{name}/{'f' * 251}.jpg": X}))[0][1] == name


def test_b08_folders_200_deep_are_walked(scan):
    deep = "/".join("d" for _ in range(200))
    assert scan({f"{deep}/x.jpg": X, "a/x.jpg": X}, nested="join").classes == ("a", deep)


def test_b09_and_b10_system_files_and_folders_are_ignored_and_counted(scan, tree):
    system = ["._1.jpg", ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r"]
    folders = ["__MACOSX", ".ipynb_checkpoints", ".git"]
    files = {f"a/{name}": X for name in system} | {f"{name}/1.jpg": X for name in folders}
    listing = scan(files | {"a/1.jpg": X, "b/1.jpg": X})
    assert listing.classes == ("a", "b")
    assert len(listing) == 2
    assert any("8 system files" in notice for notice in listing.notices)
    # The usual loader makes classes of them.
    assert set(ImageFolder(tree.root).classes) == {"a", "b", *folders}


def test_documents_beside_pictures_are_counted_not_decoded(scan):
    listing = scan({"README": X, "labels.csv": X, "a/1.jpg": X, "a/1.txt": X, "a/odd": X})
    assert rows(listing) == [(b"a/1.jpg", "a"), (b"a/odd", "a")]
    assert any("3 files that are documents by name" in notice for notice in listing.notices)


def test_b11_folders_inside_class_folders_are_refused_or_joined_never_merged(scan):
    files = {"a/b/1.png": X, "a/c/1.png": X, "d/1.png": X}
    with pytest.raises(InvalidDatasetError, match="class folder 'a'") as refused:
        scan(files)
    assert refused.value.reason == "nested-classes"
    assert scan(files, nested="join").classes == ("a/b", "a/c", "d")


def test_without_labels_all_pictures_at_any_depth_keep_their_relative_paths(scan, tree):
    files = {
        "top.jpg": X,
        "2024/1.jpg": X,
        "2024/may/2.jpg": X,
        "train/a/3.jpg": X,
        "val/b/4.jpg": X,
    }
    listing = scan(files | {"empty": None, ".git/5.jpg": X, "notes.txt": X}, labels="none")
    assert rows(listing) == [(os.fsencode(name), None) for name in sorted(files)]
    assert listing.classes == listing.rejected == ()
    assert listing.root == tree.root


def test_without_labels_a_single_folder_is_not_gone_down_into(scan, tree):
    assert rows(scan({"2024/may/1.jpg": X}, labels="none")) == [(b"2024/may/1.jpg", None)]
    assert rows(scan({}, labels="none", folder="2024")) == [(b"may/1.jpg", None)]


def test_without_labels_a_link_to_pictures_elsewhere_is_not_lost(scan, tree, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "2.jpg").write_bytes(X)
    tree.write({"2024/1.jpg": X})
    (tree.root / "2025").symlink_to(tmp_path / "elsewhere")
    (tree.root / "latest").symlink_to("2024")  # whose pictures are taken where they lie
    with pytest.raises(InvalidDatasetError, match=r"'2025' to .*/elsewhere"):
        scan({}, labels="none")
    listing = scan({}, labels="none", follow_links=True)
    assert [path for path, _ in rows(listing)] == [b"2024/1.jpg", b"2025/2.jpg", b"latest/1.jpg"]


def test_b12_loose_pictures_beside_class_folders_are_listed_as_left_out(scan):
    listing = scan({"a/1.jpg": X, "loose.jpg": X})
    assert len(listing) == 1
    assert [one.file for one in listing.rejected] == ["loose.jpg"]
    assert "no class" in listing.rejected[0].reason


def test_b13_a_folder_without_sub_folders_is_unlabelled(scan):
    listing = scan({"1.jpg": X, "2.jpg": X})
    assert listing.classes == ()
    assert listing.files.column("label").to_pylist() == [UNLABELLED] * 2


def test_b14_one_class_is_enough_for_a_listing(scan):
    assert scan({"only/1.jpg": X}).classes == ("only",)


def test_b15_links_are_not_followed_and_each_picture_is_listed_once(scan, tree):
    tree.write({"a/1.jpg": X, "b/1.jpg": X})
    (tree.root / "a" / "loop").symlink_to("..")
    (tree.root / "b" / "again.jpg").symlink_to("1.jpg")
    listing = scan({})
    assert len(listing) == 2
    assert [one.file for one in listing.rejected] == ["a/loop", "b/again.jpg"]
    assert all("link" in one.reason for one in listing.rejected)
    assert len(ImageFolder(tree.root)) > 20  # the usual loader follows links, round and round


def test_b17_pipes_and_sockets_are_listed_as_left_out_without_opening_them(scan, tree):
    tree.write({"a/1.jpg": X})
    os.mkfifo(tree.root / "a" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as plug:
        with contextlib.chdir(tree.root / "a"):  # a socket's path has at most 108 bytes
            plug.bind("socket.png")
        start = time.monotonic()
        listing = scan({})
    assert time.monotonic() - start < 1  # opening a pipe would wait for ever
    assert [one.reason for one in listing.rejected] == [
        "is a named pipe, not a file",
        "is a socket, not a file",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_b18_a_folder_that_may_not_be_read_is_named(tmp_path_factory):
    root = tmp_path_factory.mktemp("b18")
    for folder in [root, *root.parents][:4]:
        folder.chmod(folder.stat().st_mode | 0o055)
    (root / "secret").mkdir()
    (root / "secret").chmod(0)
    os.seteuid(65534)
    try:
        with pytest.raises(InvalidDatasetError, match=r"'secret' in .* may not be read"):
            scan_folder(root, ConvertParams(), control=Control())
    finally:
        os.seteuid(0)


def test_b19_nothing_and_an_empty_class_folder_are_refused(scan, tree):
    with pytest.raises(InvalidDatasetError, match="no pictures in"):
        scan({})
    with pytest.raises(InvalidDatasetError, match="holds no pictures: 'empty'"):
        scan({"a/1.jpg": X, "empty": None})
    listing = scan({}, empty_classes="drop")
    assert listing.classes == ("a",)
    assert any("'empty'" in notice for notice in listing.notices)


def test_b20_a_folder_that_vanishes_while_it_is_listed_is_named(tree):
    root = tree.write({"a/1.jpg": X, "b/1.jpg": X})

    class Vanishing:
        """A cancel token that is asked between two folders, and removes one."""

        def raise_if_set(self):
            for name in ("a", "b"):
                (root / name).rename(root.parent / name) if (root / name).exists() else None

    with pytest.raises(InvalidDatasetError, match="could not be listed") as refused:
        scan_folder(root, ConvertParams(), control=Control(cancel=Vanishing()))
    assert refused.value.reason == "changed-while-listing"


def test_d23_a_single_top_folder_is_passed_through(scan):
    assert scan({"top/inner/a/1.jpg": X, "top/inner/b/1.jpg": X}).classes == ("a", "b")


def test_d23_a_single_folder_with_pictures_is_a_class(scan):
    assert scan({"flat/1.jpg": X}).classes == ("flat",)


def test_d23_train_and_val_folders_are_parts_not_classes(scan, tree):
    files = {"top/train/a/1.jpg": X, "top/val/a/1.jpg": X}
    with pytest.raises(InvalidDatasetError, match=r"parts of a dataset.*: train, val") as refused:
        scan(files)
    assert f"such as {tree.root}/top/train" in refused.value.hint
    assert scan({}, folder="train").root == tree.root / "top" / "train"
    assert scan({}, folder="top/val").classes == ("a",)


@pytest.mark.parametrize("names", [("train_images", "val_images"), ("training_set", "test_set")])
def test_parts_are_known_with_a_word_that_says_nothing_more(scan, names):
    with pytest.raises(InvalidDatasetError, match="parts of a dataset, not classes"):
        scan({f"{name}/{kind}/1.jpg": X for name in names for kind in "ab"})


def test_pictures_of_trains_may_lie_in_a_folder_called_train(scan):
    assert scan({"train/1.jpg": X, "test/1.jpg": X}).classes == ("test", "train")


@pytest.mark.parametrize("folder", ["..", "/etc", "a/../..", ""])
def test_a_folder_that_leads_outside_is_refused(scan, folder):
    with pytest.raises(InvalidDatasetError, match="must lead down"):
        scan({"a/1.jpg": X}, folder=folder)


def test_a_folder_that_is_not_there_is_named_with_those_that_are(scan):
    with pytest.raises(CouldNotOpenFileError, match="no folder 'trian'") as refused:
        scan({"train/a/1.jpg": X, "x/a/1.jpg": X}, folder="trian")
    assert "'train'" in refused.value.hint


def test_the_digest_changes_with_a_name_a_size_and_a_time(scan, tree):
    first = scan({"a/1.jpg": X}).digest()
    assert scan({}).digest() == first
    os.utime(tree.root / "a" / "1.jpg", ns=(1, 1))
    second = scan({}).digest()
    third = scan({"a/2.jpg": X}).digest()
    assert len({first, second, third}) == 3


@pytest.mark.slow
def test_b21_many_files_are_listed_at_a_rate_that_suits_a_million(tmp_path):
    folder = tmp_path / "source" / "a"
    folder.mkdir(parents=True)
    descriptor = os.open(folder, os.O_RDONLY)
    for number in range(20_000):
        os.close(os.open(f"{number}.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    start = time.monotonic()
    assert len(scan_folder(tmp_path / "source", ConvertParams(), control=Control())) == 20_000
    assert time.monotonic() - start < 2  # 1.3 million must take less than 60 s


@pytest.mark.parametrize(
    ("twin", "shown"),
    [("ants ", "'ants '"), ("ants\u00a0", r"'ants\\xa0'"), ("ants\u200b", r"'ants\\u200b'")],
)
def test_folders_that_look_the_same_are_refused(scan, twin, shown):
    with pytest.raises(InvalidDatasetError, match=f"{shown} differ only in white space"):
        scan({"ants/1.jpg": X, f"{twin}/2.jpg": X, "bees/3.jpg": X})


def test_a_folder_with_a_space_at_its_end_is_a_class_of_that_name_and_told(scan):
    listing = scan({"ants /1.jpg": X, "bees/3.jpg": X})
    assert listing.classes == ("ants ", "bees")
    assert any("'ants '" in notice for notice in listing.notices)


def test_folders_in_letters_of_two_scripts_bring_a_notice(scan):
    listing = scan({"cats/1.jpg": X, "c\u0430ts/2.jpg": X})
    assert any("has CYRILLIC SMALL LETTER A" in notice for notice in listing.notices)


def test_a_folder_has_no_parts_of_a_table(scan):
    with pytest.raises(InvalidDatasetError, match="is no table") as refused:
        scan({"a/1.jpg": X}, part="train")
    assert "--folder train" in refused.value.hint
