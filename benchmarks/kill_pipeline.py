"""Kill workers and executors of pipelines with SIGKILL at random moments, and go on each time.

    python benchmarks/kill_pipeline.py --kills 50 --out DIR

Toys take a while and keep their progress in scratch. A run is executed by a process of its own; at
a random moment that process, one of its workers, or both are killed, and then asserted: every
state is true, every published output is whole, no result is made by two workers at once. The run is
started again until it completes, and its outputs must be those of a run that nobody disturbed.
"""

import argparse
import collections
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

TOYS = Path(__file__).parent / "toys"
os.environ["IMAGELOOM_EXTENSIONS"] = str(TOYS)  # before the catalogue is loaded, here and below

from imageloom.components.catalogue import load_components  # noqa: E402
from imageloom.events import CancelToken  # noqa: E402
from imageloom.files.locks import is_locked  # noqa: E402
from imageloom.pipeline.builder import PipelineBuilder  # noqa: E402
from imageloom.pipeline.graph.json_format import pipeline_to_json  # noqa: E402
from imageloom.pipeline.graph.resolve import resolve  # noqa: E402
from imageloom.pipeline.run.events import ignore_run_events  # noqa: E402
from imageloom.pipeline.run.execute import execute  # noqa: E402
from imageloom.pipeline.run.job_folder import read_result  # noqa: E402
from imageloom.pipeline.run.recover import find_truth  # noqa: E402
from imageloom.pipeline.run_record import ResolvedRecord, RunRecord  # noqa: E402
from imageloom.pipeline.store.objects import ObjectStore  # noqa: E402
from imageloom.pipeline.workspace import Workspace  # noqa: E402
from imageloom.registry import Registry  # noqa: E402
from imageloom.spec.node_state import NodeState, RunState  # noqa: E402
from imageloom.targets.local import TOKEN_VARIABLE, WORKER_FILE, LocalTarget, Worker  # noqa: E402

LONGEST_LIFE_S = 2.5
TIMEOUT_S = 60.0


def local_targets():
    targets = Registry("target")
    targets.declare("local", LocalTarget())
    return targets


def make_run(workspace, salt):
    """Make a run of nine nodes: two chains that meet, three nodes beside them, heavy and light."""
    components = load_components()
    build = PipelineBuilder(components, "kills")
    first = build.add("steps", id="first", steps=10, salt=salt)
    left = build.add("steps", id="left", left=first, steps=25)
    right = build.add("heavy_steps", id="right", left=first, steps=30)
    join = build.add("steps", id="join", left=left, right=right, steps=10)
    build.add("heavy_steps", id="last", left=join, right=first, steps=15)
    for number in range(3):
        build.add("steps", id=f"alone{number}", steps=8, salt=salt + number)
    build.add("steps", id="twin", steps=8, salt=salt)  # has the key of alone0
    pipeline = build.pipeline()
    run = workspace.run(workspace.new_run_id())
    resolved = {
        node_id: ResolvedRecord(
            component=node.component.name,
            version=node.component.version,
            params=node.params.model_dump(),
        )
        for node_id, node in resolve(pipeline, components).items()
    }
    record = RunRecord(
        id=run.id,
        name=pipeline.name,
        pipeline=pipeline_to_json(pipeline),
        base=str(workspace.root),
        resolved=resolved,
        wanted=tuple(resolved),
        created=time.time(),
    )
    run.create(record)
    return run


def execute_here(run_folder):
    workspace = Workspace(run_folder.parent.parent)
    return execute(
        workspace.run(run_folder.name),
        workspace=workspace,
        components=load_components(),
        targets=local_targets(),
        on_event=ignore_run_events,
        cancel=CancelToken(),
    )


def start_executor(run):
    argv = [sys.executable, __file__, "--execute", str(run.path)]
    return subprocess.Popen(argv, start_new_session=True)


def worker_of(run, node_id):
    """Return the process of a node's worker, or None when it is not alive.

    It is told by the token alone: an executor may be killed before it writes the number down.
    """
    try:
        content = (run.node_folder(node_id) / WORKER_FILE).read_bytes()
    except FileNotFoundError:
        return None
    token = Worker.model_validate_json(content).token
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(TOKEN_VARIABLE) == token:
                return process
    return None


def kill_something(run, executor, generator):
    """Kill the executor, a worker or both; return what was killed."""
    workers = [p for name in run.record().wanted if (p := worker_of(run, name)) is not None]
    what = generator.choice(("executor", "worker", "both")) if workers else "executor"
    victim = generator.choice(workers) if what != "executor" else None
    if victim is not None:
        victim.kill()
    if what != "worker":
        executor.kill()
        executor.wait()
    while victim is not None and is_alive(victim):  # the kernel takes a moment to end it
        time.sleep(0.001)
    return what


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def assert_true(run, workspace):
    """Assert that what is written of a run is so; its executor is gone."""
    find_truth(run, workspace=workspace, targets=local_targets())
    store = ObjectStore(workspace)
    states = run.states()
    for node_id, facts in states.items():
        worker = worker_of(run, node_id)
        result = read_result(run.node_folder(node_id))  # later, so that one of the two is there
        for output in facts.outputs.values():
            store.verify(output.object)  # every byte
        if facts.state is NodeState.RUNNING:
            assert worker is not None or result is not None, (node_id, facts)
        elif facts.state.has_outputs:
            assert facts.outputs, (node_id, facts)
        elif facts.state is NodeState.FAILED:
            assert facts.error["type"] == "WorkerLostError", (node_id, facts.error)
            assert worker is None, node_id
            assert result is None, node_id
        else:
            assert worker is None, (node_id, facts)
            assert facts.state in (NodeState.WAITING, NodeState.NOT_RUN), (node_id, facts)
    assert run.state() in (RunState.INTERRUPTED, RunState.FAILED, RunState.COMPLETED)


def disturb(run, workspace, generator, kills_left):
    """Start a run once, kill something, and wait for the executor's end; return what was killed."""
    executor = start_executor(run)
    killed = ""
    if kills_left > 0:
        try:
            executor.wait(generator.uniform(0, LONGEST_LIFE_S))
        except subprocess.TimeoutExpired:
            killed = kill_something(run, executor, generator)
    executor.wait(TIMEOUT_S)
    assert_true(run, workspace)
    return killed


def outputs_of(run):
    return {
        node_id: {port: output.object for port, output in facts.outputs.items()}
        for node_id, facts in run.states().items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--execute", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.execute:
        return 0 if execute_here(args.execute) is RunState.COMPLETED else 1
    generator = random.Random(args.seed)
    disturbed, quiet = Workspace(args.out / "disturbed"), Workspace(args.out / "quiet")
    kills, runs = collections.Counter(), 0
    while kills.total() < args.kills:
        runs += 1
        run, undisturbed = make_run(disturbed, runs * 10), make_run(quiet, runs * 10)
        while run.state() is not RunState.COMPLETED:
            killed = disturb(run, disturbed, generator, args.kills - kills.total())
            kills.update([killed] if killed else [])
            left = collections.Counter(facts.state.value for facts in run.states().values())
            print(f"{kills.total()} kills, {killed or 'nothing'} killed: {dict(left)}", flush=True)
        assert start_executor(undisturbed).wait(TIMEOUT_S) == 0
        assert outputs_of(run) == outputs_of(undisturbed), run.id
        keys = {facts.key for facts in run.states().values()}
        assert not any(is_locked(disturbed.work_lock(key)) for key in keys)
    print(f"{runs} runs completed with the outputs of undisturbed ones after {dict(kills)} kills")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
