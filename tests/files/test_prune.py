import os

import pytest

from imageloom.files.prune import prune_folder


def write(folder, name, size, used_at):
    path = folder / name
    path.write_bytes(b"x" * size)
    os.utime(path, (used_at, used_at))


@pytest.mark.parametrize(
    ("most_bytes", "left"),
    [(60, {"old", "middle", "new"}), (59, {"middle", "new"}), (30, {"new"}), (29, set())],
)
def test_those_not_used_for_longest_go_until_the_rest_fits(tmp_path, most_bytes, left):
    write(tmp_path, "new", 30, used_at=3000)
    write(tmp_path, "old", 10, used_at=1000)
    write(tmp_path, "middle", 20, used_at=2000)
    assert prune_folder(tmp_path, most_bytes) == 3 - len(left)
    assert {one.name for one in tmp_path.iterdir()} == left


def test_a_folder_that_is_not_there_needs_no_room(tmp_path):
    assert prune_folder(tmp_path / "none", 0) == 0
