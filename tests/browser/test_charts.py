"""The charts of a training, against the rows of its curves as they lie on disk."""

import csv
import io
import itertools
import math
import operator
import re

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SERIES_FOLDER, SeriesName
from imageloom.files.series.read import list_series, read_series
from imageloom.files.series.writer import SeriesWriter
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import NodeState, RunState

pytestmark = pytest.mark.slow

NUM_STEPS = 401
ZERO_STEPS = range(180, 221)
LOSS = SeriesName("Train loss", "nats", "step")
VALID = SeriesName("Valid loss", "nats", "epoch")
RATE = SeriesName("learning rate", "", "step")
LINE_COLOUR = (0x2F, 0x6F, 0xB5)
CHARTS = {"Loss": ("Train loss", "Valid loss"), "Learning rate": ("learning rate",)}


def loss_at(step):
    """From 100 down to 0.01, a straight line on a logarithmic scale."""
    return 10 ** (2 - (step - 1) / 100)


def rate_at(step):
    """Jumps up and down; some steps have zero, which has no place on that scale."""
    return 0.0 if step in ZERO_STEPS else (step * 7919 % 1000 + 1) / 1000


@pytest.fixture(scope="module")
def run(studio):
    """A run that trained, written down with its curves."""
    folder = Workspace(studio.workspace).run("20261101-120000-0001")
    node = {"id": "train", "component": "train_pytorch_model"}
    folder.create(
        RunRecord(
            id=folder.id,
            name="Curves",
            pipeline={"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]},
            base="/",
            resolved={
                "train": ResolvedRecord(component="train_pytorch_model", version=1, params={})
            },
            wanted=("train",),
            created=1_800_000_000.5,
        )
    )
    folder.append_run(RunState.RUNNING)
    series = folder.node_folder("train") / SERIES_FOLDER
    with SeriesWriter(series, [LOSS, VALID, RATE], rank=0, error=CannotResumeError) as writer:
        for step in range(1, NUM_STEPS + 1):
            values = {LOSS: loss_at(step), RATE: rate_at(step)}
            writer.append(values, step=step, epoch=step / 100)
            if step % 100 == 0:
                writer.append({VALID: loss_at(step) * 2}, step=step, epoch=step / 100)
    folder.append_node("train", NodeFacts(state=NodeState.COMPLETED, time=1_800_000_010.0))
    folder.append_run(RunState.COMPLETED)
    return folder


@pytest.fixture
def tab(tab, studio, run):
    tab.goto(f"{studio.address}runs/{run.id}/nodes/train")
    # A chart is drawn anew with each curve that comes.
    for title, curves in CHARTS.items():
        drawn = chart(tab, title).locator(".u-legend .u-series:not(.u-band) .u-label")
        expect(drawn).to_have_text(["step", *curves])
    return tab


def chart(tab: Page, title: str) -> Locator:
    return tab.get_by_role("region", name=title, exact=True)


# In one go, so that it cannot be drawn anew meanwhile.
GROUND = """chart => {
  const ground = chart.querySelector(".u-over");
  ground.scrollIntoView({ block: "nearest", behavior: "instant" });
  const { x, y, width, height } = ground.getBoundingClientRect();
  return { x, y, width, height };
}"""


def ground_of(one: Locator) -> dict[str, float]:
    """Return the box in which curves are drawn, once it can be seen."""
    return one.evaluate(GROUND)


# What the legend tells, by label, and where the line stands at which it tells that.
LEGEND = """chart => ({
  x: chart.querySelector(".u-cursor-x").getBoundingClientRect().x,
  told: Object.fromEntries([...chart.querySelectorAll(".u-legend .u-series")].map(
    row => [row.querySelector(".u-label").textContent, row.querySelector(".u-value").textContent],
  )),
})"""


def hover(tab: Page, one: Locator, fraction: float) -> dict[str, str]:
    """Point at a place between the left edge (0) and the right one; return what is told there."""
    for _ in range(100):
        box = ground_of(one)
        x = box["x"] + 1 + fraction * (box["width"] - 2)
        tab.mouse.move(x, box["y"] + box["height"] / 2)
        legend = one.evaluate(LEGEND)
        if abs(legend["x"] - x) < 2:
            return legend["told"]
        tab.evaluate("() => new Promise(requestAnimationFrame)")
    raise AssertionError(f"the line stands at {legend['x']}, not at {x}")


def step_at(tab: Page, one: Locator, fraction: float) -> int:
    return int(hover(tab, one, fraction)["step"].replace(",", ""))


def drag(tab: Page, one: Locator, start: float, end: float) -> None:
    box = ground_of(one)
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + start * box["width"], y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + end * box["width"], y, steps=8)
    tab.mouse.up()


