"""The pipeline of the old designer's page: drawn by hand on an empty canvas, run, looked at."""

import json
import shutil

import pytest
from playwright.sync_api import Locator, Page, expect

from . import canvas

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NUM_PER_CLASS = 20
ENDED = {"completed": "completed", "completed with warnings": "warned"}
TRANSFORMATION = "init_image_transformation"
TRAINING = "apply_image_transformation"
VALIDATION = "apply_image_transformation_2"
WIRES = {
    "dataset.dataset>convert_to_image_directory.dataset",
    "convert_to_image_directory.images>split_image_directory.images",
    f"split_image_directory.first>{TRAINING}.images",
    f"split_image_directory.second>{VALIDATION}.images",
    f"{TRANSFORMATION}.transformation>{TRAINING}.transformation",
    f"{TRANSFORMATION}.transformation>{VALIDATION}.transformation",
    "resnet.model>train_pytorch_model.model",
    f"{TRAINING}.images>train_pytorch_model.training",
    f"{VALIDATION}.images>train_pytorch_model.validation",
    "train_pytorch_model.model>score_image_model.model",
    f"{VALIDATION}.images>score_image_model.images",
    "score_image_model.scores>evaluate_model.scores",
}
NODES = {end.split(".")[0] for ends in WIRES for end in ends.split(">")}


@pytest.fixture
def pictures(studio):
    """Handwritten zeros, ones and twos, as files in a folder of a person's own."""
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")
    studio.ask("pipelines/templates/digits", {})
    for label in "012":
        folder = studio.folder / "pictures" / label
        folder.mkdir(parents=True)
        source = studio.workspace / "uploads" / "digits" / label
        for file in sorted(source.iterdir())[:NUM_PER_CLASS]:
            shutil.copy(file, folder)
    return studio.folder / "pictures"


def test_the_old_pages_pipeline_is_drawn_by_hand_run_and_looked_at(studio, pictures, tab):
    tab.goto(studio.address)
    tab.get_by_role("button", name="Empty").click()
    expect(tab.get_by_text("Nothing is drawn yet.")).to_be_visible()
    draw(tab)
    expect(tab.locator(".react-flow__edge")).to_have_count(len(WIRES))
    for ends in WIRES:
        expect(canvas.wire(tab, ends)).to_have_count(1)
    set_parameters(tab, pictures)
    lights = tab.locator(".react-flow__node [data-light='ready']")
    expect(lights).to_have_count(len(NODES))

    tab.get_by_role("button", name="Run", exact=True).click()
    tab.wait_for_url("**/runs/*")
    expect(tab.locator("[data-light='running']").first).to_be_visible()
    run = tab.url.split("/runs/")[1].split("/")[0]
    found = studio.wait_for_run(run, seconds=300)
    assert found["nodes"].keys() == NODES
    for node, facts in found["nodes"].items():
        light = canvas.node(tab, node).locator("[data-light]")
        expect(light).to_have_attribute("data-light", ENDED[facts["state"]])

    canvas.node(tab, "evaluate_model").click()
    folder = studio.workspace / "runs" / run / "nodes" / "evaluate_model" / "outputs" / "evaluation"
    (evaluation,) = json.loads((folder / "evaluation.json").read_text())["evaluations"]
    matrix = evaluation["confusion_matrix"]
    total = sum(sum(row.values()) for row in matrix.values())
    right = sum(row.get(label, 0) for label, row in matrix.items())
    assert total == 3 * NUM_PER_CLASS * 0.2
    assert evaluation["figures"]["Overall_Accuracy"] == pytest.approx(right / total)
    headline = f"{100 * right / total:.1f} % of {total} pictures are named rightly"
    expect(tab.get_by_text(headline)).to_be_visible()


