"""A studio that can be killed and started again, with a workspace of its own."""

import pytest

from .studio_process import StudioProcess


@pytest.fixture(scope="module")
def studio(python, tmp_path_factory, chromium):
    """The studio of a module of tests."""
    process = StudioProcess(python, tmp_path_factory.mktemp("studio"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
def tab(studio, chromium):
    """A tab that is signed in; what the browser complains of fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(30_000)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.on("console", lambda told: _note(told, complaints))
    page.goto(studio.link)
    yield page
    context.close()
    assert complaints == []


def _note(told, complaints):
    """Keep what points to a fault of the page; answers that are refused on purpose do not."""
    if told.type == "error" and "Failed to load resource" not in told.text:
        complaints.append(told.text)
