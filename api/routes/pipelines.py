"""Pipelines: written, checked, versioned, run."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Editor, IfMatch, Moment, Operator, Paged, PipelineDocument, Repeatable, Search, Use, Viewer, tagged
from api.replies import BackfillReply, CheckReply, List, MomentsReply, Request
from etlml.documents import Pipeline, PipelineDraft, PipelineStatus, PipelineVersion, Run, RunStatus
from etlml.errors import VersionConflict

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


class RunRequest(Request):
    """How to run a pipeline."""

    params: dict[str, Any] = Field(default_factory=dict, description="Values in place of the pipeline's own.")
    priority: int | None = Field(None, ge=-100, le=100, description="Higher starts first when slots are scarce.")


class BackfillRequest(Request):
    """For which time to make runs up."""

    since: Moment
    until: Moment
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
) -> List[Pipeline]:
    """Pipelines, newest first; ``q`` is looked for in name, description and tags."""
    return List.of(services.pipelines.list(q=q, tag=tag, status=status, limit=page.limit, cursor=page.cursor))


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
            pipeline_id, wanted.params, trigger="api", author=editor.name, priority=wanted.priority, document_id=new_id
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
    """Queue a run for each moment at which the schedule fired between since and until; with dry_run only list them."""
    if body.dry_run:
        response.status_code = 200
        return MomentsReply(moments=list(services.backfills.moments(pipeline_id, body.since, body.until)))
    backfill = once.create(
        get=services.backfills.get,
        create=lambda new_id: services.backfills.start(
            pipeline_id, body.since, body.until, params=body.params, author=editor.name, document_id=new_id
        ),
    )
    return BackfillReply(**backfill.model_dump(), counts=services.backfills.counts(backfill.id))


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
