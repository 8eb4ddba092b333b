"""The web application: who is let in, what every answer carries, and all routes."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imageloom import __version__
from imageloom.server.access import Access
from imageloom.server.failures import (
    FailureAnswer,
    add_failures,
    refusal_page,
    refusal_response,
)
from imageloom.server.reference import reference_page
from imageloom.server.routes import (
    comparison,
    components,
    corrections,
    duplicates,
    events,
    images,
    logs,
    models,
    nodes,
    pipelines,
    places,
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
_VIEW: Final = re.compile(r"/(?!api/)(?:[A-Za-z0-9_-][A-Za-z0-9_/-]*)?")
_NOT_BUILT: Final = (
    "<!doctype html><title>Imageloom</title><p>The page is not built. In a checkout: <code>make "
    "page</code>. The API is at <a href=/docs>/docs</a>."
)


def create_app(studio: Studio, access: Access) -> FastAPI:
    """Return the application."""

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
    add_failures(app)
    for module in (
        session,
        components,
        pipelines,
        places,
        uploads,
        runs,
        comparison,
        nodes,
        thumbnails,
        models,
        images,
        duplicates,
        corrections,
        series,
        logs,
        events,
    ):
        app.include_router(module.router, prefix="/api")
    _add_page(app)
    app.add_middleware(_Guard, access=access)
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

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http":  # we speak nothing else
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = self._first_link(scope) or self._refusal(scope)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _first_link(self, scope: Scope) -> Response | None:
        """Return the answer that turns the token of the first link into a cookie."""
        request = Request(scope)
        token = request.query_params.get("token", "")
        path = request.url.path
        is_view = request.method == "GET" and _VIEW.fullmatch(path) is not None
        if not is_view or not token or not self._access.is_token(token):
            return None
        if not self._access.is_host(_hosts(scope)):
            return None
        answer = RedirectResponse(path, status_code=303)
        answer.set_cookie(
            self._access.cookie_name,
            self._access.cookie,
            max_age=365 * 86_400,
            httponly=True,
            samesite="strict",
        )
        return answer

    def _refusal(self, scope: Scope) -> Response | None:
        headers = dict(Headers(scope=scope))
        refusal = self._access.refusal(scope["method"], headers, _hosts(scope))
        if refusal is None:
            return None
        wants_page = "text/html" in headers.get("accept", "")
        if wants_page:
            return HTMLResponse(refusal_page(refusal), status_code=refusal.status)
        return refusal_response(refusal)


def _hosts(scope: Scope) -> list[str]:
    return Headers(scope=scope).getlist("host")
