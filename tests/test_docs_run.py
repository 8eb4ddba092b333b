"""The examples of the README and the tutorial run, line by line, on small pictures."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imageloom.cli.root import run

REPOSITORY = Path(__file__).parents[1]
CLASSES = {"ants": (150, 60, 40), "bees": (220, 190, 60)}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def write_photos(folder: Path, names: tuple[str, ...] = (), per_class: int = 24) -> None:
    generator = np.random.default_rng(0)
    for name, colour in CLASSES.items():
        (folder / name).mkdir(parents=True)
        named = [Path(one).name for one in names if Path(one).parent.name == name]
        for file in [*named, *(f"photo-{number:02}.jpg" for number in range(per_class))]:
            noise = generator.integers(-40, 40, (48, 64, 3))
            pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / file)


def blocks(page: str, language: str) -> list[str]:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_the_shell_examples_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    commands = [
        line for line in lines if line.startswith("imageloom ") and "# downloads" not in line
    ]
    assert len(commands) >= 6
    names = tuple(word for line in commands for word in line.split() if word.endswith(".jpg"))
    write_photos(tmp_path / "photos", names)
    for block in blocks(page, "json"):  # few epochs show as well as ten that it runs
        pipeline = block.replace('"epochs": 10', '"epochs": 1')
        (tmp_path / "pipeline.json").write_text(pipeline, encoding="utf-8")
    for line in commands:
        brief = re.sub(r"((?<!warmup-)epochs[ =])\d+", r"\g<1>2", line)
        assert run(shlex.split(brief)[1:]) == 0, line


def test_the_python_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for part in ("train", "validation", "new"):
        write_photos(tmp_path / "photos" / part, per_class=12)
    (block,) = blocks("README.md", "python")
    exec(compile(block, "README.md", "exec"), {})
    assert "Overall_Accuracy" in capsys.readouterr().out


def test_the_python_example_of_the_tutorial_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "photos")
    (block,) = blocks("docs/tutorial.md", "python")
    exec(compile(block, "tutorial.md", "exec"), {})
    assert "Overall_Accuracy" in capsys.readouterr().out
