"""The whole path of a first visit, in French and by the keyboard alone."""

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from . import canvas
from .windows import open_window

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

_IS_FOCUSED = "one => one === document.activeElement"


@pytest.fixture(scope="module")
def window(chromium):
    """A window of a browser that speaks French."""
    with open_window(chromium, locale="fr-FR", reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def page_fr(studio, tab):
    """A tab of it, on the first page."""
    tab.goto(studio.address)
    return tab


def go_to(tab: Page, target: Locator, *, key: str = "Tab", most: int = 200) -> None:
    """Press Tab until the target has the focus."""
    target.wait_for(state="attached")
    for _ in range(most):
        if target.evaluate(_IS_FOCUSED):
            return
        tab.keyboard.press(key)
    raise AssertionError(f"{most} times {key} did not lead to {target}")


def type_into(tab: Page, field: Locator, text: str) -> None:
    """Go to a field, and type over what is in it."""
    go_to(tab, field)
    tab.keyboard.press("Control+a")
    tab.keyboard.type(text)
    tab.keyboard.press("Enter")


def test_a_first_visit_in_french_needs_no_pointer(studio, page_fr):
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")
    expect(page_fr.locator("html")).to_have_attribute("lang", "fr")
    go_to(page_fr, page_fr.get_by_role("button", name=re.compile("^Chiffres manuscrits")))
    page_fr.keyboard.press("Enter")
    canvas.node(page_fr, "train").wait_for()  # the digits are written before
    expect(canvas.node(page_fr, "train")).to_contain_text("Entraîner un modèle PyTorch")
    name = page_fr.get_by_role("textbox", name="Nom du pipeline")
    expect(name).to_have_value("Chiffres manuscrits")
    draw(page_fr)
    train = set_numbers(studio, page_fr)
    assert (train["params"]["learning_rate"], train["params"]["epochs"]) == (0.02, 1)
    go_to(page_fr, page_fr.get_by_role("button", name="Exécuter", exact=True))
    page_fr.keyboard.press("Enter")
    page_fr.wait_for_url("**/runs/*")
    run = page_fr.url.split("/runs/")[1].split("/")[0]
    studio.wait_for_run(run, ("completed",))
    look_at_a_cell(page_fr)
    look_at_the_model(page_fr)
    open_what_made_it(page_fr)


def draw(tab: Page) -> None:
    """Add a node, join it to another, and set its parameters."""
    tab.keyboard.press("/")
    tab.keyboard.type("timm")
    tab.keyboard.press("Enter")
    expect(canvas.node(tab, "timm")).to_be_visible()
    tab.keyboard.press("c")
    dialog = tab.get_by_role("dialog", name="Relier timm à")
    expect(dialog.get_by_role("textbox", name="Nœud ou port")).to_be_focused()
    tab.keyboard.type("entrainer")  # without its accent
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    tab.keyboard.press("Enter")
    expect(canvas.wire(tab, "timm.model>train.model")).to_have_count(1)
    expect(canvas.wire(tab, "resnet.model>train.model")).to_have_count(0)
    type_into(tab, tab.get_by_role("textbox", name="Nom du modèle"), "timm/test_resnet")
    pretrained = tab.get_by_role("switch", name="Préentraîné")
    if pretrained.is_checked():
        go_to(tab, pretrained)
        tab.keyboard.press("Space")
    expect(pretrained).not_to_be_checked()


def set_numbers(studio, tab: Page):
    """Set numbers as French has them, one out of range; return the node as it is kept."""
    go_to(tab, canvas.node(tab, "train"))
    tab.keyboard.press("Enter")
    rate = tab.get_by_role("textbox", name=re.compile("^Taux d.apprentissage"))
    type_into(tab, rate, "3")
    expect(tab.get_by_text("3 est hors limites")).to_be_visible()
    type_into(tab, rate, "0,02")
    expect(tab.get_by_text("est hors limites")).to_have_count(0)
    type_into(tab, tab.get_by_role("textbox", name="Époques"), "1")
    path = tab.url.removeprefix(studio.address)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        nodes = studio.ask(path)["pipeline"]["nodes"]
        train = next(one for one in nodes if one["id"] == "train")
        if train["params"].get("epochs") == 1:
            expect(tab.get_by_role("status").first).to_contain_text("Enregistré")
            return train
        time.sleep(0.1)
    raise AssertionError("it was not saved")


def look_at_a_cell(tab: Page) -> None:
    go_to(tab, canvas.node(tab, "evaluate"))
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Matrice de confusion")).to_be_visible()
    cell = tab.get_by_role("button", name=re.compile("bien classé")).first
    go_to(tab, cell)
    tab.keyboard.press("Enter")
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(tab.get_by_role("heading", name=re.compile("bien classé"))).to_be_visible()
    expect(tab.locator("main")).to_contain_text(re.compile(r"\d+,\d\s?%"))


def look_at_the_model(tab: Page) -> None:
    go_to(tab, canvas.node(tab, "train"))
    tab.keyboard.press("Enter")
    go_to(tab, tab.get_by_role("tab", name="Mesures"))
    tab.keyboard.press("ArrowRight")
    expect(tab.get_by_role("tab", name="Modèle")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Mesuré")).to_be_visible()
    expect(tab.get_by_text("intervalle à 95 %").first).to_be_visible()
    save = tab.get_by_role("link", name=re.compile("^Enregistrer le modèle"))
    go_to(tab, save)
    with tab.expect_download() as saved:
        tab.keyboard.press("Enter")
    assert saved.value.suggested_filename.endswith("-train-model.zip")


def open_what_made_it(tab: Page) -> None:
    go_to(tab, tab.get_by_role("button", name=re.compile("^Ouvrir le pipeline")), key="Shift+Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/pipelines/*")
    expect(canvas.node(tab, "train")).to_be_visible()
    expect(canvas.node(tab, "evaluate")).to_have_count(0)  # the model does not depend on it


def test_the_language_is_switched_by_a_key_and_kept(page_fr):
    tab = page_fr
    go_to(tab, tab.get_by_role("button", name="English"))
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Begin with")).to_be_visible()
    expect(tab.locator("html")).to_have_attribute("lang", "en")
    tab.reload()
    expect(tab.get_by_role("heading", name="Begin with")).to_be_visible()
    expect(tab.get_by_role("button", name="Français")).to_be_visible()


def test_a_menu_of_a_node_opens_by_its_key_and_gives_the_focus_back(studio, seed, tab):
    tab.goto(studio.address + canvas.keep(studio, seed))
    node = canvas.node(tab, "densenet")
    go_to(tab, node)
    tab.keyboard.press("Shift+F10")
    expect(tab.get_by_role("menuitem", name="Renommer")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("menu")).to_have_count(0)
    expect(node).to_be_focused()
    tab.keyboard.press("Shift+F10")
    tab.get_by_role("menuitem", name="Retirer", exact=True).press("Enter")
    expect(canvas.node(tab, "densenet")).to_have_count(0)
