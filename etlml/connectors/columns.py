"""Whether incoming rows fit what a sink holds already: by name, without loss, each key once."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from etlml.compute.names import quoted, quoted_list
from etlml.compute.schema import Column, Schema
from etlml.errors import LoadFailed

SHOWN = 5
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_EXACT_IN_DOUBLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "FLOAT"})
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


@dataclass(frozen=True)
class Pair:
    """A column of the sink and the incoming one that goes into it."""

    held: Column
    incoming: Column


def matched(incoming: Schema, held: Schema, place: str) -> list[Pair]:
    """The columns paired by name, in the sink's order.

    Raises:
        LoadFailed: One side has a column that the other lacks.
    """
    new = [column.name for column in incoming if column.name not in held]
    missing = [column.name for column in held if column.name not in incoming]
    if not new and not missing:
        return [Pair(column, incoming.column(column.name)) for column in held]
    problems = []
    if new:
        problems.append(f"it lacks {_named(new)}, which the rows have")
    if missing:
        problems.append(f"it has {_named(missing)}, which the rows lack")
    mends = [f"drop {_named(new)} from the rows"] if new else []
    mends += [f"add {_named(missing)} to the rows (derive)"] if missing else []
    mend = " and ".join(mends)
    raise LoadFailed(
        f"The rows do not fit {place}: {' and '.join(problems)}. {mend[:1].upper()}{mend[1:]}, or load with mode overwrite.",
        new_columns=new,
        missing_columns=missing,
    )


def always_fits(incoming: str, held: str) -> bool:
    """Whether every value of one type can be kept in another without loss."""
    if incoming == held or (held == "VARCHAR" and incoming != "BLOB"):
        return True
    if held in _INTEGERS:
        wide = _INTEGERS.index(held)
        if incoming in _INTEGERS:
            return _INTEGERS.index(incoming) <= wide
        return incoming == "BOOLEAN" or (incoming in _UNSIGNED and _UNSIGNED.index(incoming) < wide)
    if held == "DOUBLE":
        return incoming in _EXACT_IN_DOUBLE
    if held.startswith("TIMESTAMP") and incoming == "DATE":
        return True
    ours, theirs = _DECIMAL.fullmatch(incoming), _DECIMAL.fullmatch(held)
    if ours and theirs:
        scale, held_scale = int(ours[2]), int(theirs[2])
        return held_scale >= scale and int(theirs[1]) - held_scale >= int(ours[1]) - scale
    return False


def refuse_lossy(connection: duckdb.DuckDBPyConnection, rows: str, pairs: Sequence[Pair], place: str) -> None:
    """Refuse values that the sink's types cannot hold exactly; ``rows`` is a table expression with the incoming columns.

    Columns whose types always fit cost nothing; the others are tried value by value, in one scan.
    """
    doubtful = [pair for pair in pairs if not always_fits(pair.incoming.type, pair.held.type)]
    if not doubtful:
        return
    tests = []
    for pair in doubtful:
        name = quoted(pair.incoming.name)
        back = f"TRY_CAST(TRY_CAST({name} AS {pair.held.type}) AS {pair.incoming.type})"
        lost = f"FILTER ({name} IS NOT NULL AND {back} IS DISTINCT FROM {name})"
        tests.append(f"count(*) {lost}, CAST(any_value({name}) {lost} AS VARCHAR)")
    found = connection.execute(f"SELECT {', '.join(tests)} FROM {rows}").fetchall()[0]
    for pair, count, example in zip(doubtful, found[::2], found[1::2], strict=True):
        if count:
            raise LoadFailed(
                f"The rows do not fit {place}: column {pair.incoming.name!r} holds {pair.held.type}, and {count} of the incoming "
                f"{pair.incoming.type} values would lose something, such as {example[:60]!r}. "
                "Correct or cast them before the load, or load with mode overwrite.",
                column=pair.incoming.name,
            )


def refuse_bad_keys(connection: duckdb.DuckDBPyConnection, rows: str, keys: Sequence[str]) -> None:
    """Refuse rows that a merge cannot place: a key that is missing, or that several of them have."""
    names = quoted_list(tuple(keys))
    shown = ", ".join(keys)
    some_null = " OR ".join(f"{quoted(key)} IS NULL" for key in keys)
    nulls = connection.execute(f"SELECT count(*) FROM {rows} WHERE {some_null}").fetchall()[0][0]
    if nulls:
        raise LoadFailed(
            f"{nulls} of the rows have no value in the merge keys ({shown}). Filter them out or fill them before the load.",
            keys=list(keys),
        )
    doubled = connection.execute(
        f"SELECT {names} FROM {rows} GROUP BY {names} HAVING count(*) > 1 ORDER BY {names} LIMIT {SHOWN}"
    ).fetchall()
    if doubled:
        examples = "; ".join(", ".join(str(value)[:40] for value in row) for row in doubled)
        raise LoadFailed(
            f"Several of the rows have the same merge keys ({shown}): {examples}. "
            "Keep one of each before the load (dedupe), or add a column to the keys.",
            keys=list(keys),
        )


def selection(pairs: Sequence[Pair], incoming: Callable[[Column], str] = lambda column: quoted(column.name)) -> str:
    """The SELECT list that puts incoming columns into the sink's names, types and order."""
    return ", ".join(
        f"CAST({incoming(pair.incoming)} AS {pair.held.type}) AS {quoted(pair.held.name)}" for pair in pairs
    )


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:SHOWN])
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"the column{'s' if len(names) > 1 else ''} {shown}{more}"
