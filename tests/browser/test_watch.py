"""A training is watched in the page while it goes on, whatever is killed meanwhile (J20)."""

import json
import os
import signal

import pytest

from imageloom.files.series.read import list_series, read_series

from .scene import small_training, who_waits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
BEGIN_MS = 200_000  # each node's worker loads torch first, on a machine that may be busy


@pytest.fixture(autouse=True, scope="module")
def _digits():
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")


@pytest.fixture(scope="module")
def finished(studio):
    """A run of the digits that completed."""
    run = studio.ask("runs", {"pipeline": small_training(studio)})["id"]
    return studio.wait_for_run(run)


def begin_training(studio, **params):
    """Begin a run that ends with its training: what follows that takes a process for each node."""
    pipeline = small_training(studio, **params)
    return studio.ask("runs", {"pipeline": pipeline, "only": ["train"]})["id"]


def series_of(studio, run):
    """Every row of every curve of the training, as its files hold them."""
    (folder,) = (studio.workspace / "runs" / run / "nodes" / "train").glob("series")
    return {
        (one.name, one.kind, one.rank): read_series(one.path, 0, one.num_rows)
        for one in list_series(folder)
    }


def test_curves_show_every_step_that_was_trained(studio, finished, tab):
    tab.goto(f"{studio.address}runs/{finished['id']}/nodes/train")
    loss = tab.get_by_role("region", name="Loss")
    loss.locator("canvas").wait_for()
    rows = series_of(studio, finished["id"])
    steps = [row.step for row in rows["Train loss", "step", 0]]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) == 3 * 20  # 1,258 pictures of 64 make 20 steps an epoch
    with tab.expect_download() as download:
        tab.get_by_role("link", name="All rows as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 1 + sum(len(one) for one in rows.values())


def test_a_cell_of_the_confusion_matrix_shows_exactly_its_pictures(studio, finished, tab):
    run = finished["id"]
    folder = studio.workspace / "runs" / run / "nodes" / "evaluate" / "outputs" / "evaluation"
    evaluation = json.loads((folder / "evaluation.json").read_text())["evaluations"][0]
    matrix = evaluation["confusion_matrix"]
    cells = {(true, said): count for true, row in matrix.items() for said, count in row.items()}
    mistakes = {cell: count for cell, count in cells.items() if cell[0] != cell[1]}
    (true, said), count = max((mistakes or cells).items(), key=lambda one: one[1])
    tab.goto(f"{studio.address}runs/{run}/nodes/evaluate")
    words = f"{true} taken for {said}" if true != said else f"{true}, named rightly"
    tab.get_by_role("button", name=f"{words}: {count}", exact=True).click()
    tab.get_by_role("heading", name=words).wait_for()
    # Those of the cell; probable label errors have pictures of their own further down.
    pictures = tab.locator("section[aria-live] li[data-row]")
    pictures.first.wait_for()
    assert pictures.count() == min(count, 48)
    names = [one.get_attribute("alt") for one in pictures.locator("img").all()]
    assert all(name.startswith(f"{true}/") for name in names)
    for image in pictures.locator("img").all():
        image.scroll_into_view_if_needed()  # they are fetched when they come into view
        tab.wait_for_function(
            "img => img.complete && img.naturalWidth > 0", arg=image.element_handle()
        )


def test_a_killed_server_costs_nothing_and_the_page_comes_back_by_itself(studio, tab):
    """J20: a server that is started anew takes over runs that go on."""
    run = begin_training(studio, epochs=6, seed=2)
    tab.goto(f"{studio.address}runs/{run}/nodes/train")
    tab.get_by_text("Epoch 1/6").first.wait_for(timeout=BEGIN_MS)
    studio.kill()
    try:
        tab.get_by_text("does not answer").first.wait_for()
    finally:
        studio.start()
    tab.get_by_text("does not answer").first.wait_for(state="detached")
    studio.wait_for_run(run)
    tab.get_by_text("completed").first.wait_for()
    steps = [row.step for row in series_of(studio, run)["Train loss", "step", 0]]
    assert steps == list(range(1, 6 * 20 + 1))


def test_a_killed_executor_is_told_and_the_run_goes_on_where_it_was(studio, tab):
    run = begin_training(studio, epochs=8, seed=3)
    tab.goto(f"{studio.address}runs/{run}/nodes/train")
    tab.get_by_text("Epoch 2/8").first.wait_for(timeout=BEGIN_MS)
    for pid in studio.executors():
        os.kill(pid, signal.SIGKILL)
    tab.get_by_text("interrupted").first.wait_for()
    tab.get_by_role("button", name="Go on").click()
    tab.get_by_role("button", name="Stop").wait_for()
    # Its new executor may not have begun yet.
    studio.wait_for_run(run, before=("interrupted", "queued", "running"))
    steps = [row.step for row in series_of(studio, run)["Train loss", "step", 0]]
    assert steps == list(range(1, 8 * 20 + 1))


def test_a_rate_that_gives_nan_opens_the_card_with_its_place_and_the_line_of_the_log(studio, tab):
    # Without BatchNorm, so that the highest rate that is allowed is far too high.
    run = begin_training(studio, network="timm/test_vit", learning_rate=2.0, warmup_epochs=0.0)
    error = studio.wait_for_run(run, ("failed",))["nodes"]["train"]["error"]
    assert error["type"] in ("NaNError", "InfinityError")
    tab.goto(f"{studio.address}runs/{run}")
    card = tab.get_by_role("alert")
    card.get_by_text(error["type"]).wait_for()
    epoch, step = error["details"]["epoch"], error["details"]["step"]
    assert f"in epoch {epoch} at step {step}" in card.inner_text()
    assert "the learning rate is too high" in card.inner_text()
    card.get_by_role("button", name="Show its line in the log").click()
    tab.get_by_role("log").locator("[data-target]").wait_for()
    assert "Traceback" in tab.get_by_role("log").locator("[data-target]").inner_text()


def test_of_two_trainings_one_waits_and_says_for_whom(studio, tab):
    runs = [begin_training(studio, epochs=200, seed=seed) for seed in (5, 6)]
    waiting = who_waits(studio, runs)
    (other,) = set(runs) - {waiting}
    tab.goto(f"{studio.address}runs/{waiting}/nodes/train")
    tab.get_by_text(f"waiting for run {other} (node 'train')").first.wait_for()
    for run in (waiting, other):
        studio.ask(f"runs/{run}/cancel", {})
    for run in runs:
        studio.wait_for_run(run, ("cancelled",))


def test_a_run_that_is_not_there_is_said_so_at_once(studio, tab):
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    address = f"{studio.address}api/runs/20260101-000000-0000"
    tab.goto(f"{studio.address}runs/20260101-000000-0000")
    tab.get_by_text("This run is not there any more.").wait_for()
    assert 1 <= asked.count(address) <= 2  # once before the first event, and once after it


def test_the_note_that_the_studio_is_gone_leaves_the_page_its_room(studio, finished, tab):
    tab.goto(f"{studio.address}runs/{finished['id']}")
    tab.get_by_role("heading", name="Handwritten digits").wait_for()
    studio.kill()
    try:
        note = tab.get_by_role("status").filter(has_text="does not answer")
        note.wait_for()
        assert note.bounding_box()["height"] < 60
        view = tab.get_by_role("main").bounding_box()
        assert view["y"] + view["height"] == pytest.approx(900, abs=1)
    finally:
        studio.start()
