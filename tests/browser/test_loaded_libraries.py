"""A process that has loaded a heavy library is found out."""

import subprocess
import sys

import pytest

from .loaded_libraries import heavy_libraries


def libraries_after(statement):
    """Return the heavy libraries of a process that ran a statement and lives."""
    code = f"{statement}; print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            return heavy_libraries(process.pid)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("import sqlite3, ssl", []),
        ("import numpy", ["numpy"]),
        ("from PIL import Image", ["PIL"]),
        pytest.param("import pyarrow", ["numpy", "pyarrow"], marks=pytest.mark.slow),
        pytest.param(
            "import torchvision.io",
            ["PIL", "numpy", "torch", "torchvision"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_was_imported_is_found(statement, expected):
    assert libraries_after(statement) == expected
