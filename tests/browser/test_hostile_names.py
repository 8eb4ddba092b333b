"""Names that would run as a script, wherever the page shows them (S11)."""

import pytest

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
