"""A real browser before a real studio; skipped where there is no Chromium."""

import json
import os
import shutil
from pathlib import Path

import pytest

from .studio_process import StudioProcess

CHROMIUM = os.environ.get("IMAGELOOM_CHROMIUM") or shutil.which("chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
BUSY_MS = 90_000  # what is waited for comes, on a busy machine late


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
def tab(studio, chromium):
    """A tab that is signed in; complaints of the browser or a heavy server fail the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(BUSY_MS)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.on("console", lambda told: _note(told, complaints))
    page.goto(studio.link)
    yield page
    context.close()
    assert complaints == []
    assert studio.heavy_libraries() == []


@pytest.fixture
def seed():
    """The pipeline of the seed."""
    file = Path(__file__).parents[2] / "examples" / "seed.json"
    return json.loads(file.read_text(encoding="utf-8"))


def _note(told, complaints):
    """Keep what points to a fault of the page; answers that are refused on purpose do not."""
    if told.type == "error" and "Failed to load resource" not in told.text:
        complaints.append(told.text)
