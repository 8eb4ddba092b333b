"""What becomes of a run's machines when they come, leave and are lost, without a network."""

import threading
import time

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.events import Control, Notice
from imageloom.launch.cluster import members as members_module
from imageloom.launch.cluster.connection import LostError
from imageloom.launch.cluster.member import Member
from imageloom.launch.cluster.members import Members
from imageloom.launch.cluster.notices import Notices
from imageloom.launch.cluster.team import Team, end_to_message
from imageloom.launch.local.blame import RankEnd
from imageloom.spec.scale import Scale

SETTLED = -1.0  # seconds that have always passed
NEVER = 1e9
PLACE = {"MASTER_PORT": "1"}


class Wire:
    """A connection that leads nowhere and knows what was sent."""

    def __init__(self, address):
        self.address = address
        self.sent = []
        self.is_closed = False

    def send(self, kind, **content):
        self.sent.append((kind, content))

    def close(self):
        self.is_closed = True

    @property
    def kinds(self):
        return [kind for kind, _ in self.sent]


class Run:
    """The members of a run, and what a person hears of them."""

    def __init__(self, *, min_nodes=2, max_nodes=2, settle_s=SETTLED):
        team = Team(scale=Scale(min_nodes, max_nodes, 2), settle_s=settle_s)
        self.notices = Notices()
        self.members = Members(team, self.notices)
        self.control = Control(lambda event: self.heard.append(event))
        self.heard = []

    def joined(self, *names):
        machines = [Member(Wire("10.0.0.4"), name) for name in names]
        for machine in machines:
            self.members.join(machine)
        return machines

    def next_round(self):
        return self.members.next_round(time.monotonic(), self.control)

    def training(self, *names):
        """Return the start in which these machines train, and the machines."""
        machines = self.joined(*names)
        started = self.next_round()
        started.start(PLACE)
        return started, *machines

    def told(self):
        self.heard.clear()
        self.notices.tell(self.control)
        return self.heard


def message(kind, start=1, **content):
    return {"kind": kind, "start": start, **content}


def end(rank, start=1, exit_code=-9):
    return message("end", start, **end_to_message(RankEnd(rank, time.time(), exit_code, None)))


@pytest.mark.parametrize(
    ("team", "names", "enough"),
    [
        ({"min_nodes": 3, "max_nodes": 3, "settle_s": NEVER}, ("a",), False),
        ({"min_nodes": 3, "max_nodes": 3, "settle_s": NEVER}, ("a", "b"), True),
        ({"min_nodes": 2, "max_nodes": 3, "settle_s": NEVER}, ("a",), False),
        ({"min_nodes": 2, "max_nodes": 3, "settle_s": SETTLED}, ("a",), True),
        ({"min_nodes": 2, "max_nodes": 3, "settle_s": SETTLED}, (), False),
    ],
)
def test_a_start_begins_with_all_machines_or_when_no_more_came_for_a_while(team, names, enough):
    run = Run(**team)
    run.joined(*names)
    assert (run.next_round() is not None) is enough


def test_a_machine_that_came_just_now_is_waited_for_anew():
    run = Run(min_nodes=2, max_nodes=3, settle_s=60.0)
    run.joined("a")
    assert run.members.next_round(-NEVER, run.control) is None


def test_ranks_are_numbered_in_the_order_of_joining_and_a_spare_machine_has_none():
    run = Run(min_nodes=3, max_nodes=3)
    started, first, second, spare = run.training("a", "b", "c")
    assert started.members == (first, second)
    assert [list(share.ranks) for share in started.shares] == [[0, 1], [2, 3], [4, 5]]
    assert {share.world_size for share in started.shares} == {6}
    sent = second.connection.sent[0]
    assert (sent[0], sent[1]["share"]["first_rank"], sent[1]["place"]) == ("start", 4, PLACE)
    assert spare.connection.sent == []


def test_a_machine_is_a_spare_one_once_all_places_are_taken():
    run = Run()
    assert not run.members.is_full
    (machine,) = run.joined("a")
    assert run.members.is_full
    run.members.lose(machine, "closed the connection")
    assert not run.members.is_full


def test_a_lost_machine_is_named_once_with_its_ranks_and_the_others_hear_of_it():
    run = Run(min_nodes=3, max_nodes=3)
    started, lost, other = run.training("a", "b")
    run.told()
    run.members.lose(lost, "closed the connection")
    run.members.lose(lost, "was silent for 9 s")
    words = "a (10.0.0.4), with ranks 2 to 3 of 6, closed the connection."
    assert run.told() == [Notice("warning", words)]
    assert other.connection.sent[1:] == [("failed", {"start": 1, "blames_others": False})]
    assert lost.connection.kinds == ["start"]
    assert lost.connection.is_closed
    assert started.failed_at is not None
    assert not started.all_blame_others


