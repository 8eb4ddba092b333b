"""The web application: who is let in, what every answer carries, and all routes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imageloom import __version__
from imageloom.errors import ImageloomError
from imageloom.server.access import VIEW, Gate, Visitor, address_of, refusal_at
from imageloom.server.bodies import bounded
from imageloom.server.failures import (
    FailureAnswer,
    add_failures,
    failure_response,
    refusal_page,
    refusal_response,
)
from imageloom.server.needs import Deeds, admit
from imageloom.server.people.activity import Deed
from imageloom.server.reference import reference_page
from imageloom.server.routes import (
    activity,
    comparison,
    components,
    corrections,
    duplicates,
    events,
    images,
    logs,
    model_cards,
    models,
    nodes,
    people,
    pipelines,
    places,
    recycle_bin,
    runs,
    series,
    session,
    thumbnails,
    uploads,
)
from imageloom.server.studio import Studio
from imageloom.server.topics import Topics
from imageloom.server.upkeep import look_after

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; frame-src 'self'; base-uri "
    "'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_FAILURES: Final[dict[int | str, dict[str, object]]] = {
    status: {"model": FailureAnswer} for status in (401, 403, 404, 409, 422, 503)
}
_DOORKEEPERS: Final = 8
_NOT_BUILT: Final = (
    "<!doctype html><title>Imageloom</title><p>The page is not built. In a checkout: <code>make "
    "page</code>. The API is at <a href=/docs>/docs</a>."
)


def create_app(studio: Studio, door: Gate) -> FastAPI:
    """Return the application.

    Args:
        studio: What it shows.
        door: Who gets in.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        upkeep = asyncio.create_task(look_after(studio))
        yield
        upkeep.cancel()
        await asyncio.to_thread(studio.pictures.close)
        await asyncio.to_thread(studio.models.close)

    app = FastAPI(
        lifespan=lifespan,
        title="Imageloom studio",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=_FAILURES,
    )
    app.state.studio = studio
    app.state.topics = Topics()
    app.state.door = door
    add_failures(app)
    for module in (
        session,
        people,
        activity,
        recycle_bin,
        components,
        pipelines,
        places,
        uploads,
        runs,
        comparison,
        nodes,
        model_cards,
        thumbnails,
        models,
        images,
        duplicates,
        corrections,
        series,
        logs,
        events,
    ):
        app.include_router(module.router, prefix="/api", dependencies=[Depends(admit)])
    _add_page(app)
    app.add_middleware(_Guard, door=door)
    return app


def page_folder() -> Path:
    """Return where the built page lies in the package; it need not be there in a checkout."""
    return Path(str(resources.files("imageloom.server") / "static"))


def _add_page(app: FastAPI) -> None:
    # Looked up by their names, so that no address can lead to another file.
    folder = page_folder()
    files = {str(one.relative_to(folder)): one for one in folder.rglob("*") if one.is_file()}

    @app.get("/docs", include_in_schema=False)
    def reference() -> Response:
        """Return the reference of the API."""
        return HTMLResponse(reference_page(app.openapi()))

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        """Return a file of the page; every other address is a view of it."""
        if path in files:
            is_named_by_content = path.startswith("assets/")
            age = "public, max-age=31536000, immutable" if is_named_by_content else "no-cache"
            return FileResponse(files[path], headers={"cache-control": age})
        if path.startswith(("api/", "assets/")):
            raise HTTPException(404)
        if "index.html" not in files:
            return HTMLResponse(_NOT_BUILT)
        return FileResponse(files["index.html"], headers={"cache-control": "no-cache"})


class _Guard:
    """Lets requests in that are our page's, and gives every answer its headers."""

    def __init__(self, app: ASGIApp, door: Gate) -> None:
        self._app = app
        self._door = door
        # Threads of their own, for nothing is answered before who asks is known.
        self._doorkeepers = ThreadPoolExecutor(_DOORKEEPERS, "door")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # we speak nothing else
            await send({"type": "websocket.close", "code": 1008})
            return
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._first_link(scope) or await self._refusal(scope)
        is_stranger = scope["state"].get("visitor") is None
        receive = bounded(scope, receive, is_stranger=is_stranger)
        try:
            await (answer or self._app)(scope, receive, send_with_headers)
        finally:
            await self._write_down(scope["state"], status)

    def _first_link(self, scope: Scope) -> Response | None:
        """Return the answer that turns the token of the first link into a cookie."""
        request = Request(scope)
        token = request.query_params.get("token", "")
        path = request.url.path
        is_view = request.method == "GET" and VIEW.fullmatch(path) is not None
        cookie = self._door.cookie_for(token) if is_view and token else None
        scope.setdefault("state", {})
        if cookie is None or not self._door.site.is_host(_hosts(scope)):
            return None
        answer = RedirectResponse(path, status_code=303)
        answer.set_cookie(
            self._door.cookie_name,
            cookie,
            max_age=365 * 86_400,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _refusal(self, scope: Scope) -> Response | None:
        """Find out who asks, and return the answer to those who are not let in."""
        door, headers = self._door, dict(Headers(scope=scope))
        method, path = scope["method"], scope["path"]
        try:
            loop = asyncio.get_running_loop()
            visitor = await loop.run_in_executor(self._doorkeepers, door.visitor, headers)
        except ImageloomError as problem:  # the file of users is damaged: nobody gets in
            return failure_response(503, problem)
        is_open = door.is_open(method, path)
        refusal = refusal_at(door, method, headers, _hosts(scope), visitor=visitor, is_open=is_open)
        peer = scope["client"][0] if scope.get("client") else ""
        scope["state"].update(visitor=visitor, address=address_of(peer, headers, door.site))
        if refusal is None:
            return None
        wants_page = "text/html" in headers.get("accept", "")
        if wants_page:
            return HTMLResponse(refusal_page(refusal), status_code=refusal.status)
        return refusal_response(refusal)

    async def _write_down(self, state: dict[str, object], status: int) -> None:
        """Note what somebody did, where several people share the studio."""
        people, deeds, visitor = self._door.people, state.get("deed"), state.get("visitor")
        if people is None or not isinstance(deeds, Deeds):
            return
        person = visitor.person if isinstance(visitor, Visitor) else None
        deed = Deed(
            time=time.time(),
            who=deeds.who or ("" if person is None else person.name),
            what=deeds.what,
            on=deeds.on,
            address=str(state.get("address", "")),
            outcome="done" if status < 400 else str(status),
        )
        await asyncio.to_thread(people.note, deed)


def _hosts(scope: Scope) -> list[str]:
    return Headers(scope=scope).getlist("host")