def as_written(value: float) -> str:
    """Return a number as the page writes it: four digits."""
    return f"{float(f'{value:.4g}'):g}"


def shown_steps(tab: Page, one: Locator) -> tuple[int, int]:
    return step_at(tab, one, 0), step_at(tab, one, 1)


def test_the_legend_tells_the_value_of_the_step_that_is_pointed_at(tab, run):
    loss = chart(tab, "Loss")
    rows = {row.step: row.value for row in rows_of(run)["Train loss", "step", 0]}
    shown = [hover(tab, loss, fraction) for fraction in (0, 0.21, 0.5, 0.83, 1)]
    steps = [int(one["step"]) for one in shown]
    assert steps[0] == 1
    assert steps[-1] == NUM_STEPS
    assert abs(steps[2] - NUM_STEPS / 2) < 4
    assert [one["Train loss"] for one in shown] == [as_written(rows[step]) for step in steps]


def test_a_drag_shows_the_part_and_a_double_click_the_whole_again(tab):
    loss, rate = chart(tab, "Loss"), chart(tab, "Learning rate")
    assert shown_steps(tab, loss) == (1, NUM_STEPS)
    for one in (loss, rate):
        one.locator("canvas").evaluate("drawn => drawn.dataset.isFirst = true")
    with tab.expect_response(lambda answer: "from=" in answer.url) as answer:
        drag(tab, loss, 0.25, 0.5)
    asked = {
        key: int(re.search(rf"[?&]{key}=(\d+)", answer.value.url)[1]) for key in ("from", "to")
    }
    width = NUM_STEPS - 1
    assert asked["from"] == pytest.approx(1 + 0.25 * width, abs=2)
    assert asked["to"] == pytest.approx(1 + 0.5 * width, abs=2)
    expect(tab.get_by_role("button", name="Whole curve")).to_be_visible()
    for one in (loss, rate):
        expect_steps(tab, one, asked["from"], asked["to"])
    drag(tab, rate, 0.5, 1)  # closer still, in another chart
    expect_steps(tab, loss, round((asked["from"] + asked["to"]) / 2), asked["to"], by=2)
    ground_of(loss)
    loss.locator(".u-over").dblclick()
    expect_steps(tab, loss, 1, NUM_STEPS)
    expect(tab.get_by_role("button", name="Whole curve")).to_have_count(0)
    # What is drawn was never taken away while new rows were on their way.
    expect(tab.locator("canvas[data-is-first]")).to_have_count(2)


def expect_steps(tab: Page, one: Locator, first: int, last: int, *, by: int = 0) -> None:
    """Wait until a chart shows these steps from edge to edge."""
    for _ in range(100):
        shown = shown_steps(tab, one)
        if abs(shown[0] - first) <= by and abs(shown[1] - last) <= by:
            return
        tab.evaluate("() => new Promise(requestAnimationFrame)")
    raise AssertionError(f"steps {shown} are shown, not {first} to {last}")


