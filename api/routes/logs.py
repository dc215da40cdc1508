"""Log lines of everything."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import Paged, Search, Since, Until, Use, Viewer
from api.replies import List
from etlml.documents import LogEntry, LogLevel

router = APIRouter(prefix="/logs", tags=["logs"])


@router.get("")
def query_logs(
    services: Use,
    _: Viewer,
    page: Paged,
    level: LogLevel | None = None,
    source: Annotated[str | None, Query(max_length=100)] = None,
    run_id: Annotated[str | None, Query(max_length=100)] = None,
    step_id: Annotated[str | None, Query(max_length=100)] = None,
    pipeline_id: Annotated[str | None, Query(max_length=100)] = None,
    q: Search = None,
    since: Since = None,
    until: Until = None,
) -> List[LogEntry]:
    """Lines of ``level`` and above, newest first."""
    found = services.logs.query(
        level=level,
        source=source,
        run_id=run_id,
        step_id=step_id,
        pipeline_id=pipeline_id,
        q=q,
        since=since,
        until=until,
        limit=page.limit,
        cursor=page.cursor,
    )
    return List.of(found)
