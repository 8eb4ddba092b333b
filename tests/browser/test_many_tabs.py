"""Many tabs of one browser, and one that comes over a network without encryption (J10)."""

import socket
import zipfile

import pytest
from PIL import Image

from .made_run import made_run
from .studio_process import SharedStudioProcess
from .test_people import PASSWORD, sign_in

TABS = 8  # a browser opens six connections per host
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_eight_tabs_are_live_at_once(studio, tab):
    tabs = [tab, *(tab.context.new_page() for _ in range(TABS - 1))]
    for one in tabs:
        one.goto(f"{studio.address}runs")
        one.get_by_text("No runs yet").wait_for()
    made_run(studio, "Beans")
    for one in tabs:
        one.get_by_role("link", name="Beans").wait_for()
    leader, *others = tabs
    leader.close()
    studio.ask("runs/20261101-120000-0001", method="DELETE")
    for one in others:
        one.get_by_text("No runs yet").wait_for()


@pytest.fixture(scope="module")
def far(python, tmp_path_factory, chromium):
    """A studio at an address of this machine that browsers do not trust as they trust localhost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))  # sends nothing: it asks which address would be used
        except OSError:
            pytest.skip("this machine has no address besides its own")
        host = asking.getsockname()[0]
    studio = SharedStudioProcess(python, tmp_path_factory.mktemp("far"), host)
    studio.add_user("ada", "admin", PASSWORD)
    studio.start()
    yield studio
    studio.stop()


def test_over_plain_http_a_page_is_live_and_takes_an_upload(far, chromium, tmp_path):
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(90_000)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.goto(f"{far.address}runs")
    assert page.evaluate("isSecureContext") is False
    sign_in(page, "ada")
    page.get_by_text("No runs yet").wait_for()
    made_run(far, "Beans", owner="ada")
    page.get_by_role("link", name="Beans").wait_for()

    archive = tmp_path / "plain.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for label in ("dark", "light"):
            with made.open(f"{label}/1.png", "w") as file:
                Image.new("RGB", (32, 32), "black" if label == "dark" else "white").save(
                    file, "PNG"
                )
    page.get_by_role("link", name="Pipelines").click()
    page.get_by_role("button", name="My pictures").click()
    page.get_by_role("button", name="Take this folder").wait_for()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a zip").click()
    chooser.value.set_files(archive)
    page.get_by_text("2 pictures, 2 classes").wait_for()
    context.close()
    assert complaints == []
