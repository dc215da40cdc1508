"""Files to take along: all rows of a step, all rows that differ. Sent by routes of ours, so that no page holds them in memory."""

import asyncio
import html
from collections.abc import Callable, Sequence
from typing import get_args
from urllib.parse import quote, urlencode

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from etlml.errors import EtlmlError, NotFound
from etlml.services.step_files import Download, FileFormat
from etlml.ui.backend import backend

PREFIX = "etlml-download"
_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)


async def _rows(request: Request) -> Response:
    run, step = request.path_params["run"], request.path_params["step"]
    return await _sent(lambda: backend().services.step_files.rows(run, step, _form(request)))


async def _differences(request: Request) -> Response:
    before, after, step = (request.path_params[name] for name in ("before", "after", "step"))
    keys = request.query_params.getlist("key") or None
    return await _sent(
        lambda: backend().services.step_files.differences(before, after, step, _form(request), keys=keys)
    )


async def _set_aside(request: Request) -> Response:
    validation = request.path_params["validation"]
    return await _sent(lambda: backend().services.quarantine.file(validation, _form(request)))


def _form(request: Request) -> FileFormat:
    wanted = request.path_params["form"]
    for form in _FORMATS:
        if form == wanted:
            return form
    raise NotFound("format", wanted, _FORMATS)


async def _sent(make: Callable[[], Download]) -> Response:
    try:
        found = await asyncio.to_thread(make)
    except EtlmlError as error:
        return PlainTextResponse(error.message, 404)
    return FileResponse(
        found.path,
        media_type=found.media_type,
        filename=found.name,
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        background=BackgroundTask(found.done),
    )


routes = [
    Route(f"/{PREFIX}/rows/{{run}}/{{step}}.{{form}}", _rows),
    Route(f"/{PREFIX}/differences/{{before}}/{{after}}/{{step}}.{{form}}", _differences),
    Route(f"/{PREFIX}/set-aside/{{validation}}.{{form}}", _set_aside),
]


def rows_html(run_id: str, step_id: str) -> str:
    """Links to every row that a step gave."""
    return _links("All rows", f"{PREFIX}/rows/{quote(run_id)}/{quote(step_id)}", "")


def differences_html(before: str, after: str, step_id: str, keys: Sequence[str]) -> str:
    """Links to every row that differs between two runs."""
    query = urlencode([("key", key) for key in keys])
    return _links("All differences", f"{PREFIX}/differences/{quote(before)}/{quote(after)}/{quote(step_id)}", query)


def set_aside_html(validation_id: str) -> str:
    """Links to every row that a check set aside."""
    return _links("All of them", f"{PREFIX}/set-aside/{quote(validation_id)}", "")


def _links(what: str, path: str, query: str) -> str:
    asked = f"?{query}" if query else ""
    links = "".join(
        f'<a href="{html.escape(f"{path}.{form}{asked}", quote=True)}" download>{label}</a>'
        for form, label in (("parquet", "Parquet"), ("csv", "CSV"))
    )
    return f'<div class="downloads"><span>{what} as</span>{links}</div>'
