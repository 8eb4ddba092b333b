"""Strokes on the canvas, and what the server keeps of them (J13)."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from . import canvas
from .windows import open_window

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def window(chromium):
    """One window for all tests: compiling the page's code once saves a second for each."""
    with open_window(chromium) as context:
        yield context


@pytest.fixture
def path(studio, seed):
    return canvas.keep(studio, seed)


@pytest.fixture
def tab(tab, studio, path):
    tab.goto(studio.address + path)
    expect(canvas.nodes(tab)).to_have_count(12)
    return tab


def wait_until_saved(tab: Page, version: int) -> None:
    expect(tab.get_by_text(f"Saved as version {version}")).to_be_visible()


def test_a_wire_between_ports_of_other_types_is_refused_with_a_sentence(tab):
    canvas.draw_wire(tab, canvas.output(tab, "convert.images"), canvas.taken(tab, "train.model"))
    expect(tab.get_by_text("Images gives one image directory, but Untrained model")).to_be_visible()
    expect(canvas.wire(tab, "convert.images>train.model")).to_have_count(0)
    expect(canvas.wire(tab, "densenet.model>train.model")).to_have_count(1)


def test_the_sentence_of_a_refused_wire_makes_room_at_the_next_stroke(tab):
    canvas.draw_wire(tab, canvas.output(tab, "convert.images"), canvas.taken(tab, "train.model"))
    expect(tab.get_by_text("Images gives one image directory")).to_be_visible()
    canvas.node(tab, "densenet").click()
    tab.keyboard.press("Delete")
    expect(tab.get_by_text("Images gives one image directory")).to_have_count(0)


def test_a_wire_to_an_input_that_is_taken_replaces_its_wire(studio, path, tab):
    canvas.draw_wire(tab, canvas.output(tab, "split.first"), canvas.taken(tab, "apply_test.images"))
    expect(canvas.wire(tab, "split.first>apply_test.images")).to_have_count(1)
    expect(canvas.wire(tab, "split.second>apply_test.images")).to_have_count(0)
    wait_until_saved(tab, 2)
    kept = studio.ask(path)
    assert kept["commands"] == ["Connect Keep a test part to For the test"]
    assert {"from": "split.first", "to": "apply_test.images"} in kept["pipeline"]["edges"]


def test_a_wire_into_empty_space_offers_what_fits_and_joins_it(tab):
    box = tab.locator(".react-flow__pane").bounding_box()
    empty = (box["x"] + box["width"] - 60, box["y"] + 60)
    canvas.draw_wire(tab, canvas.output(tab, "densenet.model"), empty)
    options = tab.get_by_role("option")
    expect(options).to_have_count(1)
    expect(options).to_contain_text("Train PyTorch Model")
    tab.keyboard.press("Enter")
    expect(canvas.wire(tab, "densenet.model>train_pytorch_model.model")).to_have_count(1)


def test_an_edge_that_is_let_go_in_empty_space_is_gone(tab):
    start = canvas.middle(canvas.taken(tab, "evaluate.scores"))
    tab.mouse.move(start[0], start[1] - 12)
    tab.mouse.down()
    tab.mouse.move(start[0] + 200, start[1] - 30, steps=8)
    tab.mouse.up()
    expect(canvas.wire(tab, "score.scores>evaluate.scores")).to_have_count(0)
    tab.keyboard.press("Control+z")
    expect(canvas.wire(tab, "score.scores>evaluate.scores")).to_have_count(1)


def test_a_component_dropped_on_a_wire_stands_in_it(tab):
    x, y = canvas.middle(canvas.wire(tab, "convert.images>split.images").locator("path").first)
    pane = tab.locator(".react-flow__pane").bounding_box()
    tab.get_by_role("button", name="Split Image Directory").drag_to(
        tab.locator(".react-flow__pane"),
        target_position={"x": x - pane["x"], "y": y - pane["y"]},
        force=True,
    )
    expect(canvas.wire(tab, "convert.images>split_image_directory.images")).to_have_count(1)
    expect(canvas.wire(tab, "split_image_directory.first>split.images")).to_have_count(1)
    expect(canvas.wire(tab, "convert.images>split.images")).to_have_count(0)


def test_removing_with_control_joins_the_neighbours(tab):
    canvas.node(tab, "split_again").click()
    tab.keyboard.press("Control+Delete")
    expect(canvas.nodes(tab)).to_have_count(11)
    expect(canvas.wire(tab, "split.first>apply_training.images")).to_have_count(1)


def test_a_node_is_added_joined_and_renamed_without_a_pointer(tab):
    tab.locator(".react-flow__pane").focus()
    tab.keyboard.press("/")
    tab.keyboard.type("resn")
    tab.keyboard.press("Enter")
    expect(canvas.node(tab, "resnet")).to_be_visible()
    tab.keyboard.press("c")
    dialog = tab.get_by_role("dialog")
    expect(dialog.get_by_text("Train PyTorch Model: Untrained model")).to_be_visible()
    dialog.get_by_role("textbox").press("Enter")
    expect(canvas.wire(tab, "resnet.model>train.model")).to_have_count(1)
    expect(canvas.wire(tab, "densenet.model>train.model")).to_have_count(0)
    tab.keyboard.press("F2")
    tab.keyboard.type("A small one")
    tab.keyboard.press("Enter")
    expect(canvas.node(tab, "resnet")).to_contain_text("A small one")


