"""Errors as answers of a served model: one form for all, with a status that tells the truth.

Open Inference v2 asks for ``{"error": TEXT}``; what programs may want of ours stands beside it.
"""

import logging
from collections.abc import Mapping
from typing import Final

from starlette.responses import JSONResponse

from imageloom.errors import (
    DataError,
    ImageloomError,
    InvalidRequestError,
    ServerBusyError,
    TimeoutOccuredError,
    any_error,
)
from imageloom.server.access import Refusal

logger = logging.getLogger(__name__)
RETRY_AFTER_S: Final = "1"
_HINT: Final = "This should not happen; the server's output says more."
_STATUS: Final[Mapping[type[ImageloomError], int]] = {
    InvalidRequestError: 400,
    DataError: 422,
    ServerBusyError: 503,
    TimeoutOccuredError: 504,
}
_REASONS: Final[Mapping[str, int]] = {
    "no-such-model": 404,
    "no-such-address": 404,
    "wrong-method": 405,
    "body-too-slow": 408,
    "too-large": 413,
    "too-many-pictures": 413,
    "wrong-type": 415,
    "decoder-busy": 503,
    "decoder-closed": 503,
    "decoder-lost": 422,
    "decoder-timeout": 422,
}


def status_of(error: ImageloomError) -> int:
    """Return the status of HTTP that an error means; 500 for what should not happen."""
    if error.reason in _REASONS:
        return _REASONS[error.reason]
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def failure_answer(problem: Exception) -> JSONResponse:
    """Return the answer that an error makes; what should not happen is logged."""
    error = any_error(problem, _HINT)
    status = status_of(error)
    if status == 500:
        logger.error("A request failed: %s", error, exc_info=problem)
    return _answer(status, error)


def refusal_answer(refusal: Refusal) -> JSONResponse:
    """Return the answer to a request that is not let in."""
    error = InvalidRequestError(refusal.message, hint=refusal.hint, reason=refusal.reason)
    return _answer(refusal.status, error)


def _answer(status: int, error: ImageloomError) -> JSONResponse:
    content = {**error.to_json(), "error": " ".join(error.sentences)}
    for name in ("id", "resume"):
        content.pop(name)
    headers = {503: {"Retry-After": RETRY_AFTER_S}, 401: {"WWW-Authenticate": "Bearer"}}
    return JSONResponse(content, status_code=status, headers=headers.get(status))
