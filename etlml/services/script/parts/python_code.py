"""Python code on a table as a pandas DataFrame."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etlml.services.script.parts.tables import Failed, here, paths, text, view


def run_python(name: str, rows: str, transform: Callable[[pd.DataFrame], Any]) -> None:
    """Apply ``transform`` to the rows of a table; its result is the table ``name``."""
    given = pq.read_table(paths[rows])
    result = transform(to_frame(given))
    if isinstance(result, pd.Series):
        result = result.to_frame()
    if not isinstance(result, pd.DataFrame):
        raise Failed(f"transform(df) gave back {type(result).__name__}, not a DataFrame.")
    if any(level is not None for level in result.index.names):
        result = result.reset_index(allow_duplicates=True)  # what groupby() leaves in the index are columns
    result = result.set_axis([str(column) for column in result.columns], axis="columns")
    arrays = [whole_again(pa.Array.from_pandas(result[column]), column, given.schema) for column in result.columns]
    paths[name] = here.work / f"{name}.parquet"
    pq.write_table(pa.Table.from_arrays(arrays, names=list(result.columns)), paths[name])
    view(name, f"SELECT * FROM read_parquet({text(paths[name])})")


def to_frame(given: Any) -> Any:
    """A pandas frame; whole numbers with gaps that a float could not hold exactly stay whole."""
    frame = given.to_pandas()
    for index, field in enumerate(given.schema):
        column = given.column(index)
        if pa.types.is_int64(field.type) and column.null_count:
            ends = pc.min_max(column).as_py()
            if ends["min"] is not None and max(abs(ends["min"]), abs(ends["max"])) > 2**53:
                frame[field.name] = column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def whole_again(array: Any, name: str, before: Any) -> Any:
    """pandas turns whole numbers with gaps into floats; a column that is still whole gets its type back."""
    index = before.get_field_index(name)
    if index < 0 or not pa.types.is_integer(before.field(index).type) or not pa.types.is_floating(array.type):
        return array
    try:
        return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array).cast(before.field(index).type)
    except pa.ArrowInvalid:
        return array
