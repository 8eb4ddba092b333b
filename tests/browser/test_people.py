"""Several people in one studio: signing in, what each may do, and what sharing shows."""

import pytest

from .made_run import made_run
from .studio_process import SharedStudioProcess
from .test_accessibility import AXE, PHONE, faults

PASSWORD = "correct horse battery"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shared(python, tmp_path_factory, chromium):
    """A studio with an admin and a viewer, a run of the admin, and a pipeline that all may see."""
    studio = SharedStudioProcess(python, tmp_path_factory.mktemp("shared"))
    studio.add_user("ada", "admin", PASSWORD)
    studio.add_user("vic", "viewer", PASSWORD)
    made_run(studio, "Beans of ada", owner="ada")
    studio.start()
    try:
        studio.sign_in("ada", PASSWORD)
        yield studio
    finally:
        studio.stop()
    assert studio.heavy_libraries() == []


@pytest.fixture
def tab_of(shared, chromium):
    """Return a tab of a browser of its own, in which somebody signs in."""
    contexts = []

    def open_as(name):
        contexts.append(chromium.new_context(locale="en-GB", reduced_motion="reduce"))
        contexts[-1].set_default_timeout(90_000)
        tab = contexts[-1].new_page()
        tab.goto(f"{shared.address}runs")
        sign_in(tab, name)
        tab.get_by_role("link", name="Pipelines").wait_for()
        return tab

    yield open_as
    for context in contexts:
        context.close()


def sign_in(tab, name, password=PASSWORD):
    tab.get_by_label("Name").fill(name)
    tab.get_by_label("Password", exact=True).fill(password)
    tab.get_by_role("button", name="Sign in").click()


def require_usable(tab):
    """Refuse a view that not everybody can use, or that does not fit a phone."""
    if AXE.is_file():
        size = tab.viewport_size
        tab.evaluate(AXE.read_text(encoding="utf-8"))
        assert faults(tab) == []
        tab.set_viewport_size(PHONE)
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        tab.set_viewport_size(size)


def test_people_sign_in_see_what_is_shared_and_are_out_when_they_are_removed(shared, tab_of, seed):
    drawn = shared.ask("pipelines", {"pipeline": {**seed, "name": "Drawn by ada"}})["id"]
    shared.ask(f"pipelines/{drawn}/shared", {"is_shared": True}, method="PUT")
    vic = tab_of("vic")
    require_only_looking(vic)
    ada = tab_of("ada")
    ada.get_by_role("link", name="Beans of ada").click()
    ada.get_by_role("switch", name="Shared").click()
    vic.get_by_role("link", name="Beans of ada").click()  # it comes by itself
    vic.get_by_role("heading", name="Beans of ada").wait_for()
    for action in ("Delete", "Go on", "Edit a copy"):
        assert vic.get_by_role("button", name=action).count() == 0
    require_usable(vic)

    add_editor(ada)
    eve = tab_of("eve")
    eve.get_by_role("link", name="Pipelines").click()
    eve.get_by_role("heading", name="Begin with").wait_for()
    eve.get_by_role("link", name="Drawn by ada").click()
    eve.get_by_role("button", name="Make a copy").click()
    eve.get_by_role("button", name="Run", exact=True).wait_for()

    ada.get_by_role("button", name="Remove vic").click()
    ada.get_by_role("dialog").get_by_role("button", name="Remove").click()
    vic.get_by_role("button", name="Sign in").wait_for()  # by itself, too
    require_usable(vic)
    sign_in(vic, "vic")
    vic.get_by_role("alert").get_by_text("The name or the password is wrong.").wait_for()

    ada.get_by_role("button", name="ada, Admin").click()
    ada.get_by_role("menuitem", name="Who did what").click()
    ada.get_by_role("cell", name="Removed a user").wait_for()
    require_usable(ada)


def require_only_looking(tab):
    """Refuse what would let a viewer begin, change or run something."""
    tab.get_by_text("No runs yet").wait_for()
    assert tab.url.endswith("/runs"), "one is shown what one had asked for"
    tab.get_by_role("link", name="Pipelines").click()
    tab.get_by_role("link", name="Drawn by ada").wait_for()
    assert tab.get_by_role("heading", name="Begin with").count() == 0
    tab.get_by_role("link", name="Drawn by ada").click()
    tab.locator(".react-flow__node").first.wait_for()
    assert tab.get_by_role("button", name="Run", exact=True).count() == 0
    assert tab.get_by_role("button", name="Make a copy").count() == 0
    require_usable(tab)
    tab.get_by_role("link", name="Runs").click()
    tab.get_by_text("No runs yet").wait_for()


def add_editor(tab):
    tab.get_by_role("button", name="ada, Admin").click()
    tab.get_by_role("menuitem", name="Users").click()
    tab.get_by_role("button", name="Add a user").click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_label("Name").fill("eve")
    dialog.get_by_label("New password").fill(PASSWORD)
    require_usable(tab)
    dialog.get_by_role("button", name="Add", exact=True).click()
    tab.get_by_role("cell", name="eve").first.wait_for()
    require_usable(tab)


def test_what_is_deleted_comes_back_from_the_recycle_bin(shared, tab_of, seed):
    drawn = shared.ask("pipelines", {"pipeline": {**seed, "name": "Thrown away"}})["id"]
    ada = tab_of("ada")
    ada.goto(shared.address)
    ada.get_by_role("button", name="Delete Thrown away").click()
    ada.get_by_role("dialog").get_by_role("button", name="Delete").click()
    ada.get_by_role("link", name="Thrown away").wait_for(state="detached")
    ada.get_by_role("button", name="ada, Admin").click()
    ada.get_by_role("menuitem", name="Recycle bin").click()
    ada.get_by_role("button", name="Restore Thrown away").wait_for()
    require_usable(ada)
    ada.get_by_role("button", name="Restore Thrown away").click()
    ada.get_by_role("heading", name="The recycle bin is empty").wait_for()
    ada.goto(f"{shared.address}pipelines/{drawn}")
    ada.locator(".react-flow__node").first.wait_for()
