"""Disturb two ranks that really train at every point in turn; print what each said, and the end.

Usage: PYTHONPATH=tests/faults python forked_ranks.py FOLDER [SIGNALS]

Ranks are forks of this process, which has imported torch already, and their network is tiny: a life
of two ranks takes a second. This process itself computes nothing, so that forking it is safe.
One JSON line per life, by the scenario that it belongs to, and one for the end of each scenario.

Scenarios: ``kill`` (SIGKILL to one rank, then both start again), ``ask`` (one rank is asked to save
and stop), ``raise`` (the picture reader of one rank fails), ``damage`` (the newest checkpoint),
``held`` (somebody else writes the run), ``versions`` (the run began with another torch) and
``sizes`` (2, then 1, then 4, then 2 processes) and ``chaos`` (one of 4 ranks is killed at a random
moment, again and again). With SIGNALS only this: so many times SIGTERM reaches one rank or both at
a random moment, until the run is completed; and again with another run. With SIGNALS below 0: so
many kills of ``chaos``.
"""

import atexit
import contextlib
import gc
import hashlib
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from tiny_family import tiny_pictures

from imageloom.distributed.group import Group
from imageloom.distributed.ranks import ranks_from_environment
from imageloom.distributed.store import hosted_store
from imageloom.errors import InvalidDatasetError
from imageloom.events import CancelToken, Control
from imageloom.launch.local.blame import RankEnd, first_failure
from imageloom.launch.local.report import read_answer
from imageloom.launch.rank import EXIT_CODES, answer_for
from imageloom.models.params import ModelParams
from imageloom.system.pandas_left_out import leave_pandas_out
from imageloom.training import execute, label_kinds
from imageloom.training.checkpoints import checkpoint, saver
from imageloom.training.checkpoints.checkpoint import newest_checkpoint
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import read_metrics
from imageloom.training.step import Stepper
from imageloom.training.train import NewRun, continue_run, prepare_run

STEPS_PER_EPOCH = 6
PARAMS = TrainParams(
    epochs=2, batch_size=4, precision="float32", device="cpu", workers=0, print_frequency=1
)
LIMIT_S = 60.0
CHAOS_KILLS = 5

# What is done, to which rank, and where. Steps are those of a life. Nothing is saved before the
# end of the first epoch, so a killed run is there again and again until its barrier is passed.
KILLS = [
    *(
        (point, rank)
        for point in ("start", "step 1", "step 2", "step 3", "step 4")
        for rank in (0, 1)
    ),
    *((point, rank) for point in ("validation", "save") for rank in (1, 0)),
    ("barrier", 0),
    *((point, rank) for point in ("step 6", "save") for rank in (0, 1)),
    ("barrier", 1),
    ("finish", 0),
]
ASKS = [
    *(("start", 1), ("step 1", 0), ("step 1", 1), ("validation", 1), ("save", 0)),
    *(("start", 0), ("step 2", 1), ("validation", 0)),
]
RAISES = [("reader", 0), ("reader", 1)]


def before(owner: object, name: str, action: Callable[[], None], *, call: int = 1) -> None:
    """Have an action done before the n-th call of a function."""
    real, seen = getattr(owner, name), 0

    def called(*arguments: object, **named: object) -> object:
        nonlocal seen
        seen += 1
        if seen == call:
            action()
        return real(*arguments, **named)

    setattr(owner, name, called)


def arrange(point: str, rank: int, action: Callable[[], None]) -> None:
    """Have an action done at a point of the training that this process, a rank, is about to do."""
    if point.startswith("step "):  # after the backward pass, before the update
        before(Stepper, "_gradient_norm", action, call=int(point.removeprefix("step ")))
    elif point == "start":
        before(execute, "joined_group", action)
    elif point == "validation":  # after the first batch
        before(label_kinds, "score_sums", action)
    elif point == "save" and rank == 0:  # one of the files is there
        before(checkpoint, "_save", action, call=2)
    elif point == "save":
        before(saver, "generators_of_process", action)
    elif point == "barrier":  # the checkpoint is there, and the other rank may know or not
        before(Group, "barrier", action)
    elif point == "finish":
        before(execute, "finish", action)
    elif point == "reader":
        before(torch, "stack", action, call=3)
    else:
        raise AssertionError(point)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    raise InvalidDatasetError("The picture red/003.png is gone.", hint="Restore it.")


