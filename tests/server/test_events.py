"""What a page follows goes on after a break where it was: no gap, nothing twice (J09)."""

import json

from imageloom.pipeline.run_record import NodeFacts
from imageloom.server.app import create_app
from imageloom.server.topics import Topics
from imageloom.spec.node_state import NodeState, RunState

from .asking_at_once import Asking, at_once
from .conftest import HOME
from .made_run import made_run


def followed(run):
    return f"/api/events?runs=false&run={run.id}"


def test_who_comes_back_is_sent_what_changed_meanwhile_and_nothing_else(page, studio):
    one, other = made_run(studio), made_run(studio, "20261101-120000-0002")

    async def body(ask):
        address = f"{followed(one)}&run={other.id}"
        first = ask(address)
        seen = {}
        for _ in range(2):
            _, mark, content = await first.event()
            seen[content["run"]] = content
        await first.drop()
        one.append_node("a", NodeFacts(state=NodeState.FAILED, time=3.0, message="gone"))
        again = ask(address, **{"last-event-id": mark})
        _, mark, content = await again.event()
        assert content["run"] == one.id
        assert content["position"] > seen[one.id]["position"]
        assert content["nodes"]["a"]["message"] == "gone"
        other.append_node("a", NodeFacts(state=NodeState.FAILED, time=4.0, message="also gone"))
        _, mark, content = await again.event()
        return content["run"], sorted(json.loads(mark)), content["nodes"]["a"]["message"]

    run, topics, message = at_once(page, body)
    assert (run, message) == (other.id, "also gone")
    assert topics == [f"run {one.id}", f"run {other.id}"]


def test_positions_that_a_page_was_told_leave_no_gap_over_many_breaks(page, studio):
    """Each event ends a read; every line is in just one of them, whichever breaks there were."""
    run = made_run(studio)

    async def body(ask):
        mark, positions, messages = "{}", [], []
        for number in range(20):
            text = f"line {number}"
            run.append_node("a", NodeFacts(state=NodeState.WAITING, time=5.0, message=text))
            stream = ask(followed(run), **{"last-event-id": mark})
            _, mark, content = await stream.event()
            positions.append(content["position"])
            messages.append(content["nodes"]["a"]["message"])
            await stream.drop()
        return positions, messages

    positions, messages = at_once(page, body)
    assert messages == [f"line {number}" for number in range(20)]
    assert positions == sorted(set(positions))
    assert positions[-1] == run.states_file.stat().st_size


def test_another_server_on_the_workspace_goes_on_from_the_last_id(page, studio, access):
    run = made_run(studio)
    other = create_app(studio, access)

    async def body(ask):
        _, mark, _ = await ask(followed(run)).event()
        run.append_run(RunState.INTERRUPTED)
        headers = {"authorization": f"Bearer {access.token}", "last-event-id": mark}
        stream = Asking(other, followed(run), headers)
        try:
            return (await stream.event())[2]["state"]
        finally:
            await stream.drop()

    assert at_once(page, body) == "interrupted"


def test_an_id_that_is_none_of_ours_is_taken_for_none(page, studio):
    run = made_run(studio)
    ids = [
        "x",
        "[]",
        "7",
        "null",
        '{"run": {"a": []}}',
        "{" * 1_000,
        '{"__proto__": 1}',
        "9" * 5_000,
        "[" * 50_000,
    ]

    async def body(ask):
        return [
            (await ask(followed(run), **{"last-event-id": one}).event())[2]["run"] for one in ids
        ]

    assert at_once(page, body) == [run.id] * len(ids)


def test_a_thousand_pages_that_come_back_at_once_are_one_look_and_leave_nothing(
    page, studio, monkeypatch
):
    run = made_run(studio)
    topics = Topics()
    page.app.state.topics = topics

    async def body(ask):
        for _ in range(10):
            pages = [ask(followed(run)) for _ in range(100)]
            assert {(await one.event())[2]["run"] for one in pages} == {run.id}
            assert len(topics._topics) == 1
            for one in pages:
                await one.drop()
        return dict(topics._topics)

    assert at_once(page, body) == {}


def test_no_proxy_is_to_keep_events_back(page, studio):
    run = made_run(studio)

    async def body(ask):
        stream = ask(followed(run))
        await stream.event()
        return stream.headers

    headers = at_once(page, body)
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] in ("no-store", "no-cache")
    assert headers["x-accel-buffering"] == "no"
    assert HOME not in str(headers)
