"""The panel's form, as the schema of a component makes it."""

import pytest
from playwright.sync_api import expect

from . import canvas

pytestmark = pytest.mark.slow


@pytest.fixture
def path(studio, seed):
    return canvas.keep(studio, seed)


@pytest.fixture
def tab(tab, studio, path):
    tab.goto(studio.address + path)
    canvas.node(tab, "train").click()
    return tab


def param(studio, path, node, name):
    nodes = studio.ask(path)["pipeline"]["nodes"]
    return next(one for one in nodes if one["id"] == node).get("params", {}).get(name)


def test_a_value_is_kept_and_reset_to_its_default(studio, path, tab):
    epochs = tab.get_by_label("Epochs", exact=True)
    expect(epochs).to_have_value("3")
    epochs.fill("7")
    epochs.press("Enter")
    expect(tab.get_by_text("Saved as version 2")).to_be_visible()
    assert param(studio, path, "train", "epochs") == 7
    tab.get_by_role("button", name="Reset to the default, 5").click()
    expect(epochs).to_have_value("5")
    expect(tab.get_by_text("Saved as version 3")).to_be_visible()
    assert param(studio, path, "train", "epochs") is None


def test_what_is_wrong_is_said_at_the_field_and_not_lost(tab):
    rate = tab.get_by_label("Learning rate", exact=True)
    rate.fill("0,02")
    rate.press("Enter")
    expect(tab.get_by_text("Write a number, with a point: 0.5.")).to_be_visible()
    canvas.node(tab, "score").click()
    canvas.node(tab, "train").click()
    expect(rate).to_have_value("0,02")
    rate.fill("3")
    rate.press("Enter")
    expect(tab.get_by_text("3 is out of range: it must be >= 2.2e-16 and <= 2.0.")).to_be_visible()


def test_undo_in_a_field_takes_back_its_last_value(tab):
    epochs = tab.get_by_label("Epochs", exact=True)
    epochs.fill("9")
    epochs.press("Enter")
    epochs.press("Control+z")
    expect(epochs).to_have_value("3")


def test_a_parameter_shows_when_the_one_it_belongs_to_is_on(tab):
    canvas.node(tab, "transformation").click()
    degrees = tab.get_by_label("Random rotation degrees")
    expect(degrees).to_have_count(0)
    tab.get_by_label("Random rotation", exact=True).check(force=True)
    expect(degrees).to_be_visible()


def test_run_settings_name_the_limit_of_the_target(tab):
    tab.get_by_role("tab", name="Run settings").click()
    processes = tab.get_by_label("Processes per node")
    processes.fill("5000")
    processes.press("Enter")
    said = tab.get_by_text("5,000 processes are asked for, but a machine of target")
    expect(said).to_be_visible()
