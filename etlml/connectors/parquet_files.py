"""Parquet files as one query."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from etlml.compute.names import quoted
from etlml.compute.schema import Schema
from etlml.connectors.sniffing import described, matched_types, paths_list


def parquet_query(paths: Sequence[Path], types: Mapping[str, str], *, hive: bool) -> str:
    """The SELECT over files, in their order; columns are united by name.

    Raises:
        DataUnreadable: A file is damaged or no Parquet.
        ConfigInvalid: ``types`` names a column that no file has.
    """
    options = [paths_list(paths)]
    if len(paths) > 1:
        options.append("union_by_name=true")
    if hive:
        options.append("hive_partitioning=true")
    source = f"read_parquet({', '.join(options)})"
    versions = tuple((path.stat().st_size, path.stat().st_mtime_ns) for path in paths)
    columns = _columns(source, versions).as_dict()
    casts = matched_types(types, columns, where="the data")
    if not casts:
        return f"SELECT * FROM {source}"
    names = [
        f"CAST({quoted(name)} AS {casts[name]}) AS {quoted(name)}" if name in casts else quoted(name)
        for name in columns
    ]
    return f"SELECT {', '.join(names)} FROM {source}"


@lru_cache(maxsize=500)
def _columns(source: str, _versions: tuple[tuple[int, int], ...]) -> Schema:
    return described(f"SELECT * FROM {source}")
