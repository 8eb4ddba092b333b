"""From a look at the pictures to a run without ten of them: only what depends runs again."""

import pytest
from made_scenes import COPIES, scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PER_CLASS = 12
EXCLUDED = 10


@pytest.fixture(scope="module")
def photos(studio):
    """Scenes in two classes; one of them stands under the other class too, made brighter."""
    folder = studio.folder / "scenes"
    for offset, name in ((0, "days"), (100, "nights")):
        (folder / name).mkdir(parents=True)
        for number in range(PER_CLASS):
            scene(offset + number).save(folder / name / f"{number:02}.png")
    COPIES[2](scene(3)).save(folder / "nights" / "00.png")
    return folder


@pytest.fixture(scope="module")
def first_run(studio, photos):
    """A drawing, and a run of it that completed."""
    nodes = [
        {"id": "data", "component": "dataset", "params": {"path": str(photos)}},
        {"id": "convert", "component": "convert_to_image_directory"},
        {"id": "split", "component": "split_image_directory", "params": {"fraction": 0.5}},
        {"id": "beside", "component": "init_image_transformation"},
    ]
    for number, node in enumerate(nodes):
        node["position"] = [200 if node["id"] == "beside" else 0, 100 * number]
    edges = [
        {"from": "data.dataset", "to": "convert.dataset"},
        {"from": "convert.images", "to": "split.images"},
    ]
    head = {"format_version": 2, "kind": "pipeline", "name": "Days and nights"}
    pipeline = {**head, "nodes": nodes, "edges": edges}
    draft = studio.ask("pipelines", {"pipeline": pipeline})["id"]
    run = studio.ask("runs", {"pipeline": pipeline})["id"]
    studio.wait_for_run(run)
    return run, draft


def open_pictures(studio, tab, run, node="convert", port="images"):
    tab.goto(f"{studio.address}data/{run}/{node}/{port}")
    tab.get_by_role("listbox").wait_for()


def test_ten_pictures_are_left_out_and_only_what_depends_on_them_runs_again(
    studio, first_run, photos, tab
):
    expect = pytest.importorskip("playwright.sync_api").expect
    run, draft = first_run
    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    tab.goto(f"{studio.address}runs/{run}/nodes/convert")
    tab.get_by_role("link", name="Look at the pictures").click()
    pictures = tab.get_by_role("option")
    pictures.nth(0).click()
    pictures.nth(EXCLUDED - 1).click(modifiers=["Shift"])
    tab.get_by_text(f"{EXCLUDED} pictures are chosen").wait_for()
    tab.keyboard.press("Delete")
    expect(tab.locator("[role='option'][data-excluded]")).to_have_count(EXCLUDED)
    tab.keyboard.press("Control+z")
    expect(tab.locator("[role='option'][data-excluded]")).to_have_count(0)
    tab.keyboard.press("Control+Shift+z")
    expect(tab.locator("[role='option'][data-excluded]")).to_have_count(EXCLUDED)
    tab.get_by_role("tab", name="Corrections").click()
    expect(tab.get_by_role("list", name="Corrections made").locator("li")).to_have_count(EXCLUDED)
    tab.get_by_role("button", name="Use in pipeline").click()
    tab.wait_for_url(f"**/pipelines/{draft}")
    tab.locator(".react-flow__node", has_text="Correct Images").wait_for()

    tab.get_by_role("button", name="Run", exact=True).click()
    tab.wait_for_url("**/runs/*")
    second = tab.url.split("/runs/")[1].split("/")[0]
    found = studio.wait_for_run(second)
    states = {name: facts["state"] for name, facts in found["nodes"].items()}
    assert states == {
        "data": "cached",
        "convert": "cached",
        "beside": "cached",
        "correct": "completed",
        "split": "completed",
    }
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before

    tab.goto(f"{studio.address}data/{second}/correct/images")
    tab.get_by_role("tab", name="Before and after").click()
    tab.get_by_role("cell", name="All", exact=True).wait_for()
    rows = tab.get_by_role("row").all_inner_texts()
    cells = {row.split("\t")[0]: row.split("\t")[1:] for row in rows[1:]}
    assert cells == {
        "days": ["12", "2", "-10"],
        "nights": ["12", "12", "0"],
        "All": ["24", "14", "-10"],
    }


