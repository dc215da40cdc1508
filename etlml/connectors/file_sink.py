"""Files as sinks: written beside the target, then renamed over it, so that readers see the old rows or the new."""

import shutil
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import Field

from etlml.compute.names import literal
from etlml.compute.schema import Schema
from etlml.connectors.base import Mode, Sink, Writing, Written
from etlml.connectors.file_additions import add_rows
from etlml.connectors.file_formats import copy_options
from etlml.connectors.folder_sink import write_folder
from etlml.connectors.formats import FileKind, Format, kind_of
from etlml.connectors.journal import FileJournal, staged_path
from etlml.connectors.locks import alone, failures
from etlml.connectors.packed import CHUNK
from etlml.connectors.places import is_glob, located, refuse_own_folders
from etlml.connectors.stopping import refuse_cancelled
from etlml.errors import ConfigInvalid

UNPACKED_WRITES = frozenset({None, "gzip", "zstd"})


class FileSink(Sink):
    """One file, or with ``partition_by`` a folder of files; the format follows from the extension (.gz, .zst may follow it).

    Adding rows to Parquet, JSON or Excel, and merging, write the file again; CSV, TSV and JSON Lines are only added to.
    """

    kind: Literal["file"] = "file"
    path: str = Field(
        min_length=1,
        description="The file, or the folder if partition_by is set. Relative paths start at ETLML_HOME/data.",
    )
    format: Format | None = Field(None, description="Left out: from the extension.")
    partition_by: list[str] = Field(
        default_factory=list, description="Parquet, CSV: one folder for each value of these columns."
    )

    def check(self, data_dir: Path, schema: Schema | None, mode: Mode) -> None:
        kind = self.file_kind()
        if "${" not in self.path:
            self._target(data_dir)
        if kind.packing not in UNPACKED_WRITES:
            raise ConfigInvalid(
                f"Files cannot be written as .{Path(self.path).suffix.lstrip('.')}; use .gz or .zst.", field="sink.path"
            )
        if self.partition_by and kind.format not in ("parquet", "csv"):
            raise ConfigInvalid(
                f"partition_by needs the format parquet or csv, not {kind.format}.", field="sink.partition_by"
            )
        if schema is None or not self.partition_by:
            return
        schema.require(self.partition_by)
        if len({name.lower() for name in self.partition_by}) == len(schema):
            raise ConfigInvalid(
                "partition_by names every column, which leaves none for the files. Leave one out.",
                field="sink.partition_by",
            )

    def takes_lazy(self, mode: Mode) -> bool:
        return mode == "overwrite" and not self.partition_by and self.file_kind().format != "excel"

    def write(self, writing: Writing) -> Written:
        target = self._target(writing.data_dir)
        kind = self.file_kind()
        with failures(str(target)), alone(target, writing.cancelled):
            if self.partition_by:
                return write_folder(target, kind, tuple(self.partition_by), writing)
            return _write_file(target, kind, writing)

    def file_kind(self) -> FileKind:
        """The format and the packing of what is written."""
        name = Path(self.path)
        if self.partition_by and self.format is None and not name.suffix:
            return FileKind("parquet")
        return kind_of(name, self.format, field="sink.path")

    def _target(self, data_dir: Path) -> Path:
        if is_glob(self.path):
            raise ConfigInvalid(
                f"The path {self.path!r} of a sink has *, ? or [ in it; name one file.", field="sink.path"
            )
        target = located(self.path, data_dir)
        refuse_own_folders(target, data_dir)
        return target


def _write_file(target: Path, kind: FileKind, writing: Writing) -> Written:
    if target.is_dir():
        raise IsADirectoryError(21, "Is a directory", str(target))
    journal = FileJournal(target)
    if (rows := journal.rows_of(writing.load_id)) is not None:
        return Written(rows, str(target), target.stat().st_size, already_there=True)
    staged = staged_path(target, writing.load_id)
    try:
        rows = _stage(staged, target, kind, writing)
        refuse_cancelled(writing.cancelled)
        journal.publish(staged, writing.load_id, rows)
    finally:
        staged.unlink(missing_ok=True)
    return Written(rows, str(target), target.stat().st_size)


def _stage(staged: Path, target: Path, kind: FileKind, writing: Writing) -> int:
    adds = writing.mode != "overwrite"
    if not adds and writing.relation.path is not None and kind.format == "parquet":
        return _copied(writing.checkpoint, staged, writing)
    if not adds and kind.format != "excel":
        return _computed(staged, kind, writing)
    with writing.database(*(["excel"] if kind.format == "excel" else [])) as connection:
        if adds:
            return add_rows(connection, staged, target, kind, writing)
        return _exported(connection, staged, kind, writing)


def _copied(checkpoint: Path, staged: Path, writing: Writing) -> int:
    """A Parquet checkpoint is the file already."""
    with checkpoint.open("rb") as source, staged.open("wb") as copy:
        if checkpoint.stat().st_size <= 16 * CHUNK:
            shutil.copyfileobj(source, copy, CHUNK)
        else:
            while chunk := source.read(4 * CHUNK):
                refuse_cancelled(writing.cancelled)
                copy.write(chunk)
    if writing.relation.rows is not None:
        return writing.relation.rows
    return int(writing.session.rows(f"SELECT count(*) FROM read_parquet({literal(str(checkpoint))})")[0][0])


def _computed(staged: Path, kind: FileKind, writing: Writing) -> int:
    """The session writes the rows into the run's folder, the only one that it may write to; from there they move."""
    own = writing.own_file(f".{kind.format}")
    try:
        rows = writing.session.copy(writing.relation, own, options=copy_options(kind))
        try:
            own.replace(staged)
        except OSError:  # another disk
            shutil.copyfile(own, staged)
    finally:
        own.unlink(missing_ok=True)
    return rows


def _exported(connection: duckdb.DuckDBPyConnection, staged: Path, kind: FileKind, writing: Writing) -> int:
    query = f"SELECT * FROM read_parquet({literal(str(writing.checkpoint))})"
    found = connection.execute(f"COPY ({query}) TO {literal(str(staged))} ({copy_options(kind)})").fetchone()
    return int(found[0]) if found else 0
