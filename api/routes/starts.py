"""What starts a pipeline: somebody now, a backfill for times past, its schedule, its webhook."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Editor, Moment, Paged, Repeatable, Use, Viewer, tagged
from api.replies import BackfillReply, List, MomentsReply, NewWebhook, Request, ScheduleReply, WebhookReply
from etlml.documents import Pipeline, Run, RunStatus
from etlml.services.backfills import MOST_PARALLEL, Redo

router = APIRouter(prefix="/pipelines", tags=["pipelines"], route_class=StrictRoute)


class RunRequest(Request):
    """How to run a pipeline."""

    params: dict[str, Any] = Field(default_factory=dict, description="Values in place of the pipeline's own.")
    priority: int | None = Field(None, ge=-100, le=100, description="Higher starts first when slots are scarce.")
    cache: bool = Field(True, description="Whether unchanged steps may use results of earlier runs again.")
    until: str | None = Field(None, description="The step to end with; what it does not need is skipped.")


class BackfillRequest(Request):
    """For which time to make runs up."""

    since: Moment
    until: Moment
    redo: Redo = Field(
        "all", description="all moments, those without a success (failed), those that never ran (missing)."
    )
    parallel: int = Field(1, ge=1, le=MOST_PARALLEL, description="Runs that may wait or go on at once.")
    params: dict[str, Any] = Field(default_factory=dict)
    dry_run: bool = Field(False, description="Only say for which moments there would be runs.")


@router.post("/{pipeline_id}/run", status_code=202)
def run_pipeline(
    services: Use,
    editor: Editor,
    pipeline_id: str,
    once: Repeatable,
    body: RunRequest | None = None,
) -> Run:
    """Queue a run of the pipeline as it is now."""
    wanted = body or RunRequest()
    return once.create_at(
        "runs",
        get=services.runs.get,
        create=lambda new_id: services.runs.start(
            pipeline_id,
            wanted.params,
            trigger="api",
            author=editor.name,
            priority=wanted.priority,
            document_id=new_id,
            cache=wanted.cache,
            until=wanted.until,
        ),
    )


@router.get("/{pipeline_id}/runs")
def list_runs_of_pipeline(
    services: Use, _: Viewer, pipeline_id: str, page: Paged, status: RunStatus | None = None
) -> List[Run]:
    """The pipeline's runs, newest first."""
    pipeline = services.pipelines.get(pipeline_id)
    return List.of(services.runs.list(pipeline=pipeline.id, status=status, limit=page.limit, cursor=page.cursor))


@router.post("/{pipeline_id}/backfill", status_code=202, responses={200: {"model": MomentsReply}})
def backfill_pipeline(
    services: Use, editor: Editor, pipeline_id: str, body: BackfillRequest, once: Repeatable, response: Response
) -> BackfillReply | MomentsReply:
    """Have a run made for each moment at which the schedule fired from since to until; with dry_run only list them."""
    if body.dry_run:
        response.status_code = 200
        return MomentsReply(
            moments=list(services.backfills.moments(pipeline_id, body.since, body.until, redo=body.redo))
        )
    backfill = once.create_at(
        "backfills",
        get=services.backfills.get,
        create=lambda new_id: services.backfills.start(
            pipeline_id,
            body.since,
            body.until,
            redo=body.redo,
            parallel=body.parallel,
            params=body.params,
            author=editor.name,
            document_id=new_id,
        ),
    )
    return BackfillReply.with_progress(backfill, services.backfills.progress(backfill))


@router.get("/{pipeline_id}/schedule")
def get_schedule(services: Use, _: Viewer, pipeline_id: str) -> ScheduleReply:
    """When the pipeline runs next, and which fires were missed, with the reason."""
    return ScheduleReply.of(services.schedules.get(pipeline_id))


@router.post("/{pipeline_id}/pause")
def pause_pipeline(services: Use, editor: Editor, pipeline_id: str, response: Response) -> Pipeline:
    """Have neither the schedule nor triggers start the pipeline; people still can."""
    return tagged(response, services.schedules.pause(pipeline_id, author=editor.name))


@router.post("/{pipeline_id}/resume")
def resume_pipeline(services: Use, editor: Editor, pipeline_id: str, response: Response) -> Pipeline:
    """End the pause; what was due meanwhile is not made up."""
    return tagged(response, services.schedules.resume(pipeline_id, author=editor.name))


@router.get("/{pipeline_id}/webhook")
def get_webhook(services: Use, _: Viewer, pipeline_id: str) -> WebhookReply:
    """How the pipeline's webhook was called: the last delivery, how many calls were refused, and the last of these."""
    return WebhookReply.model_validate(vars(services.webhooks.calls(pipeline_id)))


@router.post("/{pipeline_id}/webhook", status_code=201)
def create_webhook(services: Use, editor: Editor, pipeline_id: str) -> NewWebhook:
    """Give the pipeline a webhook; the answer shows its token, once. 409 if it has one."""
    return _webhook(services.webhooks.create(pipeline_id, author=editor.name))


@router.post("/{pipeline_id}/webhook/rotate")
def rotate_webhook(services: Use, editor: Editor, pipeline_id: str) -> NewWebhook:
    """A new token in the place of the old one, which stops working at once."""
    return _webhook(services.webhooks.rotate(pipeline_id, author=editor.name))


@router.delete("/{pipeline_id}/webhook", status_code=204)
def remove_webhook(services: Use, editor: Editor, pipeline_id: str) -> None:
    """Take the webhook away."""
    services.webhooks.remove(pipeline_id, author=editor.name)


def _webhook(token: str) -> NewWebhook:
    return NewWebhook(token=token, path=f"/api/hooks/{token}")
