"""JSON and JSON Lines files as one query with explicit columns."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from etlml.compute.names import literal
from etlml.connectors.sniffing import column_struct, described, matched_types, paths_list, sample_rows


def json_query(files: Sequence[tuple[Path, str | None]], types: Mapping[str, str], *, lines: bool) -> str:
    """The SELECT over files (each with its packing), in their order; columns are united by name.

    Raises:
        DataUnreadable: A file is not JSON.
        ConfigInvalid: ``types`` names a column that no file has.
    """
    paths = [path for path, _ in files]
    packed = any(packing is not None for _, packing in files)
    sample = -1 if all(sample_rows(path, packed=packed) == -1 for path in paths) else 100_000
    format_ = "newline_delimited" if lines else "auto"
    versions = tuple((path.stat().st_size, path.stat().st_mtime_ns) for path in paths)
    columns = dict(_columns(tuple(paths), format_, sample, versions))
    columns |= matched_types(types, columns, where="the data")
    options = f"format={literal(format_)}, columns={column_struct(columns)}, auto_detect=false"
    return f"SELECT * FROM read_json({paths_list(paths)}, {options})"


@lru_cache(maxsize=500)
def _columns(
    paths: tuple[Path, ...], format_: str, sample: int, _versions: tuple[tuple[int, int], ...]
) -> tuple[tuple[str, str], ...]:
    query = f"SELECT * FROM read_json({paths_list(paths)}, format={literal(format_)}, union_by_name=true, sample_size={sample})"
    # Values of several types: as text, or a string among them would keep its quotes.
    return tuple((column.name, "VARCHAR" if column.type == "JSON" else column.type) for column in described(query))
