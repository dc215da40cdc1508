"""Rows of a checkpoint, a few at a time, as JSON."""

import base64
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from etlml.compute.duck import open_database
from etlml.compute.names import literal
from etlml.compute.translate import translated
from etlml.errors import NotFound

MOST_ROWS = 10_000
_MEMORY = 256 * 2**20
_SAFE_INTEGER = 2**53  # beyond it a JSON reader that keeps numbers as doubles, such as a browser, changes the value


def parquet_page(path: Path, *, limit: int = 100, offset: int = 0) -> dict[str, Any]:
    """``{"columns": [{name, type}], "rows": [{...}], "total"}``: some rows of a Parquet file, read without loading the rest.

    Raises:
        NotFound: There is no such file any more.
    """
    if not path.is_file():
        raise NotFound("checkpoint", path.name)
    source = f"read_parquet({literal(str(path))})"
    connection = open_database(memory_bytes=_MEMORY, threads=1)
    try:
        columns = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        rows = connection.execute(f"SELECT * FROM {source} LIMIT {min(limit, MOST_ROWS)} OFFSET {offset}").fetchall()
        total = connection.execute(f"SELECT count(*) FROM {source}").fetchone()
    except duckdb.Error as error:
        raise translated(error) from error
    finally:
        connection.close()
    names = [str(column[0]) for column in columns]
    return {
        "columns": [{"name": str(column[0]), "type": str(column[1])} for column in columns],
        "rows": [dict(zip(names, map(json_value, row), strict=True)) for row in rows],
        "total": int(total[0]) if total else 0,
    }


def json_value(value: Any) -> Any:
    """A cell as JSON has it: times as ISO 8601, exact numbers beyond a double's reach and bytes (base64) as text, NaN as null."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return json_value(float(value)) if len(value.as_tuple().digits) <= 15 else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [json_value(item) for item in value]
    return str(value) if isinstance(value, UUID) else repr(value)
