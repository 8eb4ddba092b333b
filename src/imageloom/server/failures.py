"""Errors as answers: one form for all, with a status that tells the truth."""

import html
import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from imageloom.errors import (
    CannotResumeError,
    CouldNotOpenFileError,
    DataError,
    FailedToWriteOutputsError,
    ImageloomError,
    InvalidModelDirectoryError,
    InvalidPipelineError,
    InvalidRequestError,
    NoSuchPipelineError,
    NoSuchRunError,
    OutputInUseError,
    ParameterError,
    PipelineChangedError,
    StoreBusyError,
    any_error,
    named_error,
)
from imageloom.server.access import Refusal

logger = logging.getLogger(__name__)
_STATUS: Final[Mapping[type[ImageloomError], int]] = {
    NoSuchRunError: 404,
    NoSuchPipelineError: 404,
    CouldNotOpenFileError: 404,
    OutputInUseError: 409,
    CannotResumeError: 409,
    PipelineChangedError: 412,
    DataError: 422,
    InvalidModelDirectoryError: 422,
    InvalidPipelineError: 422,
    ParameterError: 422,
    InvalidRequestError: 422,
    StoreBusyError: 503,
    FailedToWriteOutputsError: 507,
}
_REASONS: Final[Mapping[str, int]] = {
    "no-thumbnail": 404,
    "preview-busy": 503,
    "preview-closed": 503,
    "preview-timeout": 504,
    "model-busy": 503,
    "model-closed": 503,
    "model-timeout": 504,
    "unreadable-picture": 415,
    "other-offset": 409,
    "part-too-large": 413,
    "too-large": 413,
    "part-too-slow": 408,
    "uploads-busy": 503,
    "role": 403,
    "not-yours": 403,
    "wrong-password": 401,
    "too-many-trials": 429,
    "no-user": 404,
    "no-people": 404,
    "last-admin": 409,
    "newer": 409,
    "taken": 409,
}
_BUSY_S: Final = "2"


class ErrorInfo(BaseModel):
    """An error as every answer that is none has it.

    Attributes:
        code: As in docs/reference/errors.md.
        type: Name of the error.
        message: What was found and what was expected.
        hint: What to do.
        reason: A short cause for programs.
        details: Values that appear in the message.
    """

    code: str
    type: str
    message: str
    hint: str = ""
    reason: str = ""
    details: dict[str, object] = {}


class FailureAnswer(BaseModel):
    """What an answer with a status of 400 or more holds.

    Attributes:
        error: What went wrong.
        request: Names the request in the server's log.
    """

    error: ErrorInfo
    request: str


def failure_response(status: int, error: ImageloomError, **more: object) -> JSONResponse:
    """Return the answer that an error makes.

    Args:
        status: Of HTTP.
        error: What went wrong.
        more: What such an answer holds beside it, as JSON values.
    """
    request = secrets.token_hex(4)
    content = FailureAnswer(error=ErrorInfo.model_validate(error.to_json()), request=request)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("Request %s failed: %s", request, error, exc_info=error)
    wait_s = error.details.get("retry_after_s")
    if status == HTTPStatus.SERVICE_UNAVAILABLE and wait_s is None:
        wait_s = _BUSY_S
    headers = None if wait_s is None else {"Retry-After": str(wait_s)}
    return JSONResponse(
        {**content.model_dump(mode="json"), **more}, status_code=status, headers=headers
    )


def refusal_response(refusal: Refusal) -> JSONResponse:
    """Return the answer to a request that is not let in."""
    error = InvalidRequestError(refusal.message, hint=refusal.hint, reason=refusal.reason)
    return failure_response(refusal.status, error)


def refusal_page(refusal: Refusal) -> str:
    """Return the same as a page for a person: without scripts, in light or dark."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Imageloom</title>'
        '<meta name="viewport" content="width=device-width"><style>'
        ":root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }"
        "body { background: Canvas; color: CanvasText; }"
        "main { max-width: 36rem; margin: 20vh auto 0; padding: 0 1rem; }"
        "h1 { font-size: 1.25rem; }</style>"
        f"<main><h1>{html.escape(refusal.message)}</h1>"
        f"<p>{html.escape(refusal.hint)}</p></main></html>"
    )


def status_of(error: ImageloomError) -> int:
    """Return the status of HTTP that an error means; 500 for what should not happen."""
    if error.reason in _REASONS:
        return _REASONS[error.reason]
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def add_failures(app: FastAPI) -> None:
    """Let an app answer every error in the same form."""

    @app.exception_handler(ImageloomError)
    def _known(_request: Request, error: ImageloomError) -> JSONResponse:
        return failure_response(status_of(error), error)

    @app.exception_handler(RequestValidationError)
    def _form(_request: Request, problem: RequestValidationError) -> JSONResponse:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        error = InvalidRequestError(f"{where}: {first['msg']}.", details={"where": where})
        return failure_response(422, error)

    @app.exception_handler(HTTPException)
    def _http(request: Request, problem: HTTPException) -> JSONResponse:
        error = InvalidRequestError(
            f"{request.method} {request.url.path}: {problem.detail}.",
            hint="/docs lists what there is.",
        )
        return failure_response(problem.status_code, error)

    @app.exception_handler(Exception)
    def _unexpected(_request: Request, problem: Exception) -> JSONResponse:
        known = named_error(problem)
        if known is None:
            known = any_error(problem, "This should not happen; the server's output says more.")
            known.__cause__ = problem
        return failure_response(status_of(known), known)
