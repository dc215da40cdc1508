"""Pipelines: written, checked, versioned, run."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Editor, IfMatch, Moment, Operator, Paged, PipelineDocument, Repeatable, Search, Use, Viewer, tagged
from api.replies import BackfillReply, CheckReply, DiffReply, List, MomentsReply, NewWebhook, Request, ScheduleReply
from etlml.documents import Pipeline, PipelineDraft, PipelineStatus, PipelineVersion, Run, RunStatus
from etlml.errors import InvalidInput, VersionConflict
from etlml.services.backfills import MOST_PARALLEL, Redo
from etlml.services.lineage import LineageGraph, Trail
from etlml.services.pipelines import Sort
from etlml.services.preview import MOST_ROWS, Preview

router = APIRouter(prefix="/pipelines", tags=["pipelines"], route_class=StrictRoute)
_DRAFT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/PipelineDraft"}},
            "application/yaml": {"schema": {"type": "string"}},
        },
    }
}


VersionNumber = Annotated[int, Path(ge=1, le=2**31, description="The number of a saved version.")]


class RunRequest(Request):
    """How to run a pipeline."""

    params: dict[str, Any] = Field(default_factory=dict, description="Values in place of the pipeline's own.")
    priority: int | None = Field(None, ge=-100, le=100, description="Higher starts first when slots are scarce.")
    cache: bool = Field(True, description="Whether unchanged steps may use results of earlier runs again.")
    until: str | None = Field(None, description="The step to end with; what it does not need is skipped.")


class PreviewRequest(Request):
    """Which step of which document to look at."""

    document: dict[str, Any] = Field(description="A pipeline, as for POST /pipelines.")
    step: str = Field(max_length=100)
    params: dict[str, Any] = Field(default_factory=dict, description="Values in place of the document's own.")
    limit: int = Field(100, ge=0, le=MOST_ROWS, description="How many rows are shown.")


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


@router.get("")
def list_pipelines(
    services: Use,
    _: Viewer,
    page: Paged,
    q: Search = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
    status: PipelineStatus | None = None,
    sort: Sort = "newest",
) -> List[Pipeline]:
    """Pipelines, newest first unless sorted; ``q`` is looked for in name, description and tags."""
    found = services.pipelines.list(q=q, tag=tag, status=status, sort=sort, limit=page.limit, cursor=page.cursor)
    return List.of(found)


@router.post("", status_code=201, openapi_extra=_DRAFT)
def create_pipeline(
    services: Use, editor: Editor, document: PipelineDocument, once: Repeatable, response: Response
) -> Pipeline:
    """Check a document (JSON or YAML) and save it as a new pipeline."""
    pipeline = once.create(
        get=services.pipelines.get,
        create=lambda new_id: services.pipelines.create(document, author=editor.name, document_id=new_id),
    )
    tagged(response, pipeline)
    response.headers["Location"] = f"/api/pipelines/{pipeline.id}"
    return pipeline


@router.post("/validate", openapi_extra=_DRAFT)
def validate_pipeline(services: Use, _: Viewer, document: PipelineDocument) -> CheckReply:
    """Check a document (JSON or YAML) and save nothing."""
    return CheckReply.model_validate(services.pipelines.validate(document))


@router.post("/preview")
def preview_step(services: Use, _: Editor, body: PreviewRequest) -> Preview:
    """What a step of a document, saved or not, would give: rows, columns, SQL. Nothing is written anywhere."""
    return services.previews.of_step(body.document, body.step, params=body.params, limit=body.limit)


@router.get("/{pipeline_id}", responses={200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}})
def get_pipeline(
    services: Use, _: Viewer, pipeline_id: str, response: Response, accept: Annotated[str, Header()] = ""
) -> Pipeline:
    """One pipeline, by id or name; as YAML with ``Accept: application/yaml``."""
    pipeline = services.pipelines.get(pipeline_id)
    if "yaml" in accept.lower():
        return _yaml(services.pipelines.to_yaml(pipeline), pipeline)  # type: ignore[return-value]
    tagged(response, pipeline)
    return pipeline


@router.put("/{pipeline_id}", openapi_extra=_DRAFT)
def update_pipeline(
    services: Use, editor: Editor, pipeline_id: str, document: PipelineDocument, if_match: IfMatch, response: Response
) -> Pipeline:
    """Check a document (JSON or YAML) and save it as the pipeline's next version."""
    pipeline = services.pipelines.update(pipeline_id, document, expected_version=_version(if_match), author=editor.name)
    tagged(response, pipeline)
    return pipeline