def forked(body: Callable[[], int]) -> int:
    """Return the number of a child that does something and leaves with its answer."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = body()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


@contextlib.contextmanager
def store() -> Iterator[dict[str, str]]:
    """Keep a store in a process of its own, so that this one stays without threads."""
    told, end = os.pipe(), os.pipe()

    def keep() -> int:
        os.close(end[1])
        with hosted_store() as place:
            os.write(told[1], json.dumps(place).encode())
            os.read(end[0], 1)
        return 0

    child = forked(keep)
    os.close(end[0])
    yield json.loads(os.read(told[0], 10_000))
    os.close(end[1])
    os.waitpid(child, 0)
    for descriptor in told:
        os.close(descriptor)


def live(
    run: Path,
    disturb: Callable[[int, CancelToken], None],
    *,
    world_size: int = 2,
    others_s: float = LIMIT_S,
) -> list[RankEnd]:
    """Let ranks go on with a run; return how each of them ended.

    Those that still run so long after one has ended are ended, as the launcher does.
    """
    with store() as place, tempfile.TemporaryDirectory() as answers:

        def work_as(rank: int) -> int:
            own = {"RANK": rank, "WORLD_SIZE": world_size, "LOCAL_WORLD_SIZE": world_size}
            os.environ.update({**place, **{name: str(number) for name, number in own.items()}})
            cancel = CancelToken()
            ranks = ranks_from_environment(os.environ)

            def work(control):
                continue_run(run, ranks=ranks, control=control)

            disturb(rank, cancel)
            return EXIT_CODES[answer_for(work, Path(answers), rank, cancel=cancel).state]

        children = [forked(lambda rank=rank: work_as(rank)) for rank in range(world_size)]
        return ends_of(children, Path(answers), others_s)


def ends_of(children: list[int], answers: Path, others_s: float) -> list[RankEnd]:
    bells = {os.pidfd_open(child): rank for rank, child in enumerate(children)}
    ends: list[RankEnd] = []
    while bells:
        rung, _, _ = select.select(list(bells), [], [], others_s if ends else LIMIT_S)
        now, by_us = time.time(), not rung
        for bell in rung or list(bells):
            rank = bells.pop(bell)
            if by_us:
                signal.pidfd_send_signal(bell, signal.SIGKILL)
            os.close(bell)
            status = os.waitstatus_to_exitcode(os.waitpid(children[rank], 0)[1])
            answer = read_answer(answers, rank)
            ends.append(RankEnd(rank, now, None if by_us else status, answer))
    return sorted(ends, key=lambda end: end.rank)


def undisturbed(_rank: int, _cancel: CancelToken) -> None:
    pass


def facts(run: Path, ends: list[RankEnd]) -> dict[str, object]:
    """Return what ranks said, and what a person finds."""
    first = first_failure(ends)
    newest, _, passed_over = newest_checkpoint(RunDirectory(run).checkpoints)
    errors = [end.answer.error if end.answer and end.answer.error else {} for end in ends]
    return {
        "first": None if first is None else first.rank,
        "codes": [end.exit_code for end in ends],
        "errors": [error.get("type", "") for error in errors],
        "reasons": [error.get("reason", "") for error in errors],
        "stopped_by": [error.get("details", {}).get("stopped_by", "") for error in errors],
        "own": [end.is_own_error for end in ends],
        "state": RunDirectory(run).read().state,
        "newest": newest.name,
        "passed_over": passed_over,
        "left": sum(1 for path in run.rglob("*") if ".partial" in path.name),
    }


def end_of(run: Path) -> dict[str, object]:
    content = (run / "model" / "weights.safetensors").read_bytes()
    losses = {
        name: [one.value for one in read_metrics(run / "events.jsonl") if one.name == name]
        for name in ("Train loss", "Valid loss", "learning rate")
    }
    return {"weights": hashlib.sha256(content).hexdigest(), **losses}


def say(**row: object) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def prepared(folder: Path, name: str, network: str = "tiny", processes: int = 2) -> Path:
    """Return a run that has not begun."""

    def prepare() -> int:
        pictures = tiny_pictures(folder / "training", 16, 0), tiny_pictures(folder / "valid", 7, 1)
        dropout = ModelParams(dropout=0.3 if network == "tiny" else 0.0)
        new = NewRun(network, *pictures, folder / name, params=PARAMS, model_params=dropout)
        prepare_run(new, processes=processes, control=Control())
        return 0

    assert os.waitpid(forked(prepare), 0)[1] == 0
    return folder / name


def disturbed(folder: Path, scenario: str, plan: list[tuple[str, int]]) -> None:
    """Disturb one run at each point in turn, and let it go on to its end."""
    run = prepared(folder, scenario)
    for point, victim in plan:

        def disturb(rank: int, cancel: CancelToken, point=point, victim=victim) -> None:
            if rank == victim:
                actions = {"kill": kill, "ask": lambda: cancel.set("SIGTERM"), "raise": refuse}
                arrange(point, rank, actions[scenario])

        # Before they have met, a rank cannot see that another one has ended.
        ends = live(
            run, disturb, others_s=0.0 if (scenario, point) == ("kill", "start") else LIMIT_S
        )
        say(scenario=scenario, point=point, rank=victim, **facts(run, ends))
    ends = live(run, undisturbed)
    say(scenario=scenario, point="end", **facts(run, ends), **end_of(run))


def stop_at_step_2(rank: int, cancel: CancelToken) -> None:
    if rank == 0:
        arrange("step 2", rank, lambda: cancel.set("SIGTERM"))


def damage(folder: Path) -> None:
    """Flip a bit of the newest checkpoint of a run that was stopped twice."""
    run = prepared(folder, "damage")
    live(run, stop_at_step_2)
    live(run, stop_at_step_2)
    file = sorted((run / "checkpoints").iterdir())[-1] / "optimizer.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    ends = live(run, undisturbed)
    log = RunDirectory(run).log.read_text(encoding="utf-8")
    say(scenario="damage", log=log, **facts(run, ends), **end_of(run))


def held(folder: Path) -> None:
    """Start ranks on a run that another process writes."""
    run = prepared(folder, "held")
    record = RunDirectory(run).record.read_bytes()
    with RunDirectory(run).locked():
        ends = live(run, undisturbed, others_s=0.0)
    untouched = record == RunDirectory(run).record.read_bytes()
    say(scenario="held", untouched=untouched, **facts(run, ends))


def versions(folder: Path) -> None:
    """Go on with a run that says that it began with another torch."""
    run = RunDirectory(prepared(folder, "versions"))
    run.update(versions={**run.read().versions, "torch": "2.0.1"})
    ends = live(run.path, undisturbed)
    say(scenario="versions", log=run.log.read_text(encoding="utf-8"), **facts(run.path, ends))


def sizes(folder: Path) -> None:
    """Stop at the second step of each life and go on with another number of processes."""
    run = prepared(folder, "sizes", "tiny_plain")
    for world_size in (2, 1, 4, 2):
        live(run, stop_at_step_2, world_size=world_size)
    live(run, undisturbed, world_size=4)
    say(scenario="sizes", point="end", **end_of(run))


def at_random(folder: Path, signals: int) -> None:
    """Send SIGTERM at random moments of lives; assert what must hold after each."""
    quiet, began = prepared(folder, "quiet"), time.monotonic()
    live(quiet, undisturbed)
    life_s, sent, number = time.monotonic() - began, 0, 0
    while sent < signals:
        number += 1
        run = prepared(folder, f"random_{number}")
        while RunDirectory(run).read().state != "completed":
            victims, delay_s = ((0,), (1,), (0, 1))[sent % 3], random.uniform(0.001, life_s)

            def disturb(rank: int, cancel: CancelToken, victims=victims, delay_s=delay_s) -> None:
                signal.signal(signal.SIGTERM, lambda *_: cancel.set("SIGTERM"))
                signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
                if rank in victims:
                    signal.setitimer(signal.ITIMER_REAL, delay_s)

            row = facts(run, live(run, disturb))
            # While rank 0 publishes what was trained, rank 1 has done its work already.
            assert row["codes"] in ([143, 143], [143, 0], [0, 0]), row
            assert (row["passed_over"], row["left"]) == ([], 0), row
            sent += row["codes"][0] == 143
            say(scenario="random", sent=sent, ranks=victims, **row)
        assert end_of(run) == end_of(quiet), run
    say(scenario="random", sent=sent, runs=number)


def chaos(folder: Path, kills: int) -> None:
    """Kill one of four ranks at random moments of lives, until the run is completed, and again."""
    quiet, began = prepared(folder, "chaos_quiet", processes=4), time.monotonic()
    live(quiet, undisturbed, world_size=4)
    life_s, killed, number = time.monotonic() - began, 0, 0
    while killed < kills:
        number += 1
        run = prepared(folder, f"chaos_{number}", processes=4)
        while RunDirectory(run).read().state != "completed":
            # Now and then one may finish, for nothing is saved before the end of an epoch.
            victim, delay_s = random.randrange(4), random.uniform(0.001, 1.5 * life_s)

            def disturb(rank: int, _cancel: CancelToken, victim=victim, delay_s=delay_s) -> None:
                if rank == victim:
                    signal.signal(signal.SIGALRM, lambda *_: kill())
                    signal.setitimer(signal.ITIMER_REAL, delay_s)

            # A rank that dies before all have met is not seen by the others.
            ends = live(run, disturb, world_size=4, others_s=2.0)
            row = facts(run, ends)
            if row["codes"][victim] == -signal.SIGKILL and row["state"] != "completed":
                killed += 1
                assert row["first"] == victim, row
            say(scenario="chaos_life", killed=killed, victim=victim, **row)
        assert end_of(run) == end_of(quiet), run
    say(scenario="chaos", killed=killed, runs=number)


def _leave_alone_what_is_there() -> None:
    """Have no fork pass over torch when it collects garbage: it would copy the pages, too."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries of C++ take what is left then for a leak


def main(folder: Path, signals: int = 0) -> None:
    leave_pandas_out({})
    _leave_alone_what_is_there()
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    os.environ["IMAGELOOM_RANK_TIMEOUT_S"] = str(int(LIMIT_S / 2))
    if signals:
        at_random(folder, signals) if signals > 0 else chaos(folder, -signals)
        return
    for network in ("tiny", "tiny_plain"):
        run = prepared(folder, f"quiet_{network}", network)
        live(run, undisturbed)
        say(scenario="quiet", network=network, **end_of(run))
    disturbed(folder, "kill", KILLS)
    disturbed(folder, "ask", ASKS)
    disturbed(folder, "raise", RAISES)
    for scenario in (damage, held, versions, sizes):
        scenario(folder)
    chaos(folder, CHAOS_KILLS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
