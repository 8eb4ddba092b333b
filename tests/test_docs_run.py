"""The examples of the documentation run on small pictures, as they stand there."""

import re
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imageloom.cli.root import run
from imageloom.files.publish import read_json

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
    # Small pictures and few epochs show as well as large ones and ten that it runs.
    for block in blocks(page, "json"):
        pipeline = block.replace('"epochs": 10', '"epochs": 1')
        pipeline = pipeline.replace('"image_size": 128', '"image_size": 32')
        (tmp_path / "pipeline.json").write_text(pipeline, encoding="utf-8")
    for line in commands:
        brief = re.sub(r"((?<!warmup-)epochs[ =])\d+", r"\g<1>2", line)
        brief = brief.replace("--image-size 128", "--image-size 32")
        if brief.startswith("imageloom train --model") and "--epochs" not in brief:
            brief += " --epochs 1 --image-size 32"
        assert run(shlex.split(brief)[1:]) == 0, line


# Small pictures and one epoch show as well that it runs. Two processes read.
PREAMBLE = """
import os, imageloom
few, train_really = imageloom.TrainParams(epochs=1, image_size=32), imageloom.train
def train_with_two_readers(*given, params=few, **named):
    return train_really(*given, params=params.replace(workers=2), **named)
imageloom.train = train_with_two_readers
"""
# In this order each page finds what it speaks of: the folder in which its examples run.
PLACES = {
    "README.md": "parts",
    "docs/guides/models.md": "parts",
    "docs/reference/series.md": "parts",
    "docs/tutorial.md": "whole",
    "docs/guides/pictures.md": "whole",
    "docs/guides/training.md": "whole",
    "docs/guides/scores-and-reports.md": "scored",
    "docs/guides/pipelines.md": "scored",
    "docs/guides/extensions.md": "scored",
}
# They ask a server and a search that are not here: tests/serving and tests/tuning do.
ELSEWHERE = {"docs/guides/serve.md", "docs/guides/tune.md"}
# They open other networks than the one that is trained here; tests/models/test_without_imageloom.py
# runs them.
OF_OTHER_NETWORKS = ("densenet121(num_classes=2)", 'create_model("efficientnet_b0"')
RUNS = {
    "README.md": "parts/run",
    "docs/tutorial.md": "whole/run-2",
    "docs/guides/training.md": "scored/runs/first",
}
# Of these two all begins that begins processes, and those are what standard input could disturb.
FROM_STANDARD_INPUT = ("README.md", "docs/tutorial.md")


def examples(folder: Path, pages: Iterable[str]) -> str:
    """Return Python examples as one script, without a ``__main__`` guard, as pages have none."""
    parts = ("parts/photos/train", "parts/photos/validation", "parts/photos/new")
    for photos in (*parts, "whole/dataset/train", "whole/dataset/val"):
        write_photos(folder / photos, per_class=12)
    write_photos(folder / "whole" / "photos")
    write_photos(folder / "scored" / "photos" / "test", per_class=12)
    ant = folder / "scored" / "photos" / "test" / "ants" / "photo-00.jpg"
    Image.open(ant).save(folder / "parts" / "ant.jpg")
    Image.open(ant).save(folder / "scored" / "one.jpg")
    Image.open(ant).save(folder / "scored" / "two.png")
    script = [PREAMBLE]
    for page in pages:
        mine = [
            block
            for block in blocks(page, "python")
            if not any(other in block for other in OF_OTHER_NETWORKS)
        ]
        script += [f"os.chdir({str(folder / PLACES[page])!r})", *mine]
        if page == "docs/guides/training.md":
            script.append("os.rename('runs', '../scored/runs')")
    return "\n".join(script)


def test_every_page_with_python_examples_has_its_place():
    pages = [str(page.relative_to(REPOSITORY)) for page in (REPOSITORY / "docs").rglob("*.md")]
    assert set(PLACES) | ELSEWHERE == {
        page for page in ["README.md", *pages] if blocks(page, "python")
    }


@pytest.mark.parametrize(("main", "pages"), [("script.py", PLACES), ("-", FROM_STANDARD_INPUT)])
def test_the_python_examples_run_as_a_script_and_from_standard_input_with_two_readers(
    main, pages, tmp_path, python
):
    script = examples(tmp_path, pages)
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    if main != "-":  # a script finds modules beside it, not in the folder that it works in
        odd = "raise RuntimeError('this is not the random of Python')"
        (tmp_path / "parts" / "random.py").write_text(odd, encoding="utf-8")
    command = [python, main]
    done = subprocess.run(
        command, input=script, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Overall_Accuracy") == 2
    for run_of in (tmp_path / RUNS[page] for page in pages if page in RUNS):
        assert read_json(run_of / "run.json", ValueError)["resolved"]["workers"] == 2