def test_smoothing_draws_the_exponential_mean_of_all_rows(tab, run):
    rate = chart(tab, "Learning rate")
    values = [row.value for row in rows_of(run)["learning rate", "step", 0]]
    slider = tab.get_by_role("slider", name="Smoothing")
    slider.focus()
    for _ in range(60):
        tab.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "0.6")
    for fraction in (0, 0.1, 0.3, 1):
        shown = hover(tab, rate, fraction)
        step = int(shown["step"])
        weights = [0.6**age for age in range(step)]
        recent_first = values[step - 1 :: -1]
        mean = math.fsum(map(operator.mul, weights, recent_first)) / math.fsum(weights)
        assert float(shown["learning rate"]) == pytest.approx(mean, rel=6e-4)
    slider.press("Home")
    shown = hover(tab, rate, 0.3)
    assert shown["learning rate"] == as_written(values[int(shown["step"]) - 1])


def height_of_point(tab: Page, one: Locator, fraction: float) -> float:
    """Return how far the first curve's point is above the lower edge, as a part of the height."""
    hover(tab, one, fraction)
    box = ground_of(one)
    point = one.locator(".u-cursor-pt").nth(2).bounding_box()  # behind those of the band
    assert point is not None
    return 1 - (point["y"] + point["height"] / 2 - box["y"]) / box["height"]


def test_on_a_log_scale_equal_factors_are_equal_distances_and_zero_is_left_out(tab):
    loss, rate = chart(tab, "Loss"), chart(tab, "Learning rate")
    quarters = (0.25, 0.5, 0.75)
    linear = [height_of_point(tab, loss, one) for one in quarters]
    assert linear[0] - linear[1] == pytest.approx(0.09, abs=0.03)  # (10 - 1) / 100
    assert linear[1] - linear[2] == pytest.approx(0.009, abs=0.01)
    shown = hover(tab, rate, 0.5)
    assert int(shown["step"]) in ZERO_STEPS
    assert shown["learning rate"] == "0"
    tab.get_by_role("switch", name="Log scale").click()
    expect(tab.get_by_role("switch", name="Log scale")).to_be_checked()
    logarithmic = [height_of_point(tab, loss, one) for one in quarters]
    first, second = (high - low for high, low in itertools.pairwise(logarithmic))
    assert first == pytest.approx(second, abs=0.02)
    assert first > 0.15
    assert hover(tab, rate, 0.5)["learning rate"] in ("", "--")
    assert float(hover(tab, rate, 0.25)["learning rate"]) > 0


def test_the_picture_of_a_chart_is_its_drawing_on_an_opaque_ground(tab, run):
    loss = chart(tab, "Loss")
    width, height = (int(loss.locator("canvas").get_attribute(one)) for one in ("width", "height"))
    with tab.expect_download() as download:
        loss.get_by_role("button", name="Save as PNG").click()
    assert download.value.suggested_filename == f"{run.id}-train-Loss.png"
    with Image.open(download.value.path()) as picture:
        assert picture.format == "PNG"
        assert picture.size == (width, height)
        assert width > 250
        assert height > 150
        pixels = picture.convert("RGBA")
    assert pixels.getchannel("A").getextrema() == (255, 255)
    colours = {colour[:3]: count for count, colour in pixels.getcolors(maxcolors=2**24)}
    assert colours[LINE_COLOUR] > width / 4
    assert max(colours.values()) > width * height / 2  # the ground


def test_the_table_has_every_row_of_every_curve_with_all_digits(tab, run):
    with tab.expect_download() as download:
        tab.get_by_role("link", name="All rows as CSV").click()
    table = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    found = {(line["name"], line["kind"], int(line["rank"])): [] for line in table}
    for line in table:
        row = (int(line["step"]), float(line["epoch"]), float(line["time"]), float(line["value"]))
        found[line["name"], line["kind"], int(line["rank"])].append(row)
    expected = {
        key: [(row.step, row.epoch, row.time, row.value) for row in rows]
        for key, rows in rows_of(run).items()
    }
    assert found == expected
    assert len(table) == 2 * NUM_STEPS + NUM_STEPS // 100


def rows_of(run):
    """Every row of every curve, as the files hold them."""
    folder = run.node_folder("train") / SERIES_FOLDER
    return {
        (one.name, one.kind, one.rank): read_series(one.path, 0, one.num_rows)
        for one in list_series(folder)
    }