def test_selected_nodes_are_put_in_line_by_a_key_and_by_a_button(tab):
    names = ("densenet", "convert", "train")
    tab.keyboard.down("Shift")
    for name in names:
        canvas.node(tab, name).click()
    tab.keyboard.up("Shift")
    expect(tab.get_by_role("heading", name="3 nodes are selected")).to_be_visible()
    before = [canvas.node(tab, name).bounding_box()["y"] for name in names]
    tab.locator(".react-flow__pane").focus()
    tab.keyboard.press("Shift+L")
    expect(tab.get_by_role("button", name="Undo: Align 3 nodes left")).to_be_visible()
    boxes = [canvas.node(tab, name).bounding_box() for name in names]
    assert [one["y"] for one in boxes] == before
    assert max(one["x"] for one in boxes) - min(one["x"] for one in boxes) < 1
    tab.get_by_role("button", name="Spread down").click()
    expect(tab.get_by_role("button", name="Undo: Spread 3 nodes down")).to_be_visible()
    boxes = sorted(
        (canvas.node(tab, name).bounding_box() for name in names), key=lambda box: box["y"]
    )
    gaps = [low["y"] - high["y"] - high["height"] for high, low in itertools.pairwise(boxes)]
    assert gaps[0] == pytest.approx(gaps[1], abs=2)


def test_pasting_with_shift_keeps_the_wires_that_led_into_what_was_copied(tab):
    canvas.node(tab, "train").click()
    tab.keyboard.press("Control+c")
    tab.keyboard.press("Control+Shift+V")
    expect(canvas.node(tab, "train_2")).to_have_count(1)
    expect(canvas.wire(tab, "densenet.model>train_2.model")).to_have_count(1)
    expect(canvas.wire(tab, "apply_training.images>train_2.training")).to_have_count(1)


def test_undo_goes_on_after_a_reload(tab):
    canvas.node(tab, "densenet").click()
    tab.keyboard.press("Delete")
    expect(canvas.nodes(tab)).to_have_count(11)
    wait_until_saved(tab, 2)
    tab.reload()
    undo = tab.get_by_role("button", name="Undo: Remove DenseNet")
    expect(undo).to_be_visible()
    undo.click()
    expect(canvas.nodes(tab)).to_have_count(12)
    expect(canvas.wire(tab, "densenet.model>train.model")).to_have_count(1)


def test_what_is_not_saved_survives_a_reload(studio, path, tab):
    """J13."""
    tab.route("**/api/pipelines/*", lambda route: route.abort())
    canvas.node(tab, "densenet").click()
    tab.keyboard.press("Delete")
    expect(tab.get_by_role("status").first).to_contain_text("It stays in this browser")
    tab.unroute("**/api/pipelines/*")
    tab.reload()
    expect(canvas.nodes(tab)).to_have_count(11)
    wait_until_saved(tab, 2)
    assert len(studio.ask(path)["pipeline"]["nodes"]) == 11


NO_STORAGE = """
const refuse = () => { throw new DOMException("denied", "SecurityError"); };
indexedDB.open = refuse;
for (const name of ["getItem", "setItem", "removeItem"]) Storage.prototype[name] = refuse;
"""


def test_a_browser_that_keeps_nothing_draws_and_saves(studio, path, tab):
    """J13: as in some private windows, or where storage is full or denied."""
    tab.add_init_script(NO_STORAGE)
    tab.reload()
    canvas.node(tab, "densenet").wait_for()
    tab.route("**/api/pipelines/*", lambda route: route.abort())
    canvas.node(tab, "densenet").click()
    tab.keyboard.press("Delete")
    expect(tab.get_by_role("status").first).to_contain_text("This browser keeps nothing")
    tab.unroute("**/api/pipelines/*")
    wait_until_saved(tab, 2)
    assert len(studio.ask(path)["pipeline"]["nodes"]) == 11


def test_a_component_that_is_not_installed_stays_with_all_it_has(studio, seed, tab):
    odd = {"id": "odd", "component": "not_installed", "params": {"a": [1]}, "x_note": "kept"}
    seed["nodes"].append(odd)
    seed["edges"].append({"from": "split.first", "to": "odd.pictures", "x_weight": 3})
    path = canvas.keep(studio, seed)
    tab.goto(studio.address + path)
    expect(canvas.node(tab, "odd")).to_contain_text("not_installed")
    expect(canvas.wire(tab, "split.first>odd.pictures")).to_have_count(1)
    canvas.node(tab, "densenet").click()
    tab.keyboard.press("ArrowRight")
    wait_until_saved(tab, 2)
    kept = studio.ask(path)["pipeline"]
    assert odd in kept["nodes"]
    assert {"from": "split.first", "to": "odd.pictures", "x_weight": 3} in kept["edges"]


def test_a_node_that_is_dropped_on_a_wire_stands_in_it(studio, seed, tab):
    loose = {"id": "loose", "component": "split_image_directory", "position": [700, 60]}
    seed["nodes"].append(loose)
    tab.goto(studio.address + canvas.keep(studio, seed))
    edge = canvas.wire(tab, "convert.images>split.images").locator("path").first
    canvas.node(tab, "loose").hover()
    tab.mouse.down()
    x, y = canvas.middle(edge)
    tab.mouse.move(x + 40, y + 10, steps=5)
    tab.mouse.move(x, y, steps=5)
    tab.mouse.up()
    expect(canvas.wire(tab, "convert.images>loose.images")).to_have_count(1)
    expect(canvas.wire(tab, "loose.first>split.images")).to_have_count(1)


def test_keys_and_screen_readers_find_every_node_and_port_by_its_name(tab):
    expect(tab.get_by_role("group", name="Keep a test part", exact=True)).to_be_visible()
    port = canvas.node(tab, "train").get_by_role("img", name="Training images: Image directory")
    expect(port).to_be_visible()
    tab.get_by_role("group", name="Dataset", exact=True).focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("textbox", name="Title")).to_have_value("Dataset")
    tab.keyboard.press("Alt+ArrowDown")
    expect(tab.get_by_role("textbox", name="Title")).to_have_value("Convert to Image Directory")
