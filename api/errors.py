"""One shape for every error: ``{"error": {"type", "message", "details"}}`` with the true status code."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from etlml.errors import (
    Conflict,
    EtlmlError,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    StepError,
    TooManyRequests,
    Unavailable,
    VersionConflict,
)
from etlml.redaction import redacted, redacted_document

_logger = logging.getLogger(__name__)
_SHOWN_PROBLEMS = 5
_PLACES = {"body": "Field", "query": "Query parameter", "path": "Path parameter", "header": "Header"}
_LONGEST_INPUT = 60
HOOKS = "/api/hooks/"
SECRET_PATH = HOOKS + "{token}"
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

STATUS_OF: tuple[tuple[type[EtlmlError], HTTPStatus], ...] = (
    (VersionConflict, HTTPStatus.PRECONDITION_FAILED),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StepError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (EtlmlError, HTTPStatus.BAD_REQUEST),
)
_TYPE_OF = {
    400: "BadRequest",
    401: "NotSignedIn",
    403: "NotAllowed",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "BodyTooLarge",
    415: "UnsupportedMediaType",
    421: "WrongHost",
    429: "TooManyRequests",
}


class ErrorBody(BaseModel):
    """What was wrong, where, and the mend."""

    type: str = Field(description="Name of the kind of error, such as NotFound or PipelineInvalid.")
    message: str = Field(description="Full sentences for people.")
    details: dict[str, Any] = Field(description="Facts for programs: field, step, position, problems, ...")


class ErrorReply(BaseModel):
    """Every error has this shape."""

    error: ErrorBody


COMMON_RESPONSES: dict[int | str, dict[str, Any]] = {
    int(status): {"model": ErrorReply, "description": HTTPStatus(status).phrase}
    for status in (400, 401, 403, 404, 405, 409, 412, 413, 415, 421, 422, 429, 500, 503)
}


def error_reply(
    status: int,
    type_: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error as a response; secrets are masked."""
    body = {
        "type": type_,
        "message": redacted(message),
        "details": redacted_document(jsonable_encoder(dict(details or {}))),
    }
    return JSONResponse({"error": body}, status_code=status, headers=dict(headers or {}))


def status_of(error: EtlmlError) -> int:
    """The status code that says what kind of error this is."""
    return next(int(status) for kind, status in STATUS_OF if isinstance(error, kind))


def install_handlers(app: FastAPI) -> None:
    """Have every error of an app leave it in the one shape."""
    app.add_exception_handler(EtlmlError, _etlml_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


async def _etlml_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, EtlmlError):
        raise error
    status = status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.details["retry_after_s"])
    return error_reply(status, error.type, error.message, error.details, headers)


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    problems = [_problem(complaint) for complaint in error.errors()]
    malformed = any(complaint["type"] == "json_invalid" for complaint in error.errors())
    message = " ".join(problem["message"] for problem in problems[:_SHOWN_PROBLEMS])
    if malformed:
        return error_reply(HTTPStatus.BAD_REQUEST, "MalformedJson", message, {"problems": problems})
    details = {"field": problems[0]["field"] if problems else None, "problems": problems}
    return error_reply(HTTPStatus.UNPROCESSABLE_ENTITY, "RequestInvalid", message, details)


def _problem(complaint: Mapping[str, Any]) -> dict[str, Any]:
    place, *rest = complaint["loc"]
    field = _dotted(rest)
    if complaint["type"] == "json_invalid":
        position = rest[0] if rest else 0
        reason = str(complaint.get("ctx", {}).get("error", complaint["msg"]))
        return {
            "field": None,
            "position": position,
            "message": f"The body is not JSON: {reason} at character {position}.",
        }
    where = _PLACES.get(str(place), str(place))
    named = f"{where} {field!r}" if field else "The body"
    return {"field": field or None, "message": _sentence(named, complaint)}


def _sentence(named: str, complaint: Mapping[str, Any]) -> str:
    kind = complaint["type"]
    if kind == "missing":
        return f"{named} is missing."
    if kind == "extra_forbidden":
        return f"{named} is not known."
    reason = str(complaint["msg"]).removeprefix("Value error, ")
    given = repr(complaint.get("input"))
    shown = given if len(given) <= _LONGEST_INPUT else given[:_LONGEST_INPUT] + "..."
    return f"{named} is {shown}: {reason[:1].lower()}{reason[1:]}."


def _dotted(parts: Sequence[Any]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    type_ = _TYPE_OF.get(error.status_code, HTTPStatus(error.status_code).phrase.title().replace(" ", ""))
    message = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND and message == "Not Found":
        message = f"There is nothing at {request.url.path}. /api/docs lists what there is."
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_allowed_methods(request))
        message = f"{request.method[:20]} is not possible here. Possible: {allowed}."
        return error_reply(error.status_code, type_, message, headers={"Allow": allowed})
    return error_reply(error.status_code, type_, message, headers=error.headers)


def _allowed_methods(request: Request) -> list[str]:
    """Every method that some route has for this path; the framework names those of the first one only."""
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] == Match.FULL for route in request.app.routes)
    ]


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    path = SECRET_PATH if request.url.path.startswith(HOOKS) else request.url.path
    _logger.error("%s %s failed", request.method, path, exc_info=error)
    return error_reply(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "InternalError",
        "Something went wrong inside the platform. The log has the details; please report it.",
    )
