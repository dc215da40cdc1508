"""Rows of a file in, rows to a file or standard output out: a batch at a time, however many there are."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

import typer

BATCH_ROWS = 20_000
TARGETS = (".csv", ".jsonl", ".parquet")

Row = dict[str, Any]


@contextmanager
def rows_of(path: Path) -> Iterator[Iterator[list[Row]]]:
    """The rows of any file that an extract step reads, as batches.

    Raises:
        DataUnreadable: It cannot be read.
    """
    from etlml.compute.scratch import scratch
    from etlml.compute.session import Session
    from etlml.connectors.base import Reading
    from etlml.connectors.file_source import FileSource
    from etlml.settings import get_settings

    settings = get_settings()
    source = FileSource(path=str(path.expanduser().resolve()) if path.exists() else str(path))
    readable = [file.resolve() for file in source.paths(settings.data_dir)]
    with (
        scratch("table") as folder,
        Session(folder, memory_bytes=settings.run_memory, readable=readable, width=1) as session,
    ):
        relation = source.read(
            Reading(
                name="data",
                folder=session.folder,
                data_dir=settings.data_dir,
                session=session,
                memory_bytes=settings.run_memory,
                cancelled=lambda: False,
                log=lambda _level, _message: None,
            )
        )
        with session.cursor() as cursor:
            cursor.execute('SELECT * FROM "data"')
            names = relation.schema.names
            yield iter(lambda: [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(BATCH_ROWS)], [])


def checked_target(path: Path) -> None:
    """Refuse a file that could not be written, before any work is done.

    Raises:
        typer.BadParameter: Its ending names no format that can be written, or its folder is not there.
    """
    if path.suffix.lower() not in TARGETS:
        raise typer.BadParameter(f"{path} must end in one of {', '.join(TARGETS)}.", param_hint="--output")
    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"There is no folder {path.absolute().parent}.", param_hint="--output")


def write_rows(batches: Iterable[list[Row]], path: Path) -> int:
    """Write rows to a file, whole or not at all; how many there were."""
    partial = path.with_name(f".{path.name}.partial")
    write: dict[str, Callable[[Iterable[list[Row]], Path], int]] = {
        ".csv": _write_csv_file,
        ".jsonl": _write_json_lines,
        ".parquet": _write_parquet,
    }
    try:
        count = write[path.suffix.lower()](batches, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def write_csv(batches: Iterable[list[Row]], stream: IO[str] | None = None) -> int:
    """Write rows as CSV, to standard output unless told otherwise."""
    stream = stream or sys.stdout
    rows = chain.from_iterable(batches)
    first = next(rows, None)
    if first is None:
        return 0
    writer = csv.DictWriter(stream, fieldnames=list(first), lineterminator="\n")
    writer.writeheader()
    count = 0
    for row in chain([first], rows):
        writer.writerow(row)
        count += 1
    return count


def _write_csv_file(batches: Iterable[list[Row]], path: Path) -> int:
    with path.open("w", encoding="utf-8", newline="") as stream:
        return write_csv(batches, stream)


def _write_json_lines(batches: Iterable[list[Row]], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as stream:
        for row in chain.from_iterable(batches):
            stream.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
            count += 1
    return count


def _write_parquet(batches: Iterable[list[Row]], path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: Sequence[Row] = list(chain.from_iterable(batches))
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return len(rows)
