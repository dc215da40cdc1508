"""Pipelines: written, checked, versioned, looked into."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Editor, IfMatch, Operator, Paged, PipelineDocument, Repeatable, Search, Use, Viewer, tagged
from api.replies import CheckReply, DiffReply, List, Request
from etlml.documents import Pipeline, PipelineDraft, PipelineStatus, PipelineVersion
from etlml.errors import InvalidInput, VersionConflict
from etlml.services.lineage import LineageGraph, Trail
from etlml.services.pipelines import Sort
from etlml.services.preview import MOST_ROWS, Preview
from etlml.services.starters import template

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


class PreviewRequest(Request):
    """Which step of which document to look at."""

    document: dict[str, Any] = Field(description="A pipeline, as for POST /pipelines.")
    step: str = Field(max_length=100)
    params: dict[str, Any] = Field(default_factory=dict, description="Values in place of the document's own.")
    limit: int = Field(100, ge=0, le=MOST_ROWS, description="How many rows are shown.")
    changes_of: int | None = Field(
        None,
        ge=0,
        le=10_000,
        description="The op of a transform, from 0, whose changed rows are told; later ones are left.",
    )


class NameRequest(Request):
    """What a new pipeline is to be called."""

    name: str


class FileRequest(NameRequest):
    """A new pipeline's name, and the data file that it reads."""

    path: str = Field(min_length=1, description="As GET /files gives it.")


Make = Callable[[Callable[[str | None], Pipeline]], Pipeline]


def _making(services: Use, once: Repeatable, response: Response) -> Make:
    """Makes a new pipeline, however often the request is repeated with its key: what is called gets the new id."""
    return lambda create: tagged(response, once.create_at("pipelines", get=services.pipelines.get, create=create))


Making = Annotated[Make, Depends(_making)]


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
def create_pipeline(services: Use, editor: Editor, document: PipelineDocument, made: Making) -> Pipeline:
    """Check a document (JSON or YAML) and save it as a new pipeline."""
    return made(lambda new_id: services.pipelines.create(document, author=editor.name, document_id=new_id))


@router.post("/from-template/{key}", status_code=201)
def create_from_template(services: Use, editor: Editor, key: str, body: NameRequest, made: Making) -> Pipeline:
    """Make a pipeline of a template of GET /templates."""
    document = template(key).document(body.name)
    return made(lambda new_id: services.pipelines.create(document, author=editor.name, document_id=new_id))


@router.post("/from-file", status_code=201)
def create_from_file(services: Use, editor: Editor, body: FileRequest, made: Making) -> Pipeline:
    """Make a pipeline that reads a data file."""
    document = {**services.data_files.reader(body.path), "name": body.name}
    return made(lambda new_id: services.pipelines.create(document, author=editor.name, document_id=new_id))


@router.post("/{pipeline_id}/copy", status_code=201)
def copy_pipeline(services: Use, editor: Editor, pipeline_id: str, body: NameRequest, made: Making) -> Pipeline:
    """Make a pipeline that does what this one does; it has no schedule, so that nothing runs twice."""
    author = editor.name
    return made(lambda new_id: services.pipelines.copy(pipeline_id, body.name, author=author, document_id=new_id))


@router.post("/validate", openapi_extra=_DRAFT)
def validate_pipeline(services: Use, _: Viewer, document: PipelineDocument) -> CheckReply:
    """Check a document (JSON or YAML) and save nothing."""
    return CheckReply.model_validate(services.pipelines.validate(document))


@router.post("/preview")
def preview_step(services: Use, _: Editor, body: PreviewRequest) -> Preview:
    """What a step of a document, saved or not, would give: rows, columns, SQL. Nothing is written anywhere."""
    return services.previews.of_step(
        body.document, body.step, params=body.params, changes_of=body.changes_of, limit=body.limit
    )


@router.get("/{pipeline_id}", responses={200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}})
def get_pipeline(
    services: Use, _: Viewer, pipeline_id: str, response: Response, accept: Annotated[str, Header()] = ""
) -> Pipeline:
    """One pipeline, by id or name; as YAML with ``Accept: application/yaml``."""
    pipeline = services.pipelines.get(pipeline_id)
    if "yaml" in accept.lower():
        return _yaml(services.pipelines.to_yaml(pipeline), pipeline)  # type: ignore[return-value]
    return tagged(response, pipeline)


@router.put("/{pipeline_id}", openapi_extra=_DRAFT)
def update_pipeline(
    services: Use, editor: Editor, pipeline_id: str, document: PipelineDocument, if_match: IfMatch, response: Response
) -> Pipeline:
    """Check a document (JSON or YAML) and save it as the pipeline's next version."""
    pipeline = services.pipelines.update(pipeline_id, document, expected_version=_version(if_match), author=editor.name)
    return tagged(response, pipeline)


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
    return tagged(response, services.pipelines.restore(pipeline_id, version, author=editor.name))


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
