"""Toy ranks on several toy machines of one kernel: who leads, who is lost, who comes back."""

import os
import re
import resource
import signal
import socket

import pytest
from tests.launch.toy_machines import FIXED, WAIT, Machines, team_of, two

from imageloom.events import Control
from imageloom.launch.cluster.connection import Connection, listen
from imageloom.launch.cluster.machines import Machine
from imageloom.launch.cluster.rendezvous import LeaderAddress, MeetingPlace
from imageloom.launch.cluster.team import Hall, Team
from imageloom.spec.scale import Scale
from imageloom.training.run.directory import RunDirectory

ELASTIC = FIXED | {"min_nodes": 1}
THREE = ELASTIC | {"max_nodes": 3}
SAVE = {str(rank): ["save:mark"] for rank in range(4)}


@pytest.fixture
def machines(tmp_path, wait_until):
    machines = Machines(tmp_path, wait_until)
    yield machines
    machines.end(wait_until)


def test_the_command_that_goes_on_names_the_machines_also_where_the_folder_is_quoted(tmp_path):
    run = tmp_path / "my run"
    hall = Hall(None, MeetingPlace(run), None, None, address="127.0.0.1")
    team = Team(scale=Scale(2, 2, 3), wait_s=1.0)
    machine = Machine(None, hall, team, control=Control())
    resume = RunDirectory(run).resume.knowing(launch=machine._launch().resume_words)
    words = "--nodes 2 --processes-per-node 3 --interface lo --wait-for-nodes 1"
    assert resume.command == f"imageloom train --resume '{run}' {words}"


@pytest.mark.slow
def test_two_machines_share_the_ranks_and_all_end_well(machines):
    leader, follower = two(machines, FIXED)
    assert (machines.code(leader), machines.code(follower)) == (0, 0)
    assert [machines.log(rank) for rank in range(4)] == [
        f"rank {rank} of 4, start 1\n" for rank in range(4)
    ]
    assert "rank 0 speaks" in machines.said(leader)
    assert "Training as ranks 2 to 3 of 4." in machines.said(follower)
    assert MeetingPlace(machines.run).find() is None


