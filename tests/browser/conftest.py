"""A real browser before a real studio; skipped where there is no Chromium."""

import json
import os
import shutil
from pathlib import Path

import pytest

from .studio_process import StudioProcess
from .windows import BUSY_MS, open_tab, open_window

CHROMIUM = os.environ.get("IMAGELOOM_CHROMIUM") or shutil.which("chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="module")
def chromium():
    """One browser for the tests of a file: its event loop must not run beside other tests."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; IMAGELOOM_CHROMIUM can name it")
    library = pytest.importorskip("playwright.sync_api")
    library.expect.set_options(timeout=BUSY_MS)
    playwright = library.sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
    yield browser
    browser.close()
    playwright.stop()


@pytest.fixture(scope="module")
def studio(python, tmp_path_factory, chromium):
    """The studio of a module of tests, with a workspace of its own; it loads nothing heavy."""
    process = StudioProcess(python, tmp_path_factory.mktemp("studio"))
    process.start()
    yield process
    process.stop()
    assert process.heavy_libraries() == []


@pytest.fixture
def window(chromium):
    """A window of the test's own. Where tests leave it as it is, a file may have one for all."""
    with open_window(chromium) as context:
        yield context


@pytest.fixture
def tab(studio, window):
    """A tab that is signed in; complaints of the browser or a heavy server fail the test."""
    with open_tab(studio, window) as page:
        yield page
    assert studio.heavy_libraries() == []


@pytest.fixture
def seed():
    """The pipeline of the seed."""
    file = Path(__file__).parents[2] / "examples" / "seed.json"
    return json.loads(file.read_text(encoding="utf-8"))
