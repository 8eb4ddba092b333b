"""A phone: fingers draw, the panel is a sheet, and what is pressed is large enough."""

import pytest
from playwright.sync_api import Page, expect

from . import canvas
from .windows import open_window

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

PHONE = {"width": 390, "height": 844}
TWO_NODES = {
    "format_version": 2,
    "kind": "pipeline",
    "name": "Two nodes",
    "nodes": [
        {"id": "dataset", "component": "dataset", "position": [0, 0]},
        {"id": "convert", "component": "convert_to_image_directory", "position": [40, 150]},
    ],
    "edges": [],
}
# What a finger may miss: of a field that hides in its label, the label counts, and of a switch the
# place around it that moves it too.
SMALL = """() => { const isReached = one => {
    one.scrollIntoView({block: "center"});
    const {x, y, width, height} = one.getBoundingClientRect();
    return one.parentElement.contains(
        document.elementFromPoint(x + width / 2, y + height / 2 + 20));
}; return [...document.querySelectorAll(
        "button, a[href], input, textarea, [role=tab], [role=separator]")]
    .filter(one => one.checkVisibility({visibilityProperty: true})
        && !(one.role === "switch" && isReached(one))
        && !one.closest(".react-flow__node") && !one.classList.contains("react-flow__edge"))
    .map(one => [one, (one.closest("label") ?? one).getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && (box.width < 43.5 || box.height < 43.5))
    .map(([one, box]) => `${one.outerHTML.slice(0, 120)} ${box.width} x ${box.height}`); }"""


@pytest.fixture(scope="module")
def window(chromium):
    hand = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    with open_window(chromium, **hand, locale="fr-FR", reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def phone(tab):
    return tab


@pytest.fixture
def path(studio):
    return canvas.keep(studio, TWO_NODES)


@pytest.fixture
def drawing(studio, phone, path):
    phone.goto(studio.address + path)
    expect(canvas.nodes(phone)).to_have_count(2)
    return phone


class Fingers:
    """Fingers on the screen, told to the browser as a touch screen tells it."""

    def __init__(self, tab: Page) -> None:
        self._session = tab.context.new_cdp_session(tab)

    def put(self, *places: tuple[float, float]) -> None:
        self._tell("touchStart", places)

    def move(self, *ways: tuple[tuple[float, float], tuple[float, float]]) -> None:
        """Move each from one place to another in some steps."""
        for step in range(1, 9):
            places = [(a + (c - a) * step / 8, b + (d - b) * step / 8) for (a, b), (c, d) in ways]
            self._tell("touchMove", places)

    def lift(self) -> None:
        self._tell("touchEnd", ())

    def _tell(self, kind: str, places) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def viewport_of(tab: Page) -> tuple[float, float, float]:
    """Return where the canvas is moved to, and how large it is shown."""
    found = tab.locator(".react-flow__viewport").evaluate(
        "one => { const is = new DOMMatrix(getComputedStyle(one).transform);"
        " return [is.e, is.f, is.a]; }"
    )
    return tuple(found)


def free_place(tab: Page) -> tuple[float, float]:
    box = tab.locator(".react-flow__pane").bounding_box()
    return box["x"] + box["width"] - 40, box["y"] + 40


def test_a_finger_moves_the_canvas_and_two_zoom_it(drawing):
    fingers = Fingers(drawing)
    x, y = free_place(drawing)
    left, top, zoom = viewport_of(drawing)
    fingers.put((x, y))
    fingers.move(((x, y), (x - 60, y + 30)))
    fingers.lift()
    after = viewport_of(drawing)
    assert after[:2] == pytest.approx((left - 60, top + 30), abs=8)  # the first pixels are a tap's
    assert after[2] == zoom
    fingers.put((x - 20, y), (x, y))
    fingers.move(((x - 20, y), (x - 120, y)), ((x, y), (x + 20, y)))
    fingers.lift()
    assert viewport_of(drawing)[2] > 1.5 * zoom


def test_a_finger_moves_a_node(studio, path, drawing):
    fingers = Fingers(drawing)
    zoom = viewport_of(drawing)[2]
    x, y = canvas.middle(canvas.node(drawing, "convert"))
    fingers.put((x, y))
    fingers.move(((x, y), (x + 50, y + 20)))
    fingers.lift()
    drawing.get_by_role("button", name="Annuler").first.wait_for()
    expect(drawing.get_by_text("Enregistré : version 2")).to_be_attached()
    (node,) = (one for one in studio.ask(path)["pipeline"]["nodes"] if one["id"] == "convert")
    assert node["position"] != [40, 150]
    # The browser holds the first 15 pixels back: they could be a tap's.
    assert node["position"] == pytest.approx([40 + 50 / zoom, 150 + 20 / zoom], abs=24 / zoom)


def test_two_taps_join_ports_and_say_why_others_do_not_join(drawing):
    canvas.output(drawing, "dataset.dataset").tap()
    expect(drawing.get_by_text("Touchez maintenant le port")).to_be_visible()
    canvas.taken(drawing, "convert.dataset").tap()
    expect(canvas.wire(drawing, "dataset.dataset>convert.dataset")).to_have_count(1)
    canvas.output(drawing, "dataset.dataset").tap()
    canvas.output(drawing, "convert.images").tap()
    expect(drawing.get_by_text("Un lien va d")).to_be_visible()


def test_a_long_press_opens_the_menu_of_what_lies_there(drawing):
    fingers = Fingers(drawing)
    fingers.put(canvas.middle(canvas.node(drawing, "convert")))
    item = drawing.get_by_role("menuitem", name="Retirer", exact=True)
    item.wait_for()
    fingers.lift()
    item.tap()
    expect(canvas.nodes(drawing)).to_have_count(1)
    fingers.put(free_place(drawing))
    item = drawing.get_by_role("menuitem", name="Ajouter un nœud ici")
    item.wait_for()
    fingers.lift()
    item.tap()
    drawing.get_by_role("option", name="Diviser un répertoire").tap()
    expect(canvas.nodes(drawing)).to_have_count(2)


def test_the_panel_is_a_sheet_that_a_finger_draws_up_and_down(drawing):
    fingers = Fingers(drawing)
    panel = drawing.get_by_role("complementary", name="Détails")
    handle = drawing.get_by_role("separator", name="Hauteur des détails")

    def height() -> float:
        return panel.bounding_box()["height"] / PHONE["height"]

    assert height() == pytest.approx(0.4, abs=0.02)
    x, y = canvas.middle(handle)
    fingers.put((x, y))
    fingers.move(((x, y), (x, y - 300)))
    fingers.lift()
    expect(handle).to_have_attribute("aria-valuenow", "80")
    assert height() == pytest.approx(0.8, abs=0.02)
    x, y = canvas.middle(handle)
    fingers.put((x, y))
    fingers.move(((x, y), (x, PHONE["height"] - 5)))
    fingers.lift()
    expect(handle).to_have_attribute("aria-valuenow", "6")
    handle.tap()
    expect(handle).to_have_attribute("aria-valuenow", "40")


@pytest.mark.parametrize("view", ["", "runs", "drawing"])
def test_what_a_finger_presses_has_44_pixels_and_nothing_scrolls_sideways(
    studio, phone, path, view
):
    phone.goto(studio.address + (path if view == "drawing" else view))
    phone.get_by_role("main").locator("button").first.wait_for()
    if view == "drawing":
        canvas.node(phone, "convert").tap()
        phone.get_by_role("textbox", name="Titre").wait_for()
    assert phone.evaluate(SMALL) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
