"""A real studio and a real browser. Each step waits for what it needs to see, none for a time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from imageloom.server.app import page_folder

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SEED = Path(__file__).parents[2] / "examples" / "seed.json"


class OpenStudio:
    """A studio as a person starts it, and a browser that is signed in to it."""

    def __init__(self, link: str, context: BrowserContext, complaints: list[str]) -> None:
        self.address, _, token = link.partition("?token=")
        self.context = context
        self.complaints = complaints
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def tab(self, path: str = "") -> Page:
        """Open a view in a tab of its own."""
        tab = self.context.new_page()
        tab.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        tab.on(
            "console",
            lambda said: self.complaints.append(said.text) if _is_refusal(said.text) else None,
        )
        tab.goto(self.address + path)
        return tab

    def draw(self, pipeline: dict[str, object]) -> str:
        """Keep a pipeline as somebody's drawing; return the path of its view."""
        return f"pipelines/{self.ask('pipelines', {'pipeline': pipeline})['id']}"

    def drawn(self, path: str) -> dict[str, object]:
        """Return what the server keeps of a drawing."""
        return self.ask(path)

    def ask(self, path: str, body: object = None) -> dict[str, object]:
        content = None if body is None else json.dumps(body).encode()
        question = urllib.request.Request(f"{self.address}api/{path}", content, self._headers)
        with urllib.request.urlopen(question, timeout=30) as answer:
            return json.load(answer)


def _is_refusal(text: str) -> bool:
    return "Content Security Policy" in text or "MIME type" in text


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"There is no browser here: none of {', '.join(NAMES)}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def link(tmp_path_factory) -> Iterator[str]:
    assert (page_folder() / "index.html").is_file(), "The page is not built: make page"
    folder = tmp_path_factory.mktemp("studio")
    surroundings = {
        **os.environ,
        "IMAGELOOM_WORKSPACE": str(folder / "workspace"),
        "IMAGELOOM_HOME": str(folder / "home"),
        "HOME": str(folder),
    }
    command = [sys.executable, "-m", "imageloom", "studio", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=surroundings, stdout=subprocess.PIPE, text=True
    ) as studio:
        assert studio.stdout is not None
        first = studio.stdout.readline()
        yield first.split()[-1]
        studio.send_signal(signal.SIGINT)
        studio.communicate(timeout=30)


@pytest.fixture
def studio(link, chromium) -> Iterator[OpenStudio]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(link)
    page.close()
    complaints: list[str] = []
    yield OpenStudio(link, context, complaints)
    context.close()
    assert complaints == []


@pytest.fixture
def seed() -> dict[str, object]:
    return json.loads(SEED.read_text(encoding="utf-8"))
