"""The profile of a preview's columns: gaps, distinct values, range and shape, by a few cheap queries."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from etlml.compute.names import quoted
from etlml.compute.schema import Column, Schema
from etlml.compute.session import Session
from etlml.services.preview.result import ColumnProfile
from etlml.services.rows import json_value
from etlml.validation.kinds import is_integer, kind_of

MOST_COLUMNS = 150
BARS = 16
_SHAPE_ROWS = 5_000  # a drawing of 16 bars looks the same with more
_SMALL = 20_000  # rows of which everything is counted exactly
_FEW = 1000  # so many values are counted exactly; beyond it an estimate does
_COMMONEST = 4
_APPROXIMATELY = re.compile(r"\[Approx Unique: (\d+)\]")
_ORDERED = frozenset({"number", "text", "date", "timestamp", "timestamptz", "time", "boolean"})
_SPREAD = frozenset({"number", "date", "timestamp", "timestamptz"})
_LONGEST_VALUE = 60


def profile(session: Session, table: str, schema: Schema, rows: int) -> tuple[ColumnProfile, ...]:
    """The profile of a table of the session (no view: its rows are numbered) with ``rows`` rows."""
    columns = schema.columns[:MOST_COLUMNS]
    if not columns:
        return ()
    about = _estimates(session, table, columns, rows)
    counted = [estimate is None or rows <= _SMALL or estimate <= _FEW for estimate in about]
    measures = [_measures(column, exactly) for column, exactly in zip(columns, counted, strict=True)]
    (found,) = session.rows(f"SELECT {', '.join(measures)} FROM {quoted(table)}")
    ends = [(found[4 * place + 2], found[4 * place + 3]) for place in range(len(columns))]
    shapes = _shapes(session, table, columns, ends, rows)
    return tuple(
        ColumnProfile(
            name=column.name,
            type=column.type,
            nulls=int(found[4 * place]),
            distinct=int(found[4 * place + 1] if counted[place] else about[place] or 0),
            distinct_is_exact=counted[place],
            min=_shown(ends[place][0]),
            max=_shown(ends[place][1]),
            **shapes[place],
        )
        for place, column in enumerate(columns)
    )


def _estimates(session: Session, table: str, columns: Sequence[Column], rows: int) -> list[int | None]:
    """About how many values each column has, from what DuckDB noted while it filled the table: for free."""
    if not rows:
        return [None for _ in columns]
    asked = ", ".join(f"stats({quoted(column.name)})" for column in columns)
    (texts,) = session.rows(f"SELECT {asked} FROM {quoted(table)} LIMIT 1")
    found = [_APPROXIMATELY.search(str(text)) for text in texts]
    return [int(each[1]) if each else None for each in found]


def _measures(column: Column, counted: bool) -> str:
    name = quoted(column.name)
    ends = f"min({name}), max({name})" if kind_of(column) in _ORDERED else "NULL, NULL"
    return f"count(*) - count({name}), {f'count(DISTINCT {name})' if counted else 'NULL'}, {ends}"


def _shapes(
    session: Session, table: str, columns: Sequence[Column], ends: Sequence[tuple[Any, Any]], rows: int
) -> list[dict[str, Any]]:
    """Bars or commonest values of each column, from every n-th row."""
    wanted = [_shape(column, low, high) for column, (low, high) in zip(columns, ends, strict=True)]
    asked = [expression for expression in wanted if expression is not None]
    if not asked or not rows:
        return [{} for _ in columns]
    if (every := rows // _SHAPE_ROWS) > 1:
        part = f"{table}~part"
        numbers = f"SELECT range * {every} FROM range({rows // every})"
        session.rows(
            f"CREATE OR REPLACE TABLE {quoted(part)} AS SELECT * FROM {quoted(table)} WHERE rowid IN ({numbers})"
        )
        table = part
    (row,) = session.rows(f"SELECT count(*), {', '.join(asked)} FROM {quoted(table)}")
    looked_at, answers = int(row[0]), iter(row[1:])
    return [
        {} if expression is None else _read(column, span, next(answers), looked_at)
        for column, expression, span in zip(columns, wanted, ends, strict=True)
    ]


def _shape(column: Column, low: Any, high: Any) -> str | None:
    name, kind = quoted(column.name), kind_of(column)
    if kind in _SPREAD and low is not None and low != high:
        value = name if kind == "number" else f"epoch({name}::TIMESTAMP)"
        least, span = _number(kind, low), _number(kind, high) - _number(kind, low)
        if not 0 < span < float("inf"):
            return None
        if _has_a_bar_a_value(column, span):
            return f"histogram(({name} - {int(low)})::INTEGER) FILTER ({name} IS NOT NULL)"
        place = f"least({BARS - 1}, floor(({value}::DOUBLE - ({least!r}::DOUBLE)) / {span!r}::DOUBLE * {BARS}))"
        return f"histogram({place}::INTEGER) FILTER ({name} IS NOT NULL AND isfinite({value}::DOUBLE))"
    if kind in ("text", "boolean"):
        # Texts are cut first: a column of long ones must not be carried about for four labels.
        counted = f"histogram(left({name}::VARCHAR, {_LONGEST_VALUE})) FILTER ({name} IS NOT NULL)"
        pairs = f"list_transform(map_entries({counted}), lambda pair: {{'n': pair.value, 'v': pair.key}})"
        return f"list_sort({pairs}, 'DESC')[1:{_COMMONEST}]"
    return None


def _number(kind: str, value: Any) -> float:
    if kind == "number":
        return float(value)
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _has_a_bar_a_value(column: Column, span: float) -> bool:
    """Whether the column holds so few whole numbers that each gets a bar of its own."""
    return is_integer(column) and span < BARS


def _read(column: Column, ends: tuple[Any, Any], answer: Any, looked_at: int) -> dict[str, Any]:
    if kind_of(column) in _SPREAD:
        counts = {int(place): int(count) for place, count in (answer or {}).items()}
        few = is_integer(column) and _has_a_bar_a_value(column, ends[1] - ends[0])
        return {"bars": tuple(counts.get(place, 0) for place in range(int(ends[1] - ends[0]) + 1 if few else BARS))}
    return {"top": tuple((str(pair["v"]), pair["n"] / looked_at) for pair in answer or ())}


def _shown(value: Any) -> Any:
    shown = json_value(value)
    return shown[:_LONGEST_VALUE] if isinstance(shown, str) else shown
