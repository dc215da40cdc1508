"""Backfills: watched, paused, resumed, cancelled; they start at their pipeline."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.bodies import StrictRoute
from api.deps import Editor, Paged, Use, Viewer
from api.replies import BackfillReply, List
from etlml.documents import Backfill
from etlml.services import Services

router = APIRouter(prefix="/backfills", tags=["backfills"], route_class=StrictRoute)


@router.get("")
def list_backfills(
    services: Use,
    _: Viewer,
    page: Paged,
    pipeline: Annotated[str | None, Query(max_length=100, description="Name or id.")] = None,
    status: Literal["running", "paused", "completed", "failed", "cancelled"] | None = None,
) -> List[BackfillReply]:
    """Backfills with their progress, newest first."""
    found = services.backfills.list(pipeline=pipeline, status=status, limit=page.limit, cursor=page.cursor)
    return List(items=[_reply(services, each) for each in found.items], next_cursor=found.next_cursor)


@router.get("/{backfill_id}")
def get_backfill(services: Use, _: Viewer, backfill_id: str) -> BackfillReply:
    """One backfill with its progress."""
    return _reply(services, services.backfills.get(backfill_id))


@router.post("/{backfill_id}/pause")
def pause_backfill(services: Use, editor: Editor, backfill_id: str) -> BackfillReply:
    """Start no more of its runs; those that wait or go on do so to their end."""
    return _reply(services, services.backfills.pause(backfill_id, author=editor.name))


@router.post("/{backfill_id}/resume")
def resume_backfill(services: Use, editor: Editor, backfill_id: str) -> BackfillReply:
    """Go on after a pause."""
    return _reply(services, services.backfills.resume(backfill_id, author=editor.name))


@router.post("/{backfill_id}/cancel")
def cancel_backfill(services: Use, editor: Editor, backfill_id: str) -> BackfillReply:
    """Start no more of its runs, and cancel those that wait or go on."""
    return _reply(services, services.backfills.cancel(backfill_id, author=editor.name))


def _reply(services: Services, backfill: Backfill) -> BackfillReply:
    return BackfillReply.with_progress(backfill, services.backfills.progress(backfill))
