"""Data files: what lies in ETLML_HOME/data for steps to read."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, UploadFile
from pydantic import BaseModel, Field

from api.deps import Editor, Search, Use, Viewer
from etlml.services.data_files import DataFile

router = APIRouter(prefix="/files", tags=["files"])


class FileReply(BaseModel):
    """One data file."""

    path: str = Field(description="As a source's path takes it.")
    kind: str = Field(description="Its format, sqlite or duckdb.")
    bytes: int
    modified_at: datetime

    @classmethod
    def of(cls, file: DataFile) -> "FileReply":
        """A file as a reply."""
        return cls.model_validate(vars(file))


class FileList(BaseModel):
    """Data files."""

    items: list[FileReply]


class TableList(BaseModel):
    """The tables and views of a database file."""

    items: list[str]


@router.get("")
def list_files(
    services: Use,
    _: Viewer,
    q: Search = None,
    kind: Annotated[str | None, Query(max_length=20, description="A format, sqlite or duckdb.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> FileList:
    """The files that a step can read, newest first."""
    found = services.data_files.list(q=q, kinds=None if kind is None else [kind], limit=limit)
    return FileList(items=[FileReply.of(each) for each in found])


@router.post("", status_code=201)
def add_file(
    services: Use,
    editor: Editor,
    file: UploadFile,
    replace: Annotated[
        bool, Query(description="Take the place of the file of that name, instead of the next free number.")
    ] = False,
) -> FileReply:
    """Keep a file among the uploads, for steps to read."""
    return FileReply.of(services.data_files.add(file.filename or "", file.file, replace=replace, author=editor.name))


@router.get("/tables")
def list_tables(services: Use, _: Viewer, path: Annotated[str, Query(min_length=1, max_length=1000)]) -> TableList:
    """The tables and views of an SQLite or DuckDB file."""
    return TableList(items=services.data_files.tables(path))
