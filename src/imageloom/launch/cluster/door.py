"""Where machines come in to a run: they are greeted, compared, turned away or listened to."""

import contextlib
import logging
import secrets
import socket
import threading
from collections.abc import Iterator
from typing import Final

from imageloom.errors import ImageloomError
from imageloom.launch.cluster.connection import Connection, LostError, listen
from imageloom.launch.cluster.member import Member
from imageloom.launch.cluster.members import Members
from imageloom.launch.cluster.notices import Notices
from imageloom.launch.cluster.rendezvous import LeaderAddress
from imageloom.launch.cluster.team import Hall, Team, mapping_of

logger = logging.getLogger(__name__)

PORT: Final = 29400  # torchrun's; another free one when it is taken
_AGAIN_S: Final = 1.0


class Door:
    """Lets machines in, each in a thread of its own.

    Args:
        hall: Where they meet.
        team: How many they are.
        members: Those that came in.
        notices: Hears who was turned away, and what is worth a warning.
    """

    def __init__(self, hall: Hall, team: Team, members: Members, notices: Notices) -> None:
        self._hall = hall
        self._team = team
        self._members = members
        self._notices = notices
        self._closed = threading.Event()
        self._facts: dict[str, object] = {}
        self._token = ""

    @contextlib.contextmanager
    def opened(self) -> Iterator[str]:
        """Let machines in while the body runs; yield the command by which they come."""
        self._hall.preflight.lead()
        self._facts = dict(self._hall.preflight.facts())
        known = self._hall.place.find()
        self._token = secrets.token_hex(16) if known is None else known.token
        with listen(self._hall.address, PORT) as listener:
            port = listener.getsockname()[1]
            leader = LeaderAddress(address=self._hall.address, port=port, token=self._token)
            self._hall.place.announce(leader)
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            try:
                yield f"imageloom agent join {self._hall.address}:{port} --token {self._token}"
            finally:
                self._closed.set()
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept

    def _accept(self, listener: socket.socket) -> None:
        while not self._closed.is_set():
            try:
                stream, (address, *_) = listener.accept()
                arguments = (stream, address)
                threading.Thread(target=self._receive, args=arguments, daemon=True).start()
            except (OSError, RuntimeError) as problem:  # no file or thread is left; or it is closed
                if not self._closed.is_set():
                    logger.warning("A machine could not be let in: %s.", problem)
                    self._closed.wait(_AGAIN_S)

    def _receive(self, stream: socket.socket, address: str) -> None:
        try:
            connection = Connection(stream, self._token, is_server=True)
        except LostError as problem:
            logger.warning("%s, which tried to join, was turned away: %s.", address, problem)
            return
        try:
            member = self._greet(connection)
        except LostError as problem:
            logger.warning("%s left before it took part: %s.", connection.address, problem)
            return
        if member is not None:
            self._listen_to(member)

    def _greet(self, connection: Connection) -> Member | None:
        """Return the machine that came, or None if it does not take part.

        Raises:
            LostError: It is gone.
        """
        run = str(self._hall.place.run)
        connection.send("welcome", run=run, team=self._team.model_dump())
        hello = connection.receive() or {}  # it may look at a million pictures before
        if hello.get("kind") == "bye":  # it only asked which run this is
            return None
        facts = mapping_of(hello, "facts")
        host = str(facts.get("host", "?"))
        try:
            warnings = self._hall.preflight.compare(
                self._facts, facts, processes=self._team.scale.processes_per_node
            )
        except ImageloomError as problem:
            connection.send("refused", error=problem.to_json())
            sentence = f"{host} ({connection.address}) cannot take part: {problem}"
            self._notices.say("warning", sentence)
            return None
        connection.send("accepted", is_spare=self._members.is_full)
        for sentence in warnings:
            self._notices.say("warning", sentence)
        return Member(connection, host)

    def _listen_to(self, member: Member) -> None:
        self._members.join(member)
        try:
            while True:
                message = member.connection.receive()
                assert message is not None, "without a time limit there is one"
                self._members.hear(member, message)
        except LostError as problem:
            self._members.lose(member, str(problem))
