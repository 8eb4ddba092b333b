"""The report of a run shows every node, says what to do, and loads nothing."""

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from imageloom.events import Metric
from imageloom.files.event_lines import EventWriter
from imageloom.pipeline.run_folder import RunFolder
from imageloom.resume_command import Resume
from imageloom.run_report.write import run_page, write_run_report
from imageloom.spec.job import ERROR_FILE, EVENTS_FILE, LOG_FILE
from imageloom.spec.node_state import NodeState, RunState

from .made_runs import EARLIER, NODES, RUN, made_facts, made_record, made_view


class Page(HTMLParser):
    """The texts, links and tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str] = []
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.links += [values[key] for key in ("href", "src") if key in values]
        if "id" in values:
            self.ids.add(values["id"])
        if tag == "details" and "open" in values:
            self.open.append(values.get("id", ""))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(run_page(made_view()))


@pytest.mark.parametrize("state", list(NodeState))
def test_every_state_is_told_in_words_and_not_by_colour_alone(state):
    facts = {"photos": made_facts()["photos"].model_copy(update={"state": state})}
    page = Page(run_page(made_view(nodes=facts)))
    assert page.text.count(state.value) >= 3  # the graph, the table and the node's own part


def test_every_node_has_a_box_a_row_and_a_part_that_links_lead_to(page):
    for node in NODES:
        assert page.text.count(node) >= 3
        assert f"node-{node}" in page.ids
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside <= page.ids


def test_a_failure_tells_what_where_why_and_the_command_that_goes_on(page):
    for words in (
        "InvalidDatasetError (0018)",
        "The classes <b>differ</b>",
        "Add pictures of ants.",
    ):
        assert words in page.text
    assert f"imageloom run --resume {RUN}" in page.text
    assert "node-train" in page.open


def test_a_training_that_goes_on_by_itself_has_its_command_at_the_node():
    facts = made_facts()
    error = facts["train"].error | {"resume": Resume("/w/run", more=("--root", "NEW")).to_json()}
    facts["train"] = facts["train"].model_copy(update={"error": error})
    text = Page(run_page(made_view(nodes=facts))).text
    assert text.count("imageloom train --resume /w/run --root NEW") == 1


def test_the_command_that_goes_on_works_from_any_folder():
    view = dataclasses.replace(made_view(), workspace="/home/you/my runs")
    command = f"imageloom run --resume {RUN} --workspace '/home/you/my runs'"
    assert command in Page(run_page(view)).text


def test_a_completed_run_is_not_to_be_resumed():
    page = Page(run_page(made_view(state=RunState.COMPLETED)))
    assert "--resume" not in page.text


def test_a_cached_node_links_to_the_run_that_made_it(page):
    assert f"../{EARLIER}/report.html#node-pictures" in page.links


def test_what_a_person_gave_is_set_apart_from_defaults():
    html = run_page(made_view())
    part = html.split('id="node-train"')[1].split('id="node-score"')[0]
    assert "<td><b>9</b></td>" in part
    assert "<td><bdi>1</bdi></td>" in part


def test_nothing_from_names_or_logs_becomes_markup_and_nothing_is_loaded():
    html = run_page(made_view(record=made_record(name="<img src=x onerror=alert(1)>")))
    page = Page(html)
    assert page.tags.count("script") == 1  # our own, allowed by its hash
    assert "img" not in page.tags
    assert "line two <script>alert(1)</script>" in page.text
    assert "<img src=x onerror=alert(1)>" in page.text
    assert not [link for link in page.links if re.match(r"[a-z]+:|//", link)]


def test_metrics_become_curves_and_without_any_there_is_no_section():
    assert "How training went" in Page(run_page(made_view())).text
    assert "How training went" not in Page(run_page(made_view(files={}))).text


def test_nodes_that_are_not_wanted_are_left_out():
    page = Page(run_page(made_view(record=made_record(wanted=("photos", "images")))))
    assert "node-train" not in page.ids


def test_the_report_is_made_from_the_files_of_a_run(tmp_path):
    run = RunFolder(tmp_path / "runs" / RUN)
    run.create(made_record())
    for node, facts in made_facts().items():
        run.append_node(node, facts)
    run.append_run(RunState.FAILED)
    folder = run.node_folder("train")
    writer = EventWriter(folder / EVENTS_FILE)
    for epoch in (1, 2):
        writer(Metric("Valid loss", 0.5 / epoch, epoch, epoch))
    writer.close()
    log = folder / LOG_FILE
    log.parent.mkdir()
    log.write_text("".join(f"line {number}\n" for number in range(100)), encoding="utf-8")
    (folder / ERROR_FILE).write_text("{}", encoding="utf-8")
    earlier = RunFolder(run.path.with_name(EARLIER)).node_folder("pictures")
    (earlier / LOG_FILE).parent.mkdir(parents=True)
    (earlier / LOG_FILE).write_text("made earlier\n", encoding="utf-8")

    page = Page(write_run_report(run).read_text(encoding="utf-8"))

    assert "line 99" in page.text
    assert "line 59" not in page.text  # only the last 40 lines are shown
    assert "made earlier" in page.text
    assert "How training went" in page.text
    for link in page.links:
        if "/" in link and not link.endswith("report.html#node-pictures"):
            assert (run.path / link).exists(), link
    assert f"nodes/train/{LOG_FILE}" in page.links
    assert f"../{EARLIER}/nodes/pictures/{LOG_FILE}" in page.links


def test_a_thousand_nodes_fit_into_a_report():
    nodes = [{"id": f"n{number}", "component": "dataset"} for number in range(1000)]
    edges = [{"from": f"n{n // 2}.dataset", "to": f"n{n}.dataset"} for n in range(1, 1000)]
    content = {"format_version": 2, "kind": "pipeline", "name": "big", "nodes": nodes}
    record = made_record(
        pipeline=content | {"edges": edges}, wanted=tuple(n["id"] for n in nodes), resolved={}
    )
    page = Page(run_page(made_view(record=record, nodes={}, files={})))
    assert {f"node-n{number}" for number in range(1000)} <= page.ids
