"""Load and train steps in a script."""

from typing import Any

from etlml.connectors.duckdb_sink import DuckdbSink
from etlml.connectors.file_sink import FileSink
from etlml.connectors.sqlite_sink import SqliteSink
from etlml.errors import StateConflict
from etlml.ml.algorithms import algorithm
from etlml.ml.fitting import FORESTS
from etlml.ml.judging import MOST_JUDGED, judged_at_most
from etlml.ml.learning import style_of
from etlml.services.script.pieces import Body, Piece, Value, call
from etlml.steps.load import LoadConfig
from etlml.steps.train import TrainConfig


def load_body(step: str, config: LoadConfig, need: str) -> Body:
    """What a load step does; the rows go on under its name."""
    sink, body = config.sink, Body()
    named: dict[str, Any] = {"mode": Value(config.mode)} | ({"keys": Value(config.keys)} if config.keys else {})
    if isinstance(sink, FileSink):
        kind = sink.file_kind()
        if kind.packing:
            named["packing"] = Value(kind.packing)
        given = [Value(need), Value(sink.path), Value(kind.format)]
        if sink.partition_by:
            body.add(*call("save_folder", *given, Value(sink.partition_by), **named))
        else:
            body.add(*call("save_file", *given, **named))
    elif isinstance(sink, SqliteSink | DuckdbSink):  # written out: other kinds of sinks may come
        function = "save_sqlite" if isinstance(sink, SqliteSink) else "save_duckdb"
        body.add(*call(function, Value(need), Value(sink.path), Value(sink.table), **named))
    else:
        kind_name = getattr(sink, "kind", "a place of another kind")  # type: ignore[unreachable]
        raise StateConflict(
            f"Step {step!r} loads into {kind_name}, which a script cannot do by itself. Load into a file instead.",
            step=step,
        )
    body.add("same(", Value(step), ", ", Value(need), ")")
    return body


def train_body(step: str, config: TrainConfig, need: str) -> Body:
    """What a train step does."""
    chosen, body = algorithm(config.algorithm), Body()
    style = style_of(chosen)
    defaults: dict[str, Any] = {"random_state": config.seed} if "random_state" in chosen.defaults else {}
    if chosen.name in FORESTS:
        defaults["n_jobs"] = -1
    body.imports.add(f"from {public_module(chosen.module)} import {chosen.name}")
    wants = {
        "scaling": style.scaling,
        "takes_missing": style.takes_missing,
        "takes_categories": style.takes_categories,
        "dtype": style.dtype.__name__,
    }
    named: dict[str, Any] = {"task": chosen.task, "target": config.target, "features": config.features}
    named |= {"test_size": config.test_size, "seed": config.seed, "cv": config.cv}
    if (most := judged_at_most(chosen)) != MOST_JUDGED:
        named["judged"] = most
    named["save_as"] = config.register_as or step
    shown = {key: Value(value) for key, value in named.items() if value is not None}
    given: list[Piece] = [Value(step), Value(need), chosen.name, Value(defaults | config.parameters), Value(wants)]
    body.add(*call("train", *given, **shown))
    return body


def public_module(module: str) -> str:
    """``sklearn.ensemble`` of ``sklearn.ensemble._forest``."""
    parts = module.split(".")
    return ".".join(
        part for place, part in enumerate(parts) if not any(each.startswith("_") for each in parts[: place + 1])
    )
