"""Runs: watched, cancelled, tried again, looked into."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Editor, Operator, Paged, Repeatable, RunsWanted, Search, Use, Viewer
from api.replies import List, Preview, Request
from api.routes import run_views
from etlml.documents import LogEntry, LogLevel, Run
from etlml.services.retries import FAILED
from etlml.services.rows import MOST_ROWS

router = APIRouter(prefix="/runs", tags=["runs"], route_class=StrictRoute)


class RetryRequest(Request):
    """Where to start again."""

    from_: str = Field(FAILED, alias="from", max_length=100, description="failed, start, or the id of a step.")


@router.get("")
def list_runs(
    services: Use,
    _: Viewer,
    page: Paged,
    wanted: RunsWanted,
    oldest_first: Annotated[bool, Query(description="The order of their creation, turned round.")] = False,
) -> List[Run]:
    """Runs, newest first."""
    found = services.runs.list(limit=page.limit, cursor=page.cursor, newest_first=not oldest_first, **wanted)
    return List.of(found)


router.include_router(run_views.router)  # first: its paths are not ids


@router.get("/{run_id}")
def get_run(services: Use, _: Viewer, run_id: str) -> Run:
    """One run with its steps."""
    return services.runs.get(run_id)


@router.delete("/{run_id}", status_code=204)
def delete_run(services: Use, operator: Operator, run_id: str) -> None:
    """Forget a finished run."""
    services.runs.delete(run_id, author=operator.name)


@router.get("/{run_id}/logs")
def get_run_logs(
    services: Use,
    _: Viewer,
    run_id: str,
    page: Paged,
    level: LogLevel | None = None,
    step: Annotated[str | None, Query(max_length=100)] = None,
    q: Search = None,
) -> List[LogEntry]:
    """What the run logged, newest first; ``level`` and above."""
    return List.of(services.runs.logs(run_id, level=level, step_id=step, q=q, limit=page.limit, cursor=page.cursor))


@router.get("/{run_id}/steps/{step_id}/preview")
def preview_step(
    services: Use,
    _: Viewer,
    run_id: str,
    step_id: str,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Preview:
    """Rows that a step gave, computed again if it kept none; 409 if they would be others by now."""
    return Preview.model_validate(services.run_rows.page(run_id, step_id, limit=limit, offset=offset))


@router.post("/{run_id}/cancel", status_code=202)
def cancel_run(services: Use, editor: Editor, run_id: str) -> Run:
    """Take a waiting run from the queue, or have a running one stopped."""
    return services.runs.cancel(run_id, author=editor.name)


@router.post("/{run_id}/retry", status_code=202)
def retry_run(services: Use, editor: Editor, run_id: str, once: Repeatable, body: RetryRequest | None = None) -> Run:
    """Queue a new run that takes over what is done."""
    start = body.from_ if body else FAILED
    return once.create_at(
        "runs",
        get=services.runs.get,
        create=lambda new_id: services.runs.retry(run_id, start, author=editor.name, document_id=new_id),
    )
