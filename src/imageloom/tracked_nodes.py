"""The trainings of a pipeline's nodes are tracked: beside the run, or caught up with later.

Trackers run where the run is executed, not where its jobs run: there are the tokens, which no job
is given.
"""

import contextlib
import shlex
import time
from collections.abc import Iterator, Sequence

from imageloom.components.train_pytorch_model import kept_training, training_in
from imageloom.events import CancelToken, Control, Event, Notice
from imageloom.pipeline.run.events import NodeChanged, RunEvent, RunNotice, RunSink
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import NodeState
from imageloom.spec.run_settings import RunSettings
from imageloom.tracking.beside import END_WAIT_S, Followers, end_wait_s
from imageloom.tracking.place import Tracked
from imageloom.tracking.position import remembered_trackers


def tracked_node(run: RunFolder, node_id: str, key: str, workspace: Workspace) -> Tracked:
    """Return the training of a node as trackers know it, whether or not the node has one.

    Args:
        run: The run.
        node_id: The node.
        key: What its result depends on, by which the training is found while it goes on.
        workspace: Where the run lies.
    """
    folder = run.node_folder(node_id)
    going_on = training_in(workspace.work_scratch(key), folder)
    return Tracked(
        name=f"{run.id}/{node_id}",
        group=run.id,
        folder=folder,
        places=(going_on, kept_training(folder)),
    )


def tracked_nodes(run: RunFolder, workspace: Workspace) -> Iterator[tuple[Tracked, Sequence[str]]]:
    """Yield the trainings that a run did itself, each with the trackers that it remembers."""
    states = run.states()
    for node_id in run.record().wanted:
        facts = states.get(node_id)
        if facts is None or not facts.key or facts.made_by is not None:
            continue
        training = tracked_node(run, node_id, facts.key, workspace)
        if training.there() is not None:
            yield training, remembered_trackers(training.folder)


@contextlib.contextmanager
def tracking_nodes(
    run: RunFolder, workspace: Workspace, *, on_event: RunSink, cancel: CancelToken
) -> Iterator[RunSink]:
    """Have trackers follow the nodes that ask for it, while the body executes a run.

    Args:
        run: The run.
        workspace: Where it lies.
        on_event: Hears what the run tells, and what there is to say of trackers.
        cancel: Asks the run to stop.

    Yields:
        What the run must tell its events to.
    """
    watcher = _Watcher(run, workspace, on_event, cancel)
    try:
        yield watcher
    finally:
        watcher.finish()


class _Watcher:
    """Passes events on; starts trackers when a node begins, and tells them when it has ended."""

    def __init__(
        self, run: RunFolder, workspace: Workspace, sink: RunSink, cancel: CancelToken
    ) -> None:
        self._run = run
        self._workspace = workspace
        self._sink = sink
        self._cancel = cancel
        self._resolved = run.record().resolved
        self._followers: dict[str, Followers] = {}

    def __call__(self, event: RunEvent) -> None:
        self._sink(event)
        if not isinstance(event, NodeChanged):
            return
        if event.node_id in self._followers:
            if event.facts.state.is_ended:
                self._followers[event.node_id].training_ended()
        elif event.facts.state is NodeState.RUNNING and event.facts.key:
            self._begin(event.node_id, event.facts)

    def finish(self) -> None:
        """Wait for the trackers of all nodes together, but not long, and end them."""
        began, most_s = time.monotonic(), end_wait_s(self._cancel)
        for followers in self._followers.values():
            followers.training_ended()
        for node_id, followers in self._followers.items():
            followers.wait(self._control(node_id), most_s=most_s, since=began)

    def _begin(self, node_id: str, facts: NodeFacts) -> None:
        names = RunSettings.parse(self._resolved[node_id].settings).track
        if not names:
            return
        words = ["imageloom", "track", self._run.id, "--workspace", str(self._workspace.root)]
        followers = self._followers[node_id] = Followers(shlex.join(words))
        training = tracked_node(self._run, node_id, facts.key, self._workspace)
        followers.start(names, training, self._control(node_id), tries_s=END_WAIT_S)

    def _control(self, node_id: str) -> Control:
        def tell(event: Event) -> None:
            if isinstance(event, Notice):
                self._sink(RunNotice(event, node_id))

        return Control(tell, self._cancel)
