"""The addresses of a served model: Open Inference v2, pictures by POST, health and figures."""

import asyncio

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from imageloom.errors import ImageloomError, InvalidRequestError
from imageloom.serving.answering import Answering
from imageloom.serving.bodies import read_body
from imageloom.serving.door import ServingDoor
from imageloom.serving.failures import failure_answer
from imageloom.serving.guard import Guard
from imageloom.serving.infer_answer import (
    HEADER_LENGTH,
    infer_answer,
    model_metadata,
    server_metadata,
)
from imageloom.serving.infer_request import read_infer_request
from imageloom.serving.metrics import CONTENT_TYPE, ServingMetrics
from imageloom.serving.pictures_in import pictures_in, ranked_pictures, top_of
from imageloom.serving.room import HeldBytes
from imageloom.serving.served_model import VERSION

_MODEL = "/v2/models/{name}"
_VERSION = f"{_MODEL}/versions/{{version}}"


def create_app(
    answering: Answering, door: ServingDoor, metrics: ServingMetrics, *, most_body_bytes: int
) -> Starlette:
    """Return the application.

    Args:
        answering: What answers.
        door: Who may ask.
        metrics: Hears of each request.
        most_body_bytes: Longest body.
    """
    pages = _Addresses(answering, metrics, most_body_bytes)
    routes = [
        Route("/predict", pages.predict, methods=["POST"]),
        Route("/metrics", pages.metrics),
        Route("/v2", pages.server),
        Route("/v2/health/live", pages.live),
        Route("/v2/health/ready", pages.ready),
        *(Route(start, pages.model) for start in (_MODEL, _VERSION)),
        *(Route(f"{start}/ready", pages.model_ready) for start in (_MODEL, _VERSION)),
        *(Route(f"{start}/infer", pages.infer, methods=["POST"]) for start in (_MODEL, _VERSION)),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            ImageloomError: lambda _, problem: failure_answer(problem),
            HTTPException: _no_address,
        },
    )
    app.router.redirect_slashes = False
    app.add_middleware(Guard, door=door, metrics=metrics)
    return app


class _Addresses:
    def __init__(self, answering: Answering, metrics: ServingMetrics, most_body_bytes: int) -> None:
        self._answering = answering
        self._metrics = metrics
        self._most_body_bytes = most_body_bytes

    async def server(self, _request: Request) -> Response:
        return JSONResponse(server_metadata())

    async def live(self, _request: Request) -> Response:
        is_live = not self._answering.batcher.is_broken
        return JSONResponse({"live": is_live}, status_code=200 if is_live else 503)

    async def ready(self, _request: Request) -> Response:
        is_ready = self._answering.is_ready
        return JSONResponse({"ready": is_ready}, status_code=200 if is_ready else 503)

    async def metrics(self, _request: Request) -> Response:
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)

    async def model(self, request: Request) -> Response:
        self._require_model(request)
        return JSONResponse(model_metadata(self._answering.model))

    async def model_ready(self, request: Request) -> Response:
        self._require_model(request)
        name, is_ready = self._answering.model.name, self._answering.is_ready
        return JSONResponse({"name": name, "ready": is_ready}, status_code=200 if is_ready else 503)

    async def infer(self, request: Request) -> Response:
        self._require_model(request)
        with self._answering.room.of_body() as held:
            body = await self._body(request, held)
            # In a thread, so that others are answered between its steps.
            asked = await asyncio.to_thread(
                read_infer_request, body, request.headers.get(HEADER_LENGTH)
            )
            rows_NK = await self._answering.probabilities(asked.pictures)
        answer = infer_answer(self._answering.model, rows_NK, asked.outputs, asked.id)
        if answer.header_length is None:
            return Response(answer.body, media_type="application/json")
        headers = {HEADER_LENGTH: str(answer.header_length)}
        return Response(answer.body, media_type="application/octet-stream", headers=headers)

    async def predict(self, request: Request) -> Response:
        model, top = self._answering.model, top_of(request.query_params.get("top"))
        with self._answering.room.of_body() as held:
            body = await self._body(request, held)
            kind = request.headers.get("content-type", "")
            pictures = await asyncio.to_thread(pictures_in, kind, body)
            rows_NK = await self._answering.probabilities(pictures)
        ranked = ranked_pictures(pictures, rows_NK, model, top)
        return JSONResponse({"model": model.name, "version": VERSION, "predictions": ranked})

    async def _body(self, request: Request, held: HeldBytes) -> bytes:
        return await read_body(
            request, held, most=self._most_body_bytes, timeout_s=self._answering.timeout_s
        )

    def _require_model(self, request: Request) -> None:
        name, version = request.path_params["name"], request.path_params.get("version", VERSION)
        known = self._answering.model.name
        if (name, version) != (known, VERSION):
            raise InvalidRequestError(
                f"There is no model {name!r} of version {version!r}; {known!r} of version "
                f"{VERSION!r} is served.",
                reason="no-such-model",
            )


def _no_address(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    reason = "wrong-method" if problem.status_code == 405 else "no-such-address"
    error = InvalidRequestError(
        f"{request.method} {request.url.path[:200]}: {problem.detail}.",
        hint="There are POST /predict, GET /metrics, and Open Inference v2 from /v2 on.",
        reason=reason,
    )
    answer = failure_answer(error)
    answer.headers.update(problem.headers or {})
    return answer