@pytest.mark.slow
def test_each_machine_divides_its_cores_among_the_ranks_that_the_leader_gives_it(
    machines, monkeypatch
):
    monkeypatch.delenv("OMP_NUM_THREADS")
    leader, follower = two(machines, FIXED, {str(rank): ["threads"] for rank in range(4)})
    assert (machines.code(leader), machines.code(follower)) == (0, 0)
    told = {(machines.toys / f"threads_{rank}").read_text() for rank in range(4)}
    assert told == {str(max(1, len(os.sched_getaffinity(0)) // 2))}


@pytest.mark.slow
@pytest.mark.parametrize("rank", range(4))
@pytest.mark.parametrize("word", ["kill:9", "raise"])
def test_the_first_failing_rank_is_named_on_both_machines(machines, rank, word):
    plan = {str(other): [f"lost:{rank}"] for other in range(4)} | {str(rank): [word]}
    leader, follower = two(machines, FIXED, plan)
    assert (machines.code(leader), machines.code(follower)) == (1, 1)
    words = {
        "kill:9": f"WorkerLostError: Rank {rank} of 4 was killed by signal 9 (SIGKILL).",
        "raise": f"LibraryError: Rank {rank} of 4: ValueError: a fault of this rank alone",
    }
    for process in (leader, follower):
        assert machines.said(process).splitlines()[-1] == words[word]


@pytest.mark.slow
def test_a_rank_that_hangs_on_another_machine_is_named(machines):
    plan = {"0": ["out:0.1"], "1": ["out:0.1"], "2": ["out:0.1"], "3": ["deaf"]}
    leader, _ = two(machines, FIXED, plan)
    assert machines.code(leader) == 1
    assert "WorkerLostError: Rank 3 of 4 did not go on" in machines.said(leader)
    assert "behave" in machines.log(3)


@pytest.mark.slow
def test_a_killed_rank_is_started_again_on_all_machines(machines):
    plan = {"3": ["kill:9"], **{str(rank): ["lost:3"] for rank in range(3)}}
    leader, follower = two(machines, FIXED | {"max_restarts": 1}, plan)
    assert (machines.code(leader), machines.code(follower)) == (0, 0)
    assert machines.log(3) == "rank 3 of 4, start 1\nrank 3 of 4, start 2\n"
    assert "(restart 1 of 1)" in machines.said(leader)


@pytest.mark.slow
def test_a_lost_machine_is_named_with_its_ranks(machines):
    leader, follower = two(machines, FIXED, WAIT)
    machines.wait_for_ranks(4)
    follower.kill()
    assert machines.code(leader) == 1
    said = machines.said(leader)
    assert ", with ranks 2 to 3 of 4, closed the connection." in said
    assert "WorkerLostError: Rank 2 of 4 was lost with its machine: host-" in said


@pytest.mark.slow
def test_without_a_machine_the_others_go_on_and_it_may_come_back(machines):
    leader, follower = two(machines, ELASTIC, WAIT)
    machines.wait_for_ranks(4)
    follower.kill()
    machines.wait_for(leader, "Info: All ranks go on from the last checkpoint: host-")
    assert "(127.0.0.1) closed the connection.\n" in machines.said(leader)
    machines.wait_until(lambda: "rank 0 of 2, start 2" in machines.log(0), "it did not go on")


@pytest.mark.slow
def test_a_machine_that_joins_is_taken_in(machines):
    leader = machines.start(ELASTIC, WAIT)
    machines.wait_for_ranks(2)
    follower = machines.start(ELASTIC, WAIT, address="")
    assert (machines.code(leader), machines.code(follower)) == (0, 0)
    said = machines.said(leader)
    assert "or training starts with those that are there when none came for 1 s. On each: " in said
    joined = re.search(r"host-\d+ \(127\.0\.0\.1\) joined", said).group()
    assert f"Info: All ranks go on from the last checkpoint: {joined}.\n" in said
    assert sorted(path.name for path in machines.toys.glob("saved_*")) == ["saved_0", "saved_1"]
    assert "rank 3 of 4, start 2" in machines.log(3)


@pytest.mark.slow
def test_two_machines_that_join_at_once_let_the_ranks_save(machines):
    leader = machines.start(THREE, SAVE)
    machines.wait_for_ranks(2)
    others = [machines.start(THREE, SAVE, address="") for _ in range(2)]

    def joined():
        return set(re.findall(r"(host-\d+) \(127\.0\.0\.1\) joined", machines.said(leader)))

    machines.wait_until(lambda: len(joined()) == 2, "they did not join")
    machines.wait_for_file("asked_0")
    (machines.toys / "mark").touch()
    assert [machines.code(one) for one in (leader, *others)] == [0, 0, 0]
    assert len(list(machines.toys.glob("saved_*"))) == 2
    assert "ended by the launcher" not in machines.said(leader)


@pytest.mark.slow
def test_who_stops_the_run_while_it_saves_for_a_machine_that_joined_stops_it_everywhere(machines):
    team = THREE | {"min_nodes": 2}
    leader, follower = two(machines, team, SAVE)
    machines.wait_for_ranks(4)
    machines.start(team, SAVE, address="")
    for rank in range(4):
        machines.wait_for_file(f"asked_{rank}")
    leader.terminate()
    machines.wait_for(leader, "SIGTERM was passed on to the other machines.")
    (machines.toys / "mark").touch()
    assert (machines.code(leader), machines.code(follower)) == (1, 1)
    assert machines.said(leader).splitlines()[-1] == "RunInterruptedError: Stopped by SIGTERM."
    assert len(list(machines.toys.glob("saved_*"))) == 4


@pytest.mark.slow
def test_a_machine_that_is_lost_before_its_ranks_start_is_named_at_once(machines):
    leader, follower = two(machines, FIXED, WAIT, slow="store")
    machines.wait_for_file("at_store")
    follower.kill()
    machines.wait_for(leader, "closed the connection")
    machines.go_on_after("store")
    assert machines.code(leader) == 1
    assert "was lost with its machine: host-" in machines.said(leader).splitlines()[-1]


@pytest.mark.slow
def test_a_machine_that_looks_at_its_pictures_while_the_run_ends_hears_of_it(machines):
    leader, _ = two(machines, FIXED, slow="end")
    late = machines.start(FIXED, address="", facts={"slow": "facts"})
    machines.wait_for_file("at_facts")
    machines.wait_for_file("at_end")
    machines.go_on_after("facts")
    assert machines.code(late) == 0
    machines.go_on_after("end")
    assert machines.code(leader) == 0


@pytest.mark.slow
def test_machines_may_still_join_after_the_leader_had_no_more_files(machines):
    leader = machines.start(FIXED)
    machines.wait_for(leader, "Waiting for 1 more machine")
    known = MeetingPlace(machines.run).find()
    before = resource.prlimit(leader.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(leader.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    # The kernel has a file ready for the first who comes.
    with socket.create_connection((known.address, known.port)):
        machines.wait_for(leader, "A machine could not be let in: [Errno 24] Too many open files.")
    resource.prlimit(leader.pid, resource.RLIMIT_NOFILE, before)
    follower = machines.start(FIXED, address="")
    assert (machines.code(leader), machines.code(follower)) == (0, 0)


@pytest.mark.parametrize(
    ("team", "start", "reason"),
    [
        ({"nodes": 2}, 1, "The machine that leads the run has another version of Imageloom."),
        (team_of(FIXED), "one", "sent something that is no message of ours"),
    ],
)
def test_a_leader_of_another_version_is_given_up_with_a_reason(machines, team, start, reason):
    place = MeetingPlace(machines.run)
    with place.leading("a leader that others do not understand"), listen("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        place.announce(LeaderAddress(address="127.0.0.1", port=port, token="0" * 32))
        follower = machines.start(FIXED | {"wait_s": 1.0}, address="")
        connection = Connection(door.accept()[0], "0" * 32, is_server=True)
        connection.send("welcome", run=str(machines.run), team=team)
        connection.send("start", start=start, share={}, place={})
        machines.wait_for(follower, reason)
        connection.close()


@pytest.mark.slow
def test_a_machine_that_is_asked_to_stop_leaves_and_the_others_go_on(machines):
    leader, follower = two(machines, ELASTIC, WAIT)
    machines.wait_for_ranks(4)
    # Its own ranks hear of it, and in a real run they tell the others.
    follower.terminate()
    for process in machines.rank_processes(leader):
        process.terminate()
    assert machines.code(follower) == 1
    assert "RunInterruptedError: Stopped by SIGTERM" in machines.said(follower)
    assert machines.code(leader) == 0
    said = machines.said(leader)
    assert "with ranks 2 to 3 of 4, leaves (SIGTERM), so all save and go on without it." in said
    assert re.search(r"Info: All ranks go on from .*: host-.* left \(SIGTERM\)\.\n", said)


@pytest.mark.slow
def test_stopping_the_leader_saves_everywhere_and_ends_all(machines):
    leader, follower = two(machines, ELASTIC, WAIT)
    machines.wait_for_ranks(4)
    leader.terminate()
    assert machines.code(leader) == 1
    assert machines.said(leader).splitlines()[-1] == "RunInterruptedError: Stopped by SIGTERM."
    assert machines.code(follower) == 1
    assert len(list(machines.toys.glob("saved_*"))) == 4


@pytest.mark.slow
def test_a_leader_that_is_stopped_at_once_is_not_replaced(machines):
    deaf = {str(rank): ["deaf"] for rank in range(4)}
    leader, follower = two(machines, ELASTIC, deaf)
    machines.wait_for_ranks(4)
    leader.terminate()
    machines.wait_for(follower, "SIGTERM: all ranks are asked to save and stop.")
    leader.kill()
    assert machines.code(follower) == 1
    last = "RunInterruptedError: Stopped by SIGTERM on the machine that led the run, which is gone."
    assert machines.said(follower).splitlines()[-1] == last


@pytest.mark.slow
def test_one_machine_more_than_needed_is_told_what_it_waits_for(machines):
    leader, _ = two(machines, FIXED, WAIT)
    machines.wait_for_ranks(4)
    spare = machines.start(FIXED, address="")
    machines.wait_for(spare, "there are enough machines, so this one waits until one is lost.")
    spare.terminate()
    assert machines.code(spare) == 1
    machines.wait_for(leader, "left (SIGTERM).")
    assert leader.poll() is None


@pytest.mark.slow
def test_a_machine_that_finds_no_leader_says_that_it_waits(machines):
    follower = machines.start(FIXED, address="")
    machines.wait_for(follower, f"Waiting for a machine that leads {machines.run}.")


@pytest.mark.slow
def test_a_machine_that_cannot_reach_its_leader_says_where_and_why(machines):
    place = MeetingPlace(machines.run)
    place.announce(LeaderAddress(address="127.0.0.1", port=1, token="key"))
    follower = machines.start(FIXED, address="")
    words = f"leads {machines.run}; none is at 127.0.0.1:1 now: connection refused."
    machines.wait_for(follower, f"Waiting for a machine that {words}")
    with place.leading("process 7 at 127.0.0.1"):
        other = machines.start(FIXED, address="")
        words = "cannot be reached at 127.0.0.1:1: connection refused. Trying for 30 s in all."
        machines.wait_for(other, f"The machine that leads {machines.run} {words}")


@pytest.mark.slow
def test_a_machine_that_loses_its_leader_leads(machines):
    leader, follower = two(machines, ELASTIC, WAIT)
    machines.wait_for_ranks(4)
    known = MeetingPlace(machines.run).find()
    leader.kill()
    assert machines.code(follower) == 0
    assert "The machine that led the run, 127.0.0.1, closed the connection." in machines.said(
        follower
    )
    assert "rank 0 of 2, start 2" in machines.log(0)
    assert known is not None


@pytest.mark.slow
def test_a_lost_leader_comes_back_and_follows(machines):
    leader, follower = two(machines, FIXED | {"max_restarts": 1}, WAIT)
    machines.wait_for_ranks(4)
    leader.kill()
    machines.wait_for(follower, "Waiting for 1 more machine")
    again = machines.start(FIXED, WAIT)
    assert (machines.code(again), machines.code(follower)) == (0, 0)
    assert "Training as ranks 2 to 3 of 4." in machines.said(again)


@pytest.mark.slow
def test_a_machine_that_is_silent_is_lost(machines):
    leader, follower = two(machines, FIXED, WAIT)
    machines.wait_for_ranks(4)
    os.kill(follower.pid, signal.SIGSTOP)
    try:
        assert machines.code(leader) == 1
        assert "was silent for 9 s" in machines.said(leader)
    finally:
        for process in machines.rank_processes(follower):
            process.kill()
        os.kill(follower.pid, signal.SIGKILL)


def test_a_machine_that_differs_is_refused_with_the_reason(machines):
    leader = machines.start(FIXED, facts={"torch": "2.15"})
    machines.wait_for(leader, "Waiting for 1 more machine")
    other = machines.start(FIXED, address="", facts={"torch": "2.10"})
    assert machines.code(other) == 1
    words = "torch is 2.10, not 2.15."
    assert f"EnvironmentUnsuitableError: {words}" in machines.said(other)
    machines.wait_for(leader, f"(127.0.0.1) cannot take part: {words}")


@pytest.mark.slow
def test_too_few_machines_end_the_wait_with_both_numbers(machines):
    leader = machines.start(FIXED | {"wait_s": 1.0})
    assert machines.code(leader) == 1
    said = machines.said(leader)
    assert "TimeoutOccuredError: 1 of at least 2 machines were there after 1 s" in said
    hint = next(line for line in said.splitlines() if line.startswith("Hint: "))
    run = f"imageloom train --resume {machines.run} --nodes 2 --processes-per-node 2"
    assert f"\nGo on with: {run} --interface lo --wait-for-nodes 1\n" in said
    known = MeetingPlace(machines.run).find()
    assert known is not None
    assert known.token not in hint, "the error is kept in the run directory, for all to read"


@pytest.mark.slow
def test_without_a_leader_a_machine_gives_up(machines):
    follower = machines.start(FIXED | {"wait_s": 1.0}, address="")
    assert machines.code(follower) == 1
    assert (
        "TimeoutOccuredError: The machine that leads the run did not answer for 1 s: nobody "
        in (machines.said(follower))
    )