def test_the_loss_of_a_spare_machine_fails_nothing():
    run = Run()
    started, member, spare = run.training("a", "b")
    run.members.lose(spare, "closed the connection")
    assert started.failed_at is None
    assert member.connection.kinds == ["start"]


def test_a_machine_that_was_lost_before_its_ranks_start_fails_the_start():
    run = Run(min_nodes=3, max_nodes=3)
    lost, other = run.joined("a", "b")
    started = run.next_round()
    run.members.lose(lost, "closed the connection")
    assert started.failed_at is None, "it had no ranks yet"
    started.start(PLACE)
    assert started.failed_at is not None
    assert other.connection.kinds == ["start", "failed"]


def test_what_failed_in_one_start_is_forgotten_in_the_next():
    run = Run(min_nodes=1, max_nodes=3)
    first, lost, other = run.training("a", "b")
    run.members.lose(lost, "closed the connection")
    run.members.hear(other, message("over"))
    run.members.ends_of(first, 0.0)
    second = run.next_round()
    second.start(PLACE)
    assert (second.failed_at, second.all_blame_others, second.change) == (None, True, "")
    assert (second.members, second.token.is_set) == ((other,), False)
    assert other.connection.sent[-1][1]["start"] == 2


def test_nobody_begins_the_next_start_between_the_loss_of_a_machine_and_what_follows_from_it():
    run = Run(min_nodes=1, max_nodes=2)
    started, machine = run.training("a")
    begun, threads = [], []

    def go_on():
        run.members.ends_of(started, 0.0)
        begun.append((run.next_round(), started.failed_at))

    class Interrupted(Notices):
        """Lets the thread that leads run in the middle of it, as long as it can."""

        def say(self, *_words):
            threads.append(threading.Thread(target=go_on))
            threads[0].start()
            threads[0].join(0.2)

    run.members._notices = Interrupted()
    run.members.lose(machine, "closed the connection")
    threads[0].join()
    ((following, failed_at),) = begun
    assert failed_at is not None
    assert following.failed_at is None


def test_a_rank_that_failed_is_told_to_all_but_its_machine():
    run = Run(min_nodes=3, max_nodes=3)
    started, one, other = run.training("a", "b")
    run.members.hear(one, end(2))
    assert one.connection.kinds == ["start"]
    assert other.connection.sent[1:] == [("failed", {"start": 1, "blames_others": False})]
    started.hear(RankEnd(0, time.time(), -9, None))
    assert (one.connection.kinds[1:], other.connection.kinds[1:]) == (["failed"], ["failed"] * 2)
    assert started.failed_at is not None


def test_what_is_said_of_an_earlier_start_is_not_heard():
    run = Run()
    started, machine = run.training("a")
    run.members.hear(machine, end(2, start=0))
    run.members.hear(machine, message("over", start=0))
    assert (started.failed_at, machine.is_done) == (None, False)
    with pytest.raises(LostError, match="no message of ours"):
        run.members.hear(machine, message("end"))


def test_machines_that_join_let_all_save_and_stop_once():
    run = Run(min_nodes=1, max_nodes=4)
    started, machine = run.training("a")
    run.told()
    run.joined("b", "c")
    assert (started.token.asked, started.token.reason) == (1, "a machine that joined")
    stop = ("stop", {"start": 1, "reason": "a machine that joined", "asked": 1, "is_end": False})
    assert set(map(repr, machine.connection.sent[1:])) == {repr(stop)}
    assert started.change == "c (10.0.0.4) joined"
    joined = [Notice("info", f"{name} (10.0.0.4) joined.") for name in "bc"]
    assert run.told() == joined


@pytest.mark.parametrize("team", [{}, {"min_nodes": 1, "max_nodes": 2}])
def test_a_machine_that_is_not_needed_stops_nobody(team):
    run = Run(**team)
    started, machine = run.training("a")
    run.joined("b")
    assert (started.change, started.token.is_set) == ("", False)
    assert machine.connection.kinds == ["start"]


def test_a_machine_that_joins_before_the_ranks_start_lets_those_of_the_others_stop_too():
    run = Run(min_nodes=1, max_nodes=3)
    (machine,) = run.joined("a")
    started = run.next_round()
    run.joined("b")
    assert machine.connection.kinds == []
    started.start(PLACE)
    assert machine.connection.kinds == ["start", "stop"]
    assert machine.connection.sent[1][1]["asked"] == started.token.asked == 1


