"""The installation itself: doctor, indexes, diagnostics, packs."""

import shutil
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from api.deps import Admin, Use
from etlml.compute.scratch import scratch, scratch_folder
from etlml.services.database import IndexFact

router = APIRouter(prefix="/system", tags=["system"])
ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}, "description": "A zip file."}}


class IndexReply(BaseModel):
    """One index."""

    collection: str
    name: str
    state: Literal["present", "missing", "extra"]
    bytes: int


class IndexList(BaseModel):
    """All indexes."""

    items: list[IndexReply]


class FindingReply(BaseModel):
    """One thing that the doctor looked at."""

    name: str
    status: Literal["ok", "warn", "fail"]
    message: str
    mend: str = Field(description="What to do; empty if nothing.")


class FindingList(BaseModel):
    """All that the doctor looked at."""

    items: list[FindingReply]


class OutcomeReply(BaseModel):
    """What became, or would become, of one thing of a pack."""

    kind: str
    name: str
    change: Literal["created", "replaced", "skipped"]
    note: str


class OutcomeList(BaseModel):
    """What became of a pack."""

    items: list[OutcomeReply]


@router.get("/doctor")
def get_doctor(services: Use, _: Admin) -> FindingList:
    """What the doctor finds: each check with what to do about it."""
    return FindingList(items=[FindingReply.model_validate(vars(each)) for each in services.doctor.run()])


@router.get("/indexes")
def list_indexes(services: Use, _: Admin) -> IndexList:
    """Every index that is there or should be."""
    return _listed(services.database.indexes())


@router.post("/indexes")
def create_indexes(services: Use, admin: Admin) -> IndexList:
    """Create the indexes that are missing."""
    return _listed(services.database.create_indexes(author=admin.name))


@router.get("/diagnostics", response_model=None, responses=ZIP)
def get_diagnostics(services: Use, admin: Admin) -> Response:
    """A zip file that says how the installation is, without secrets."""
    headers = {"Content-Disposition": 'attachment; filename="etlml-diagnostics.zip"'}
    return Response(services.diagnostics.content(author=admin.name), media_type="application/zip", headers=headers)


@router.get("/pack", response_model=None, responses=ZIP)
def get_pack(
    services: Use,
    admin: Admin,
    runs: Annotated[bool, Query(description="Also ended runs with their checkpoints.")] = False,
    experiments: Annotated[bool, Query(description="Also ended experiments with their metrics.")] = False,
) -> FileResponse:
    """Pipelines, connections without secrets, settings and models in one file."""
    folder = scratch_folder("pack")
    path = folder / "etlml.pack"
    try:
        services.packing.pack(path, runs=runs, experiments=experiments, author=admin.name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    cleaning = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(path, filename=path.name, media_type="application/zip", background=cleaning)


@router.post("/unpack")
def unpack(
    services: Use,
    admin: Admin,
    file: UploadFile,
    replace: Annotated[bool, Query(description="Replace what is there under the same name.")] = False,
    dry_run: Annotated[bool, Query(description="Only say what would be done.")] = False,
) -> OutcomeList:
    """Bring up what a pack holds; what is there already is left alone."""
    with scratch("unpack") as folder:
        path = folder / "given.pack"
        with path.open("wb") as given:
            shutil.copyfileobj(file.file, given)
        outcomes = services.packing.unpack(path, replace=replace, dry_run=dry_run, author=admin.name)
    return OutcomeList(items=[OutcomeReply.model_validate(vars(each)) for each in outcomes])


def _listed(facts: Sequence[IndexFact]) -> IndexList:
    return IndexList(items=[IndexReply.model_validate(vars(fact)) for fact in facts])
