"""The file of all log lines that fit the filters of the logs page: sent as it is read, whatever its size."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from etlml.documents import LogLevel
from etlml.errors import EtlmlError, InvalidInput
from etlml.ui.backend import backend

PATH = "etlml-export/logs"
_TEXTS = ("source", "pipeline_id", "run_id", "step_id", "q", "group")
PACKED_FROM = 20_000  # lines; a larger file is compressed


def url(filters: Mapping[str, Any], *, packed: bool) -> str:
    """Where the file of those lines is."""
    given = {name: value for name, value in filters.items() if value}
    for name in ("since", "until"):
        if name in given:
            given[name] = given[name].isoformat()
    return f"{PATH}?{urlencode(given | ({'packed': '1'} if packed else {}))}"


def _filters(params: Mapping[str, str]) -> dict[str, Any]:
    level = params.get("level") or None
    if level is not None and level not in get_args(LogLevel):
        raise InvalidInput(f"{level!r} is not a level. Known: {', '.join(get_args(LogLevel))}.", field="level")
    found: dict[str, Any] = {name: params[name][:400] for name in _TEXTS if params.get(name)}
    for name in ("since", "until"):
        if params.get(name):
            found[name] = _moment(params[name], name)
    return found | {"level": level, "regex": params.get("regex") == "True"}


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is not a time. Write it like 2026-11-22T14:00:00Z.", field=name) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


async def _serve(request: Request) -> Response:
    packed = request.query_params.get("packed") == "1"
    try:
        filters = _filters(request.query_params)
        pieces = await run_in_threadpool(lambda: backend().services.logs.export(packed=packed, **filters))
    except EtlmlError as error:
        return PlainTextResponse(error.message, 400)
    return StreamingResponse(
        pieces,
        media_type="application/gzip" if packed else "text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="etlml.log{".gz" if packed else ""}"'},
    )


routes = [Route(f"/{PATH}", _serve)]
