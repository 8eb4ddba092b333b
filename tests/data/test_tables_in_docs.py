"""Every table of "Tables that people have" in docs/guides/pictures.md converts as it says."""

import re
import shlex
from pathlib import Path

import pytest

from imageloom.cli.root import run
from imageloom.data.images.directory import load_image_directory

from .made_pictures import jpeg

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "pictures.md"
EXPECTED = {
    "semicolons.csv": {"ants/1.jpg": "ant", "bees/1.jpg": "bee"},
    "list.txt": {"ants/1.jpg": "0", "bees/1.jpg": "1"},
    "val_annotations.txt": {"val_0.jpg": "n03444034", "val_1.jpg": "n04067472"},
    "absolute.csv": {"ants/1.jpg": "ant", "bees/1.jpg": "bee"},
    "parts.csv": {"ants/1.jpg": "ant", "bees/1.jpg": "bee"},
    "_classes.csv": {"ants/1.jpg": "Ant", "bees/1.jpg": "Bee"},
}


def examples():
    """Return the table and the command below it, by the name of the table's file."""
    section = PAGE.read_text(encoding="utf-8").split("## Tables that people have")[1]
    found = re.findall(r"```\w+\n(.*?)```\n\n```sh\n(.*?)\n```", section.split("\n## ")[0], re.S)
    return {shlex.split(command)[3]: (table, command) for table, command in found}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_table_is_read_as_the_page_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table, command = examples()[name]
    table, command = (
        text.replace("/data/photos", f"{tmp_path}/photos") for text in (table, command)
    )
    Path(name).write_text(table, encoding="utf-8")
    words = shlex.split(command)
    folder = tmp_path / (words[words.index("--folder") + 1] if "--folder" in words else "")
    for number, file in enumerate(re.findall(r"[\w./-]+\.jpg", table)):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(jpeg(seed=number))
    assert run(words[1:]) == 0
    images = load_image_directory(tmp_path / words[words.index("--out") + 1])
    labels = {images.file(row): images.classes[images.labels[row]] for row in range(len(images))}
    assert labels == EXPECTED[name]


def test_no_table_of_the_page_is_left_out():
    assert set(examples()) == set(EXPECTED)
