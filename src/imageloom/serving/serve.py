"""A served model as a process: what is started, in which order, and how it ends."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvicorn

from imageloom.errors import EnvironmentUnsuitableError, LibraryError
from imageloom.events import Control
from imageloom.server.connections import bound_socket, guarded_config
from imageloom.server.site import NetworkPlace
from imageloom.serving.answering import Answering
from imageloom.serving.app import create_app
from imageloom.serving.batching import Batcher
from imageloom.serving.door import ServingDoor
from imageloom.serving.metrics import ServingMetrics
from imageloom.serving.params import ServeParams
from imageloom.serving.preparing import PREPARING, Preparer, choose_decoders
from imageloom.serving.room import Room
from imageloom.serving.served_model import ServedModel, served_model
from imageloom.system.helper_process import HelperKind

DEFAULT_PLACE: Final = NetworkPlace("127.0.0.1", 8470)
_BODIES: Final = 8
"""How many of the longest bodies may be inside at once."""
_MOST_CONNECTIONS: Final = 1_000
_BACKLOG: Final = 512
_KEEP_ALIVE_S: Final = 30
_POLL_S: Final = 0.1


@dataclass(frozen=True)
class ServingSetup:
    """What is served, and where.

    Attributes:
        model: A trained model directory, or a run.
        place: Where to listen.
        name: How the model is asked for; empty for the name of its folder.
        token: What each request must show; empty for none.
        params: How it answers.
        decoders: What decodes pictures; tests take another.
    """

    model: Path
    place: NetworkPlace
    name: str = ""
    token: str = ""
    params: ServeParams = field(default_factory=ServeParams)
    decoders: HelperKind = PREPARING


@dataclass(frozen=True)
class Serving:
    """A model that is about to answer.

    Attributes:
        model: The model.
        address: Where, with a slash at its end.
        answering: What answers.
    """

    model: ServedModel
    address: str
    answering: Answering
    server: uvicorn.Server
    listener: socket.socket

    def run(self, control: Control) -> None:
        """Answer until somebody asks to stop; what was taken by then is answered still.

        Raises:
            LibraryError: The server ended by itself.
        """
        # In a thread of its own, where it leaves the signals of this process alone.
        thread = threading.Thread(target=self.server.run, args=([self.listener],), daemon=True)
        thread.start()
        while thread.is_alive() and not control.cancel.is_set:
            thread.join(_POLL_S)
        self.answering.is_stopping = True
        self.server.should_exit = True
        thread.join()
        if not control.cancel.is_set:
            raise LibraryError(
                "The server ended by itself.",
                hint="Its output says more. Start it anew; nothing is lost with it.",
                reason="server-ended",
            )


@contextlib.contextmanager
def serving(setup: ServingSetup, control: Control) -> Iterator[Serving]:
    """Yield a model that is loaded and has its processes and its port.

    Args:
        setup: What is served, and where.
        control: Told how the weights are being checked.

    Raises:
        EnvironmentUnsuitableError: The port is taken, or a network would reach it without a token.
        InvalidModelDirectoryError: The model is none, or is damaged.
        ImageloomError: As ``served_model`` and ``Preparer.start``.
    """
    params, most_body = setup.params, setup.params.most_body_mib * 1024**2
    ServingDoor.of(setup.place, setup.token)  # refused before a port is taken and a model loaded
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(setup.place))
        place = NetworkPlace(setup.place.host, listener.getsockname()[1])
        model = stack.enter_context(served_model(setup.model, setup.name, params, control.on_event))
        room = Room(params.most_pictures, _BODIES * most_body)
        metrics = ServingMetrics(lambda: batcher.waiting, lambda: room.pictures)
        batcher = Batcher(model.probabilities, batch_size=params.batch_size, on_batch=metrics.batch)
        stack.callback(batcher.close)
        preparer = Preparer(
            model,
            decoders=choose_decoders(params.decoders),
            max_pixels=params.max_pixels,
            on_done=metrics.picture,
            kind=setup.decoders,
        )
        stack.callback(preparer.close)
        preparer.start()
        answering = Answering(model, room, preparer, batcher, params.timeout_s)
        door = ServingDoor.of(place, setup.token)
        app = create_app(answering, door, metrics, most_body_bytes=most_body)
        config = guarded_config(
            app,
            lifespan="off",
            backlog=_BACKLOG,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            # Bodies that are on their way have their time, and their answers, too.
            timeout_graceful_shutdown=int(2 * params.timeout_s) + 1,
        )
        listener.listen(_BACKLOG)  # whoever asks from now on waits for a moment at most
        yield Serving(model, f"{place.origin}/", answering, uvicorn.Server(config), listener)


def _listener(place: NetworkPlace) -> socket.socket:
    """Take a port; nobody can connect yet, while the model is being loaded."""
    try:
        return bound_socket(place.host, place.port)
    except OSError as problem:
        raise EnvironmentUnsuitableError(
            f"{place.host}:{place.port} cannot be used: {problem.strerror or problem}.",
            hint="Does another server run there? Choose another place: --listen HOST:PORT; port 0 "
            "takes any that is free.",
            reason="port-taken",
        ) from problem
