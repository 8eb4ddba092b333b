"""Names that would run as a script, wherever the page shows them (S11, J21).

No script of theirs runs in any tab or frame, and no browser has to tell that one would have.
"""

from urllib.parse import quote

import pytest
from made_scenes import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAYLOADS = [
    "<script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "<svg onload=window.ran=1>",
    "<svg><script>window.ran=1</script></svg>",
    '"><script>window.ran=1</script>',
    "'><script>window.ran=1</script>",
    "</title><script>window.ran=1</script>",
    "</textarea><script>window.ran=1</script>",
    "<iframe srcdoc='<script>parent.ran=1</script>'>",
    "<iframe src=javascript:parent.ran=1>",
    "<a href=javascript:window.ran=1>x</a>",
    "javascript:window.ran=1",
    "data:text/html,<script>window.ran=1</script>",
    "<body onload=window.ran=1>",
    "<details open ontoggle=window.ran=1>",
    "<input autofocus onfocus=window.ran=1>",
    "<video><source onerror=window.ran=1>",
    "<math><mi xlink:href=javascript:window.ran=1>",
    "<object data=javascript:window.ran=1>",
    "<embed src=javascript:window.ran=1>",
    "<form action=javascript:window.ran=1><button>x",
    "<link rel=stylesheet href=javascript:window.ran=1>",
    "<meta http-equiv=refresh content=0;url=javascript:window.ran=1>",
    "<style>@import'javascript:window.ran=1'</style>",
    "{{constructor.constructor('window.ran=1')()}}",
    "${window.ran=1}",
    '$t(failure.offline) $t(x, {"y": "<img src=x onerror=window.ran=1>"})',
    "{{- window.ran=1 }}",
    "&lt;script&gt;window.ran=1&lt;/script&gt;",
    "\u202e<script>window.ran=1</script>",
    "__proto__",
    "constructor",
]


