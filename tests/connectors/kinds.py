"""Every kind of sink, with the source that reads it back."""

from typing import Any

import pytest

Config = dict[str, Any]

SINKS: dict[str, Config] = {
    "parquet": {"kind": "file", "path": "out/o.parquet"},
    "csv": {"kind": "file", "path": "out/o.csv"},
    "csv.gz": {"kind": "file", "path": "out/o.csv.gz"},
    "tsv.zst": {"kind": "file", "path": "out/o.tsv.zst"},
    "jsonl": {"kind": "file", "path": "out/o.jsonl"},
    "json": {"kind": "file", "path": "out/o.json"},
    "excel": {"kind": "file", "path": "out/o.xlsx"},
    "parquet folder": {"kind": "file", "path": "out/p", "partition_by": ["part"]},
    "csv folder": {"kind": "file", "path": "out/p", "format": "csv", "partition_by": ["part"]},
    "sqlite": {"kind": "sqlite", "path": "out/o.db", "table": "t"},
    "duckdb": {"kind": "duckdb", "path": "out/o.duckdb", "table": "t"},
}
VARIANTS = {"csv.gz", "tsv.zst", "json", "csv folder"}  # they share the way of csv, jsonl and the parquet folder
every_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind in VARIANTS)) for kind in SINKS]
)


def source_of(sink: Config) -> Config:
    """What reads back what a sink wrote."""
    source = {name: value for name, value in sink.items() if name != "partition_by"}
    return {"format": "parquet", **source} if "partition_by" in sink else source