def test_a_person_who_asks_to_stop_is_passed_on_as_often():
    run = Run()
    started, machine = run.training("a")
    started.look()
    for asked in (1, 2):
        run.control.cancel.set("SIGTERM")
        for _ in range(2):
            started.look()
        assert started.token.asked == asked
    stops = [content for kind, content in machine.connection.sent if kind == "stop"]
    assert [(stop["asked"], stop["is_end"]) for stop in stops] == [(1, True), (2, True)]


@pytest.mark.parametrize(("fewest", "then"), [(1, "go on without it"), (2, "stop")])
def test_a_machine_that_leaves_says_so_once_and_what_follows(fewest, then):
    run = Run(min_nodes=fewest)
    started, machine = run.training("a")
    run.told()
    for _ in range(2):
        run.members.hear(machine, message("leaving", reason="SIGTERM"))
    words = f"a (10.0.0.4), with ranks 2 to 3 of 4, leaves (SIGTERM), so all save and {then}."
    assert run.told() == [Notice("info", words)]
    assert started.change == "a (10.0.0.4) left (SIGTERM)"
    run.members.hear(machine, message("over"))
    run.members.lose(machine, "closed the connection")
    assert started.failed_at is None
    assert run.members.here == []


def test_a_machine_that_is_lost_while_it_leaves_fails_the_start():
    run = Run()
    started, machine = run.training("a")
    run.members.hear(machine, message("leaving", reason="SIGTERM"))
    run.told()
    run.members.lose(machine, "closed the connection")
    words = "a (10.0.0.4), with ranks 2 to 3 of 4, closed the connection."
    assert run.told() == [Notice("warning", words)]
    assert started.failed_at is not None


def test_a_machine_that_joins_when_all_ranks_have_ended_changes_nothing():
    run = Run(min_nodes=1, max_nodes=3)
    started, machine = run.training("a")
    run.members.hear(machine, message("over"))
    assert run.members.ends_of(started, 0.0)
    run.joined("b")
    assert (started.change, started.token.is_set) == ("", False)


def test_a_spare_machine_that_leaves_changes_nothing():
    run = Run()
    started, _, spare = run.training("a", "b")
    run.told()
    run.members.hear(spare, message("leaving", reason="SIGTERM"))
    run.members.lose(spare, "closed the connection")
    assert run.told() == [Notice("info", "b (10.0.0.4) left (SIGTERM).")]
    assert (started.change, started.failed_at) == ("", None)


def test_a_machine_that_does_not_end_its_ranks_is_lost_with_those_it_never_told_of(monkeypatch):
    monkeypatch.setattr(members_module, "_GOODBYE_S", 0.0)
    run = Run()
    started, machine = run.training("a")
    run.told()
    run.members.hear(machine, end(2))
    told, lost = run.members.ends_of(started, 0.0)
    assert (told.rank, told.exit_code, told.lost_with) == (2, -9, "")
    why = "did not end its ranks in 0 s"
    assert (lost.rank, lost.lost_with) == (3, f"a (10.0.0.4) {why}")
    words = f"a (10.0.0.4), with ranks 2 to 3 of 4, {why}."
    assert run.told() == [Notice("warning", words)]
    assert machine.connection.is_closed


@pytest.mark.parametrize(
    ("problem", "state"),
    [(None, "completed"), (EnvironmentUnsuitableError("No."), "stopped"), (OSError(), "stopped")],
)
def test_the_end_is_told_to_all_and_to_who_joins_after_it(monkeypatch, problem, state):
    monkeypatch.setattr(members_module, "_GOODBYE_S", 0.0)
    run = Run()
    _, machine = run.training("a")
    run.told()
    run.members.end(problem)
    (late,) = run.joined("late")
    for one in (machine, late):
        kind, content = one.connection.sent[-1]
        assert (kind, content["state"]) == ("finished", state)
        assert (content["error"] is None) is not isinstance(problem, EnvironmentUnsuitableError)
    run.members.lose(machine, "closed the connection")
    assert run.told() == [], "that all leave then goes without saying"


def test_the_end_waits_for_machines_to_leave_also_for_one_that_joins_meanwhile(monkeypatch):
    monkeypatch.setattr(members_module, "_GOODBYE_S", 60.0)
    run = Run()
    late = Member(Wire("10.0.0.5"), "late")

    def come_and_leave():
        run.members.join(late)
        run.members.lose(machine, "closed the connection")
        run.members.lose(late, "closed the connection")

    class LastWire(Wire):
        """Lets another machine come as soon as this one hears of the end."""

        def send(self, kind, **content):
            super().send(kind, **content)
            threading.Thread(target=come_and_leave).start()

    machine = Member(LastWire("10.0.0.4"), "a")
    run.members.join(machine)
    run.members.end(None)
    assert late.lost
    assert late.connection.kinds == ["finished"]
