"""Several requests at once on one event loop, as a server has them, and without a network."""

import asyncio
import json

from .conftest import HOME

DEADLINE_S = 60


class Asking:
    """A request that is on its way; its answer is heard as it comes.

    Args:
        app: The application.
        path: The address, with what is behind its question mark.
        headers: More than the page sends in any case.
    """

    def __init__(self, app, path, headers):
        path, _, query = path.partition("?")
        self.status, self.headers = None, {}
        self._pieces = asyncio.Queue()
        self._rest = ""
        self._asked = [{"type": "http.request", "body": b"", "more_body": False}]
        words = {"host": HOME.partition("//")[2], **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), text.encode()) for name, text in words.items()],
            "server": ("127.0.0.1", 1),
            "client": ("127.0.0.1", 1),
            "scheme": "http",
            "state": {},
        }
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self):
        return self._asked.pop() if self._asked else await asyncio.Event().wait()

    async def _send(self, message):
        self.status = message.get("status", self.status)
        for name, text in message.get("headers", ()):
            self.headers[name.decode()] = text.decode()
        if message.get("body"):
            await self._pieces.put(message["body"].decode())

    async def answered(self):
        """Return status and text of the whole answer."""
        async with asyncio.timeout(DEADLINE_S):
            await self.task
        text = "".join(self._pieces.get_nowait() for _ in range(self._pieces.qsize()))
        return self.status, text

    async def event(self):
        """Return kind, id and content of the next event of a stream."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                while "\n\n" not in self._rest:
                    self._rest += (await self._pieces.get()).replace("\r\n", "\n")
                block, _, self._rest = self._rest.partition("\n\n")
                fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
                if "data" in fields:
                    return fields["event"], fields["id"], json.loads(fields["data"])

    async def drop(self):
        """Let the connection go, as a network does."""
        self.task.cancel()
        await asyncio.wait([self.task])


def at_once(page, body):
    """Run a coroutine with what begins requests as a page does, and end what is left of them."""

    async def main():
        begun = []
        cookie = "; ".join(f"{name}={value}" for name, value in page.cookies.items())

        def ask(path, **headers):
            begun.append(Asking(page.app, path, {"cookie": cookie, "origin": HOME, **headers}))
            return begun[-1]

        try:
            return await body(ask)
        finally:
            for one in begun:
                await one.drop()

    return asyncio.run(main())
