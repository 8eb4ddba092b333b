"""Windows of a browser, and tabs in them that are signed in.

A window is what Playwright calls a context: it has its own cookies and what pages keep. Tabs of one
window share the page's compiled code, which saves each of them a second of a processor.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from .studio_process import StudioProcess

BUSY_MS = 90_000  # what is waited for comes, on a busy machine late


@contextlib.contextmanager
def open_window(chromium: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Open a window of a desk's size that speaks English, unless options say otherwise."""
    desk = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}
    context = chromium.new_context(**{**desk, **options})
    context.set_default_timeout(BUSY_MS)
    yield context
    context.close()


@contextlib.contextmanager
def open_tab(studio: StudioProcess, window: BrowserContext) -> Iterator[Page]:
    """Open an empty tab that is signed in, in a window that has forgotten what others had kept.

    A complaint of the browser fails the test. All tabs of the window are closed with this one.
    """
    page = window.new_page()
    _forget(page, studio)
    # The link that a studio prints, without the view that it leads to, which tests leave at once.
    assert window.request.get(studio.link, max_redirects=0).status == 303
    complaints: list[str] = []
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.on("console", lambda told: _note(told, complaints))
    yield page
    for one in window.pages:
        one.close()
    assert complaints == []


def _forget(page: Page, studio: StudioProcess) -> None:
    page.context.clear_cookies()
    kept = {"origin": studio.address.rstrip("/"), "storageTypes": "indexeddb,local_storage"}
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", kept)


def _note(told: ConsoleMessage, complaints: list[str]) -> None:
    """Keep what points to a fault of the page; answers that are refused on purpose do not."""
    if told.type == "error" and "Failed to load resource" not in told.text:
        complaints.append(told.text)
