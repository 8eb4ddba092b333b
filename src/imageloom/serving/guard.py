"""What stands around all addresses: who is let in, how long it took, what browsers may not do."""

import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imageloom.serving.door import ServingDoor
from imageloom.serving.failures import failure_answer, refusal_answer
from imageloom.serving.metrics import ServingMetrics

_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_ROUTES: Final = {"/predict": "predict", "/metrics": "metrics", "/v2": "server"}


class Guard:
    """Looks at each request before anything else does, and at each answer.

    Args:
        app: What answers.
        door: Who may ask.
        metrics: Hears of each request.
    """

    def __init__(self, app: ASGIApp, *, door: ServingDoor, metrics: ServingMetrics) -> None:
        self._app = app
        self._door = door
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status, has_begun = time.perf_counter(), 500, False

        async def send_safely(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                MutableHeaders(scope=message).update(_SAFE)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._door.refusal(scope["path"], headers, headers.getlist("host"))
        try:
            if refusal is not None:
                await refusal_answer(refusal)(scope, receive, send_safely)
            else:
                await self._app(scope, receive, send_safely)
        except Exception as problem:
            if has_begun:
                raise
            await failure_answer(problem)(scope, receive, send_safely)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.request(_route(scope["path"]), status, seconds)
        return None


def _route(path: str) -> str:
    """Return one of a few words, whatever strangers ask for."""
    if path in _ROUTES:
        return _ROUTES[path]
    for start, end, route in (("/v2/health/", "", "health"), ("/v2/models/", "/infer", "infer")):
        if path.startswith(start) and path.endswith(end):
            return route
    return "model" if path.startswith("/v2/models/") else "other"
