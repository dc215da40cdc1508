"""Who changed what, when."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import Admin, Paged, Since, Until, Use
from api.replies import List
from etlml.documents import AuditEntry

router = APIRouter(prefix="/audit", tags=["audit"])
_Text = Annotated[str | None, Query(max_length=100)]


@router.get("")
def list_audit(
    services: Use,
    _: Admin,
    page: Paged,
    actor: _Text = None,
    action: _Text = None,
    kind: _Text = None,
    key: _Text = None,
    since: Since = None,
    until: Until = None,
) -> List[AuditEntry]:
    """Entries, newest first."""
    found = services.audit.list(
        actor=actor,
        action=action,
        kind=kind,
        key=key,
        since=since,
        until=until,
        limit=page.limit,
        cursor=page.cursor,
    )
    return List.of(found)