def test_duplicates_are_found_and_shown_side_by_side(studio, first_run, tab):
    run, _ = first_run
    open_pictures(studio, tab, run)
    tab.get_by_role("tab", name="Duplicates").click()
    tab.get_by_role("button", name="Search", exact=True).click()
    found = tab.get_by_role("region", name="Look alike")
    found.get_by_text("under different classes").wait_for()
    assert found.locator("figure").count() == 2
    found.get_by_role("button", name="Leave out all but the first").click()
    found.locator("figure[data-excluded]").wait_for()
    assert "nights/00.png" in found.locator("figure[data-excluded]").inner_text()
    tab.get_by_role("tab", name="Sizes and brightness").click()
    tab.get_by_role("figure", name="Brightness, mean grey value").wait_for()


COPIED = 20  # more than are shown of a set


def test_all_copies_of_a_picture_are_left_out_also_those_that_are_not_shown(studio, tab):
    expect = pytest.importorskip("playwright.sync_api").expect
    folder = studio.folder / "copies"
    (folder / "one").mkdir(parents=True)
    for number in range(COPIED):
        scene(200).save(folder / "one" / f"{number:02}.png")
    scene(201).save(folder / "one" / "other.png")
    nodes = [
        {"id": "data", "component": "dataset", "params": {"path": str(folder)}},
        {"id": "convert", "component": "convert_to_image_directory"},
    ]
    edges = [{"from": "data.dataset", "to": "convert.dataset"}]
    head = {"format_version": 2, "kind": "pipeline", "name": "Copies"}
    run = studio.ask("runs", {"pipeline": {**head, "nodes": nodes, "edges": edges}})["id"]
    studio.wait_for_run(run)
    open_pictures(studio, tab, run)
    tab.get_by_role("tab", name="Duplicates").click()
    tab.get_by_role("button", name="Search", exact=True).click()
    found = tab.get_by_role("region", name="Equal bytes")
    found.get_by_text("and 8 more").wait_for()
    found.get_by_role("button", name="Leave out all but the first").click()
    expect(found.locator("figure[data-excluded]")).to_have_count(11)
    tab.get_by_role("tab", name="Corrections").click()
    made = tab.get_by_role("list", name="Corrections made").locator("li")
    expect(made).to_have_count(COPIED - 1)
    tab.reload()
    tab.get_by_role("tab", name="Corrections").click()
    expect(made).to_have_count(COPIED - 1)
    assert "one/00.png" not in made.all_inner_texts()
    tab.get_by_role("button", name="Undo").click()
    expect(made).to_have_count(0)
    tab.get_by_role("button", name="Redo").click()
    expect(made).to_have_count(COPIED - 1)


def test_corrections_for_which_a_browser_has_no_room_are_said_to_be_lost_with_the_page(
    studio, first_run, tab
):
    expect = pytest.importorskip("playwright.sync_api").expect
    run, _ = first_run
    tab.add_init_script("""Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
    }""")
    open_pictures(studio, tab, run)
    tab.get_by_role("option").nth(0).click()
    tab.keyboard.press("Delete")
    expect(tab.get_by_role("alert").filter(has_text="a reload loses them")).to_be_visible()
    expect(tab.locator("[role='option'][data-excluded]")).to_have_count(1)


def test_what_the_network_sees_is_drawn_again_with_the_keyboard_alone(studio, first_run, tab):
    run, _ = first_run
    open_pictures(studio, tab, run, "split", "first")
    tab.get_by_role("listbox").focus()
    tab.keyboard.press("ArrowRight")
    seen = tab.get_by_role("region", name="What the network sees")
    seen.locator("img[data-seed='1']").wait_for()
    first = seen.locator("img").get_attribute("src")
    seen.get_by_role("button", name="Draw again").focus()
    tab.keyboard.press("Enter")
    seen.locator("img[data-seed='2']").wait_for()
    assert seen.locator("img").get_attribute("src") != first