def draw(tab: Page) -> None:
    """Draw all nodes and wires: from the palette, into empty space, and between ports."""
    from_palette(tab, "Dataset")
    grow(tab, "dataset.dataset", "convert")
    grow(tab, "convert_to_image_directory.images", "split")
    grow(tab, "split_image_directory.first", "apply")
    grow(tab, "split_image_directory.second", "apply")
    from_palette(tab, "Init Image Transformation")
    for end in (TRAINING, VALIDATION):
        join(tab, f"{TRANSFORMATION}.transformation", f"{end}.transformation")
    from_palette(tab, "ResNet")
    canvas.draw_wire(
        tab, canvas.output(tab, "resnet.model"), canvas.taken(tab, f"{TRAINING}.images")
    )
    refusal = (
        "Untrained model gives one untrained model directory, but Images takes one image "
        "directory. Join ports of the same shape."
    )
    expect(tab.get_by_text(refusal)).to_be_visible()
    grow(tab, "resnet.model", "train")
    expect(tab.get_by_text(refusal)).to_have_count(0)
    join(tab, f"{TRAINING}.images", "train_pytorch_model.training")
    join(tab, f"{VALIDATION}.images", "train_pytorch_model.validation")
    grow(tab, "train_pytorch_model.model", "score")
    join(tab, f"{VALIDATION}.images", "score_image_model.images")
    grow(tab, "score_image_model.scores", "evaluate")


def set_parameters(tab: Page, pictures) -> None:
    canvas.node(tab, "dataset").click()
    tab.get_by_role("button", name="Choose a folder or file").click()
    picker = tab.get_by_role("dialog")
    picker.get_by_role("button", name=pictures.name, exact=True).click()
    picker.get_by_text(str(pictures)).first.wait_for()
    picker.get_by_role("button", name="Take this folder").click()
    expect(tab.get_by_label("Path", exact=True)).to_have_value(str(pictures))
    canvas.node(tab, "split_image_directory").click()
    fill(tab, "Fraction", "0.8")
    canvas.node(tab, TRANSFORMATION).click()
    fill(tab, "Resize size", "32")
    fill(tab, "Center crop size", "32")
    canvas.node(tab, VALIDATION).click()
    choose(tab, "Mode", "inference")
    canvas.node(tab, "resnet").click()
    choose(tab, "Model name", "resnet18")
    choose(tab, "Stem", "small")
    tab.get_by_label("Pretrained", exact=True).uncheck(force=True)
    canvas.node(tab, "train_pytorch_model").click()
    fill(tab, "Epochs", "2")


def from_palette(tab: Page, title: str) -> None:
    """Drag a component into an empty corner of the canvas."""
    x, y = empty_corner(tab)
    pane = tab.locator(".react-flow__pane")
    box = pane.bounding_box()
    palette = tab.get_by_role("complementary", name="Components")
    before = canvas.nodes(tab).count()
    palette.get_by_role("button", name=title).drag_to(
        pane, target_position={"x": x - box["x"], "y": y - box["y"]}, force=True
    )
    expect(canvas.nodes(tab)).to_have_count(before + 1)
    show_all(tab)


def grow(tab: Page, start: str, words: str) -> None:
    """Pull a wire into empty space, and take what is offered there under some letters."""
    wires = tab.locator(".react-flow__edge")
    before = wires.count()
    canvas.draw_wire(tab, canvas.output(tab, start), empty_corner(tab))
    offer = tab.get_by_role("combobox", name="Add a node")
    offer.fill(words)
    offer.press("Enter")
    expect(wires).to_have_count(before + 1)
    show_all(tab)


def join(tab: Page, start: str, end: str) -> None:
    canvas.draw_wire(tab, canvas.output(tab, start), canvas.taken(tab, end))
    expect(canvas.wire(tab, f"{start}>{end}")).to_have_count(1)


def empty_corner(tab: Page) -> tuple[float, float]:
    box = tab.locator(".react-flow__pane").bounding_box()
    return box["x"] + box["width"] - 40, box["y"] + 40


def show_all(tab: Page) -> None:
    """Tidy the graph and bring all of it into view, by keys."""
    tab.keyboard.press("t")
    tab.keyboard.press("f")


def fill(tab: Page, name: str, value: str) -> None:
    field = tab.get_by_label(name, exact=True)
    field.fill(value)
    field.press("Enter")


def choose(tab: Page, name: str, value: str) -> None:
    field: Locator = tab.get_by_role("combobox", name=name, exact=True)
    field.click()
    tab.get_by_role("option", name=value, exact=True).click()
    expect(field).to_have_value(value)
