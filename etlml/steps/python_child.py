"""The child's side of a python op: read Parquet, call the user's transform(df), write Parquet."""

import linecache
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etlml.errors import EtlmlError, PythonFailed

FILENAME = "<transform>"
_EXACT_IN_FLOAT = 2**53  # beyond this a float no longer holds every whole number


def transform_parquet(
    *,
    code: str,
    source: str,
    target: str,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Apply the user's code to a Parquet file; the result is in ``target`` whole or not at all.

    ``report`` is told when the code begins, {"begun": its process's id}: what comes before is not the code's doing.

    Raises:
        PythonFailed: The code raised, or gave back what is no table; with the traceback of its own frames.
    """
    table = pq.read_table(source)
    given = to_frame(table)
    if report is not None:
        report({"begun": os.getpid()})
    result = _called(code, given)
    columns = _checked(result)
    out = _to_table(columns, table.schema)
    _write(out, Path(target))
    return {"rows": out.num_rows, "columns": out.num_columns}


def to_frame(table: pa.Table) -> pd.DataFrame:
    """A pandas frame; whole numbers with gaps that a float could not hold exactly stay whole."""
    wide = {
        field.name
        for index, field in enumerate(table.schema)
        if pa.types.is_int64(field.type) and table.column(index).null_count and _is_wide(table.column(index))
    }
    frame: pd.DataFrame = table.to_pandas()
    for name in wide:
        frame[name] = table.column(name).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def _is_wide(column: pa.ChunkedArray) -> bool:
    found = pc.min_max(column).as_py()
    return found["min"] is not None and max(abs(found["min"]), abs(found["max"])) > _EXACT_IN_FLOAT


def _called(code: str, frame: pd.DataFrame) -> Any:
    # Known to linecache, so that the traceback shows the user's lines.
    linecache.cache[FILENAME] = (len(code), None, code.splitlines(keepends=True), FILENAME)
    namespace: dict[str, Any] = {"__name__": "transform", "pd": pd, "np": np}
    try:
        exec(compile(code, FILENAME, "exec"), namespace)
        return namespace["transform"](frame)
    except (EtlmlError, MemoryError):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  user code may raise anything
        raise _failed(error) from None


def _failed(error: BaseException) -> PythonFailed:
    """The user's own part of the traceback, and the line of their code at which it went wrong."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILENAME]
    line = frames[-1].lineno if frames else getattr(error, "lineno", None)
    reason = "".join(traceback.format_exception_only(error)).strip()
    shown = "Traceback (most recent call last):\n" + "".join(traceback.format_list(frames)) + reason
    place = f" in line {line} ({frames[-1].line})" if frames and frames[-1].line else ""
    return PythonFailed(
        f"The Python code failed{place}: {_shortened(reason)}", traceback=_shortened(shown, 8000), line=line
    )


def _checked(result: Any) -> pd.DataFrame:
    if isinstance(result, pd.Series):
        result = result.to_frame()
    if not isinstance(result, pd.DataFrame):
        kind = type(result).__name__
        mend = "End the function with: return df" if result is None else "Make a DataFrame of it: pd.DataFrame(...)"
        raise PythonFailed(f"transform(df) gave back {kind}, not a DataFrame. {mend}")
    if isinstance(result.columns, pd.MultiIndex):
        raise PythonFailed("transform(df) gave back columns of several levels. Give each one name before returning it.")
    if any(name is not None for name in result.index.names):
        result = result.reset_index(allow_duplicates=True)  # what groupby() leaves in the index are columns
    frame: pd.DataFrame = result.set_axis([str(name) for name in result.columns], axis="columns")
    if not len(frame.columns):
        raise PythonFailed("transform(df) gave back no columns. Keep at least one.")
    seen: dict[str, str] = {}
    for name in frame.columns:
        if name.lower() in seen:
            raise PythonFailed(
                f"transform(df) gave back two columns {seen[name.lower()]!r} and {name!r}, which are the same to SQL. "
                "Rename one of them."
            )
        seen[name.lower()] = name
    return frame


def _to_table(frame: pd.DataFrame, before: pa.Schema) -> pa.Table:
    arrays = []
    for name in frame.columns:
        try:
            arrays.append(_whole_again(pa.Array.from_pandas(frame[name]), name, before))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise PythonFailed(
                f"Column {name!r} of the returned DataFrame holds values that don't make one column: "
                f"{_shortened(str(error))} Convert them to one type, for example with .astype(str).",
                column=name,
            ) from None
    return pa.Table.from_arrays(arrays, names=list(frame.columns))


def _whole_again(array: Any, name: str, before: pa.Schema) -> Any:
    """pandas turns whole numbers with gaps into floats; a column that is still whole gets its type back."""
    index = before.get_field_index(name)
    if index < 0 or not pa.types.is_integer(before.field(index).type) or not pa.types.is_floating(array.type):
        return array
    try:
        # A gap is NaN in pandas; the cast refuses fractions and what does not fit.
        return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array).cast(before.field(index).type)
    except pa.ArrowInvalid:
        return array


def _write(table: pa.Table, target: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as file:
            pq.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _shortened(text: str, longest: int = 500) -> str:
    return text if len(text) <= longest else f"{text[: longest // 2]} ... {text[-longest // 2 :]}"
