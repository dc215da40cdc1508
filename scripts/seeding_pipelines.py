"""The pipelines of a seeded database: steps that run on the example data."""

from collections.abc import Sequence
from typing import Any

FLIGHTS: Sequence[dict[str, Any]] = (
    {"id": "flights", "type": "extract", "config": {"source": {"kind": "file", "path": "examples/flights.parquet"}}},
    {
        "id": "planes",
        "type": "extract",
        "needs": [],
        "config": {"source": {"kind": "file", "path": "examples/planes.csv", "null_values": ["", "NA"]}},
    },
    {
        "id": "airlines",
        "type": "extract",
        "needs": [],
        "config": {"source": {"kind": "file", "path": "examples/airlines.csv"}},
    },
    {
        "id": "clean",
        "type": "transform",
        "needs": ["flights", "planes", "airlines"],
        "config": {
            "ops": [
                {"op": "filter", "where": "dep_delay IS NOT NULL AND distance >= ${params.min_distance}"},
                {"op": "derive", "columns": {"gain": "dep_delay - arr_delay", "late": "(arr_delay > 15)::INT"}},
                {
                    "op": "join",
                    "with": "planes",
                    "on": ["tailnum"],
                    "how": "left",
                    "columns": ["manufacturer", "seats"],
                },
                {"op": "join", "with": "airlines", "on": ["carrier"], "how": "left"},
            ]
        },
    },
    {
        "id": "check",
        "type": "validate",
        "needs": ["clean"],
        "config": {
            "rules": [
                {"rule": "not_null", "column": "flight"},
                {"rule": "between", "column": "distance", "min": 1, "max": 10000},
                {"rule": "in_set", "column": "origin", "values": ["EWR", "JFK", "LGA"]},
            ]
        },
    },
    {
        "id": "save",
        "type": "load",
        "needs": ["check"],
        "config": {"sink": {"kind": "file", "path": "out/flights.parquet"}, "mode": "overwrite"},
    },
    {
        "id": "database",
        "type": "load",
        "needs": ["check"],
        "config": {"sink": {"kind": "sqlite", "path": "out/flights.sqlite", "table": "flights"}, "mode": "overwrite"},
    },
    {
        "id": "model",
        "type": "train",
        "needs": ["check"],
        "config": {
            "target": "late",
            "algorithm": "random_forest_classifier",
            "features": ["month", "hour", "carrier", "origin", "distance", "dep_delay"],
            "parameters": {"n_estimators": 20, "max_depth": 10, "min_samples_leaf": 10, "max_samples": 0.25},
            "register_as": "late-flight",
        },
    },
)
PENGUINS: Sequence[dict[str, Any]] = (
    {
        "id": "penguins",
        "type": "extract",
        "config": {"source": {"kind": "file", "path": "examples/penguins.csv", "null_values": ["", "NA"]}},
    },
    {"id": "measured", "type": "transform", "config": {"ops": [{"op": "drop_null"}]}},
    {
        "id": "species",
        "type": "train",
        "config": {"target": "species", "algorithm": "random_forest_classifier", "register_as": "penguins"},
    },
)
SUMMARY: Sequence[dict[str, Any]] = (
    {"id": "flights", "type": "extract", "config": {"source": {"kind": "file", "path": "examples/flights.parquet"}}},
    {
        "id": "by_day",
        "type": "transform",
        "config": {"ops": [{"op": "aggregate", "by": ["month", "day"], "columns": {"flights": "count(*)"}}]},
    },
    {"id": "save", "type": "load", "config": {"sink": {"kind": "file", "path": "out/daily.csv"}, "mode": "overwrite"}},
)
WEATHER: Sequence[dict[str, Any]] = (
    {
        "id": "weather",
        "type": "extract",
        "config": {"source": {"kind": "file", "path": "examples/weather.csv.gz", "null_values": ["", "NA"]}},
    },
    {
        "id": "by_hour",
        "type": "transform",
        "config": {
            "ops": [
                {"op": "select", "columns": ["origin", "time_hour", "temp", "wind_speed", "precip", "visib"]},
                {"op": "drop_null", "columns": ["temp"]},
            ]
        },
    },
    {
        "id": "save",
        "type": "load",
        "config": {
            "sink": {"kind": "file", "path": "out/weather.parquet"},
            "mode": "merge",
            "keys": ["origin", "time_hour"],
        },
    },
)
FLEET: Sequence[dict[str, Any]] = (
    {
        "id": "planes",
        "type": "extract",
        "config": {"source": {"kind": "file", "path": "examples/planes.csv", "null_values": ["", "NA"]}},
    },
    {
        "id": "by_maker",
        "type": "transform",
        "config": {
            "ops": [
                {"op": "aggregate", "by": ["manufacturer"], "columns": {"planes": "count(*)", "seats": "sum(seats)"}}
            ]
        },
    },
    {"id": "save", "type": "load", "config": {"sink": {"kind": "file", "path": "out/fleet.csv"}, "mode": "overwrite"}},
)
