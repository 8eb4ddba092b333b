"""A page whose server is gone: what it shows stays, what cannot come is said, and it comes back."""

import pytest
from playwright.sync_api import expect

from .made_run import made_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def lost_tab(studio, chromium):
    """A tab whose browser may complain of what it cannot fetch."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto(studio.link)
    yield page
    context.close()


def test_parts_of_the_page_that_cannot_come_leave_the_rest_as_it_is(studio, lost_tab):
    tab = lost_tab
    made_run(studio, "Beans")
    tab.goto(studio.address)
    tab.get_by_role("heading", level=1).wait_for()
    studio.kill()
    tab.get_by_text("does not answer").first.wait_for()
    tab.get_by_role("button", name="FR Français").click()  # its texts are a part of their own
    tab.get_by_role("link", name="Runs").click()  # so is this view
    tab.get_by_text("This part of the page cannot be shown.").wait_for()
    expect(tab.get_by_role("link", name="Runs")).to_be_visible()
    tab.get_by_role("link", name="Pipelines").click()
    expect(tab.get_by_text("cannot be shown")).to_have_count(0)
    tab.get_by_role("link", name="Runs").click()
    studio.start()
    tab.get_by_role("button", name="Load the page again").click()
    tab.get_by_text("Beans").first.wait_for()


def test_an_address_that_no_page_has_written_is_shown_as_any_other(studio, tab):
    tab.goto(f"{studio.address}pipelines/%E0%A4%A")
    expect(tab.get_by_text("There is no drawn pipeline").first).to_be_visible()