def pipeline_of(payloads):
    """A pipeline whose every text that a person chooses is hostile; it fails at once when run."""
    nodes = [
        {
            "id": f"n{number}",
            "component": "dataset" if number % 2 else text.replace(".", "_"),
            "title": text,
            "comment": text,
            "params": {"path": text} if number % 2 else {text: text},
            "position": [220 * (number % 6), 110 * (number // 6)],
        }
        for number, text in enumerate(payloads)
    ]
    return {
        "format_version": 2,
        "kind": "pipeline",
        "name": payloads[1],
        "description": payloads[0],
        "nodes": nodes,
        "edges": [],
    }


# Told by the browser itself: a script that ran, and one that the policy of a page kept from it.
WATCH = """
Object.defineProperty(window, "ran", { get() {}, set() { window.toldOf("ran " + location); } });
document.addEventListener("securitypolicyviolation", (told) =>
    window.toldOf(`${told.violatedDirective} ${told.blockedURI} ${told.sample} ${location}`));
"""


def watched(context):
    """Return what the browser tells of any tab or frame from now on."""
    found = []
    context.expose_function("toldOf", lambda text: found.append(text))
    context.add_init_script(WATCH)
    return found


@pytest.fixture(autouse=True)
def told(tab):
    """What ran or was kept from running in any tab; there must be nothing in the end."""
    found = watched(tab.context)
    yield found
    assert found == []


def test_what_runs_and_what_is_kept_from_it_would_be_told(studio, chromium):
    context = chromium.new_context()
    found, page = watched(context), context.new_page()
    page.goto(studio.link)
    page.get_by_role("heading").first.wait_for()
    page.evaluate("window.ran = 1")
    image = "<img src=x onerror=window.ran=1>"
    page.evaluate("text => document.body.insertAdjacentHTML('beforeend', text)", image)
    page.goto(f"{studio.address}runs")
    page.get_by_role("heading").first.wait_for()
    context.close()
    assert any(one.startswith("ran ") for one in found), found
    assert any(one.startswith("script-src-attr inline") for one in found), found


def require_nothing_ran(tab):
    assert tab.evaluate("window.ran") is None


def test_no_name_in_a_drawing_runs(studio, tab):
    draft = studio.ask("pipelines", {"pipeline": pipeline_of(PAYLOADS)})
    tab.goto(studio.address)
    tab.get_by_text(PAYLOADS[1]).first.wait_for()
    require_nothing_ran(tab)
    tab.goto(f"{studio.address}pipelines/{draft['id']}")
    nodes = tab.locator(".react-flow__node")
    nodes.first.wait_for()
    assert nodes.count() == len(PAYLOADS)
    shown = "\n".join(nodes.all_inner_texts())
    for text in PAYLOADS[:3]:
        assert text in shown  # literally
    nodes.nth(1).click()
    tab.get_by_role("textbox").first.wait_for()
    require_nothing_ran(tab)


def test_no_name_in_a_run_runs(studio, tab):
    places = [text for text in PAYLOADS if "\0" not in text]
    nodes = [
        {"id": f"n{number}", "component": "dataset", "title": text, "params": {"path": f"./{text}"}}
        for number, text in enumerate(places)
    ]
    pipeline = {**pipeline_of(PAYLOADS), "nodes": nodes}
    run = studio.ask("runs", {"pipeline": pipeline})["id"]
    studio.wait_for_run(run, ("failed",))
    tab.goto(f"{studio.address}runs")
    tab.get_by_text(PAYLOADS[1]).first.wait_for()
    require_nothing_ran(tab)
    tab.goto(f"{studio.address}runs/{run}")
    tab.get_by_role("alert").wait_for()
    tab.get_by_role("tab", name="Logs").click()
    tab.get_by_role("log").wait_for()
    require_nothing_ran(tab)
    with tab.context.expect_page() as opened:
        tab.get_by_role("link", name="Report").click()
    report = opened.value
    report.wait_for_load_state()
    assert report.evaluate("window.ran") is None


@pytest.fixture(scope="module")
def named_folder(studio):
    """Pictures whose classes and files have such names, and files that are none."""
    folder = studio.folder / "named <img src=x onerror=window.ran=1>"
    names = [text for text in PAYLOADS if "/" not in text]
    assert len(names) >= 15
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        scene(number).save(folder / name / f"{name}.png")
        (folder / name / f"no {name}.png").write_bytes(b"no picture")
    return folder, names


def test_no_name_of_a_class_or_a_picture_runs(studio, named_folder, tab):
    folder, names = named_folder
    nodes = [
        {"id": "data", "component": "dataset", "params": {"path": str(folder)}},
        {
            "id": "convert",
            "component": "convert_to_image_directory",
            "params": {"max_rejected_fraction": 0.9},
        },
    ]
    edges = [{"from": "data.dataset", "to": "convert.dataset"}]
    pipeline = {**pipeline_of(PAYLOADS), "nodes": nodes, "edges": edges}
    draft = studio.ask("pipelines", {"pipeline": pipeline})["id"]
    run = studio.ask("runs", {"pipeline": pipeline})["id"]
    studio.wait_for_run(run, ("completed", "completed_with_warnings"))
    tab.goto(f"{studio.address}data/{run}/convert/images")
    tab.get_by_role("listbox").wait_for()
    tab.get_by_role("option").first.click()
    assert tab.get_by_text(names[0]).count() > 0  # literally
    for address in (f"pipelines/{draft}", f"runs/{run}", f"runs/{run}/nodes/convert"):
        tab.goto(f"{studio.address}{address}")
        tab.get_by_role("heading", level=1).wait_for()
        tab.wait_for_load_state("networkidle")
        require_nothing_ran(tab)
    for address in (f"api/runs/{run}/report", f"api/runs/{run}/nodes/convert/report"):
        if tab.goto(f"{studio.address}{address}").status == 200:
            require_nothing_ran(tab)


def test_no_text_in_an_address_runs(studio, tab):
    for text in PAYLOADS:
        for view in ("runs/", "pipelines/", "data/", "?token=", "#"):
            tab.goto(f"{studio.address}{view}{quote(text, safe='')}")
    tab.goto(studio.address)
    tab.get_by_role("heading").first.wait_for()
