"""Validations: those of runs, and checks of any data."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import Field, model_validator

from api.bodies import StrictRoute
from api.deps import Editor, Operator, Paged, Repeatable, Search, Since, Until, Use, Viewer
from api.replies import List, Preview, Request
from api.routes.run_views import FILES, sent
from etlml.documents import Validation, ValidationStatus
from etlml.services.rows import MOST_ROWS
from etlml.services.step_files import FileFormat

router = APIRouter(prefix="/validations", tags=["validations"], route_class=StrictRoute)


class ValidationRequest(Request):
    """Which data to check against which rules."""

    data: dict[str, list[Any]] | None = Field(None, description="A list of values for each column.")
    path: str | None = Field(
        None, max_length=1000, pattern=r"^[^\x00]+$", description="A file; in ETLML_HOME/data or elsewhere."
    )
    connection: str | None = Field(None, max_length=100, description="Name or id of a connection; needs table.")
    table: str | None = Field(None, max_length=200, pattern=r"^[^\x00]+$")
    rules: list[dict[str, Any]] = Field(min_length=1, max_length=1000)
    name: str | None = Field(None, max_length=200)
    save: bool = Field(True, description="Whether it is kept among the validations.")

    @model_validator(mode="after")
    def _has_one_source(self) -> "ValidationRequest":
        if sum(source is not None for source in (self.data, self.path, self.connection)) != 1:
            raise ValueError("give one of data, path, or connection with table")
        if (self.connection is None) != (self.table is None):
            raise ValueError("connection and table belong together")
        return self


@router.get("")
def list_validations(
    services: Use,
    _: Viewer,
    page: Paged,
    status: ValidationStatus | None = None,
    pipeline_id: Annotated[str | None, Query(max_length=100)] = None,
    run_id: Annotated[str | None, Query(max_length=100)] = None,
    q: Search = None,
    since: Since = None,
    until: Until = None,
) -> List[Validation]:
    """Validations, newest first."""
    found = services.validations.list(
        status=status,
        pipeline_id=pipeline_id,
        run_id=run_id,
        q=q,
        since=since,
        until=until,
        limit=page.limit,
        cursor=page.cursor,
    )
    return List.of(found)


@router.post("/run")
def run_validation(services: Use, editor: Editor, body: ValidationRequest, once: Repeatable) -> Validation:
    """Check data against rules now; broken rules are the outcome, not an error."""
    source: Any = body.data if body.data is not None else body.path

    def run(new_id: str | None) -> Validation:
        if body.connection is not None and body.table is not None:
            return services.validations.run_on_table(
                body.connection,
                body.table,
                body.rules,
                name=body.name,
                save=body.save,
                author=editor.name,
                document_id=new_id,
            )
        return services.validations.run(
            source, body.rules, name=body.name, save=body.save, author=editor.name, document_id=new_id
        )

    return once.create(get=services.validations.get, create=run)


@router.get("/{validation_id}")
def get_validation(services: Use, _: Viewer, validation_id: str) -> Validation:
    """One validation with the outcome of each rule."""
    return services.validations.get(validation_id)


@router.get("/{validation_id}/set-aside")
def preview_set_aside(
    services: Use,
    _: Viewer,
    validation_id: str,
    limit: Annotated[int, Query(ge=0, le=MOST_ROWS)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Preview:
    """Rows that the check set aside, each with the rules that it breaks."""
    return Preview.model_validate(services.quarantine.page(validation_id, limit=limit, offset=offset))


@router.get("/{validation_id}/set-aside/rows", response_class=FileResponse, responses=FILES)
def download_set_aside(services: Use, _: Viewer, validation_id: str, format: FileFormat = "csv") -> FileResponse:
    """Every row that the check set aside, as a file."""
    return sent(services.quarantine.file(validation_id, format))


@router.delete("/{validation_id}", status_code=204)
def delete_validation(services: Use, operator: Operator, validation_id: str) -> None:
    """Forget a validation."""
    services.validations.delete(validation_id, author=operator.name)