@router.delete("/{pipeline_id}", status_code=204)
def delete_pipeline(services: Use, operator: Operator, pipeline_id: str) -> None:
    """Delete a pipeline and its versions; its runs stay. 409 while a run of it waits or goes on."""
    services.pipelines.delete(pipeline_id, author=operator.name)


@router.get("/{pipeline_id}/versions")
def list_versions(services: Use, _: Viewer, pipeline_id: str) -> List[PipelineVersion]:
    """Every saved version, newest first."""
    return List.model_construct(items=list(services.pipelines.versions(pipeline_id)), next_cursor=None)


@router.get("/{pipeline_id}/versions/{before}/diff/{after}")
def compare_versions(
    services: Use, _: Viewer, pipeline_id: str, before: VersionNumber, after: VersionNumber
) -> DiffReply:
    """What changed from one version to another: settings, steps with their fields, and the YAML."""
    return DiffReply.model_validate(asdict(services.pipelines.diff(pipeline_id, before, after)))


@router.post("/{pipeline_id}/versions/{version}/restore")
def restore_version(
    services: Use, editor: Editor, pipeline_id: str, version: VersionNumber, response: Response
) -> Pipeline:
    """Save an earlier version as the newest one; webhooks stay as they are."""
    pipeline = services.pipelines.restore(pipeline_id, version, author=editor.name)
    tagged(response, pipeline)
    return pipeline


@router.get(
    "/{pipeline_id}/script",
    response_model=None,
    responses={200: {"content": {"text/x-python": {"schema": {"type": "string"}}}}},
)
def get_script(services: Use, _: Viewer, pipeline_id: str) -> PlainTextResponse:
    """The pipeline as one plain Python script that runs without the platform."""
    return PlainTextResponse(services.scripts.of(pipeline_id), media_type="text/x-python")


@router.get("/{pipeline_id}/lineage")
def get_lineage(
    services: Use,
    _: Viewer,
    pipeline_id: str,
    step: Annotated[str | None, Query(max_length=100)] = None,
    column: Annotated[str | None, Query(max_length=300)] = None,
) -> LineageGraph | Trail:
    """Where each column of each step comes from; with step and column, the way of that one."""
    if step is None and column is None:
        return services.lineage.of(pipeline_id)
    if step is None or column is None:
        raise InvalidInput("Give both step and column, or neither.", field="column" if column is None else "step")
    return services.lineage.trail(pipeline_id, step, column)


@router.post("/{pipeline_id}/run", status_code=202)
def run_pipeline(
    services: Use,
    editor: Editor,
    pipeline_id: str,
    once: Repeatable,
    response: Response,
    body: RunRequest | None = None,
) -> Run:
    """Queue a run of the pipeline as it is now."""
    wanted = body or RunRequest()
    run = once.create(
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
    response.headers["Location"] = f"/api/runs/{run.id}"
    return run


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
    backfill = once.create(
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
    response.headers["Location"] = f"/api/backfills/{backfill.id}"
    return BackfillReply.with_progress(backfill, services.backfills.progress(backfill))


@router.get("/{pipeline_id}/schedule")
def get_schedule(services: Use, _: Viewer, pipeline_id: str) -> ScheduleReply:
    """When the pipeline runs next, and which fires were missed, with the reason."""
    return ScheduleReply.of(services.schedules.get(pipeline_id))


@router.post("/{pipeline_id}/pause")
def pause_pipeline(services: Use, editor: Editor, pipeline_id: str, response: Response) -> Pipeline:
    """Have neither the schedule nor triggers start the pipeline; people still can."""
    pipeline = services.schedules.pause(pipeline_id, author=editor.name)
    tagged(response, pipeline)
    return pipeline


@router.post("/{pipeline_id}/resume")
def resume_pipeline(services: Use, editor: Editor, pipeline_id: str, response: Response) -> Pipeline:
    """End the pause; what was due meanwhile is not made up."""
    pipeline = services.schedules.resume(pipeline_id, author=editor.name)
    tagged(response, pipeline)
    return pipeline


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


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    if not if_match.isdecimal() or len(if_match) > 9:
        raise VersionConflict(f'If-Match {if_match[:40]!r} is no version of this pipeline. Send its ETag, such as "3".')
    return int(if_match)


def _yaml(text: str, pipeline: PipelineDraft) -> PlainTextResponse:
    response = PlainTextResponse(text, media_type="application/yaml")
    if isinstance(pipeline, Pipeline):
        tagged(response, pipeline)
    return response
