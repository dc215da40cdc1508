"""Which values an op changed, and which rows: the op itself carries the old values along, so nothing has to be matched."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from etlml.compute.names import quoted, quoted_list
from etlml.compute.relation import Relation
from etlml.compute.schema import Column
from etlml.errors import EtlmlError, StepCancelled
from etlml.services.preview.bench import Bench, is_heavy
from etlml.services.preview.result import CellChange, ChangedRow
from etlml.services.rows import json_value
from etlml.steps.ops import Op
from etlml.steps.ops.rows import Dedupe, DropNull, Filter, Limit, Sample
from etlml.validation.kinds import kind_of

MOST_ROWS = 50
_COMPARED, _COMPARED_IN_HASTE = 100_000, 20_000
_HASTE_S = 0.8  # with less time left before the deadline fewer rows are compared
_LEAST_S = 0.5  # with less left nothing is compared: the rows count more than what is told of them
_PLACE = "~place"
_LEAVING_OUT = (Filter, DropNull, Dedupe, Limit, Sample)
_TIMES = frozenset({"date", "timestamp", "timestamptz"})
_NUMBERS = frozenset({"number", "boolean"})


@dataclass(frozen=True)
class Stage:
    """One op that is on: its place in the list, the table before and after it."""

    at: int
    op: Op
    before: Relation
    after: Relation


@dataclass(frozen=True)
class Compared:
    """How many rows were laid side by side, and what differs in them."""

    rows: int = 0
    cells: tuple[CellChange, ...] = ()


@dataclass(frozen=True)
class _Cell:
    """A column that an op sets and that was there before: how it was, how it is, and how the old value is called."""

    before: Column
    after: Column
    was: str

    @property
    def differs(self) -> str:
        """SQL that is true where the value is another one; after a change of type, where it does not mean the same."""
        was, now = quoted(self.was), quoted(self.after.name)
        if self.before.type == self.after.type:
            return f"({was} IS DISTINCT FROM {now})"
        kinds = {kind_of(self.before), kind_of(self.after)}
        if kind_of(self.before) == "text" and kind_of(self.after) == "number":
            number = f"TRY_CAST({was} AS DOUBLE) IS DISTINCT FROM CAST({now} AS DOUBLE)"
            return f"({number} OR ({was} IS NULL) <> ({now} IS NULL))"
        if kind_of(self.before) == "text":
            return f"(({was} IS NULL) <> ({now} IS NULL))"
        if kind_of(self.after) == "text" or kinds <= _TIMES or kinds <= _NUMBERS:
            return f"(TRY_CAST({now} AS {self.before.type}) IS DISTINCT FROM {was})"
        return f"(CAST({was} AS VARCHAR) IS DISTINCT FROM CAST({now} AS VARCHAR))"

    @property
    def counted(self) -> list[str]:
        """SQL of each count of a CellChange, as conditions."""
        was, now = quoted(self.was), quoted(self.after.name)
        return [self.differs, f"{was} IS NOT NULL AND {now} IS NULL", f"{was} IS NULL AND {now} IS NOT NULL"]


def cells_changed(bench: Bench, stages: Sequence[Stage]) -> Mapping[int, Compared]:
    """What became of the values of each op's columns, by the op's place: neighbouring ops are counted in one pass."""
    found = dict[int, Compared]()
    for goes_on, group in groupby(stages, key=_goes_on):
        stretch = list(group)
        if goes_on and any(map(_cells, stretch)):
            if bench.deadline - time.monotonic() < _LEAST_S:
                bench.notes.append("There was no time left to count the values that each op changed.")
                break
            try:
                found |= _counted(bench, stretch)
            except StepCancelled:
                raise
            except EtlmlError:
                continue  # the result does without some value that fails, so the result is right: only this is untold
    return found


def _goes_on(stage: Stage) -> bool:
    """Whether the op can be one of a stretch; one that is kept as a table is computed again only to be compared."""
    return bool(stage.op.sets()) and bool(_cells(stage) or not is_heavy(stage.op))


def rows_changed(bench: Bench, stage: Stage) -> tuple[ChangedRow, ...]:
    """The first rows in which the op changed a value, or that it left out."""
    cells = _cells(stage)
    if not cells and not isinstance(stage.op, _LEAVING_OUT):
        return ()
    table = quoted(bench.tables[bench.as_table(stage.before).name])
    after = _applied(bench, stage, f"(SELECT *, rowid AS {quoted(_PLACE)} FROM {table})", cells)
    names = list(stage.after.schema.names if cells else stage.before.schema.names)
    if not cells:
        left = f"SELECT {quoted(_PLACE)} FROM ({after})"
        sql = f"SELECT rowid, {quoted_list(names)} FROM {table} WHERE rowid NOT IN ({left}) ORDER BY rowid"
    else:
        wanted = [_PLACE, *names, *(cell.was for cell in cells)]
        differ = [cell.differs for cell in cells]
        sql = f"SELECT {quoted_list(wanted)}, {', '.join(differ)} FROM ({after}) WHERE {' OR '.join(differ)}"
        sql += f" ORDER BY {quoted(_PLACE)}"
    return tuple(_read(row, names, cells) for row in bench.session.rows(f"{sql} LIMIT {MOST_ROWS}"))


def _read(row: Sequence[object], names: Sequence[str], cells: Sequence[_Cell]) -> ChangedRow:
    values = [json_value(value) for value in row[1 : len(names) + 1]]
    rest = row[len(names) + 1 :]
    olds, differs = rest[: len(cells)], rest[len(cells) :]
    return ChangedRow(
        row=int(str(row[0])) + 1,
        gone=not cells,
        values=dict(zip(names, values, strict=True)),
        before={
            cell.after.name: json_value(old) for cell, old, other in zip(cells, olds, differs, strict=True) if other
        },
    )


def _cells(stage: Stage) -> list[_Cell]:
    """The columns that were there before and that the op sets."""
    before, after = stage.before.schema, stage.after.schema
    names = dict.fromkeys(after.column(name).name for name in stage.op.sets() if name in before and name in after)
    return [_Cell(before.column(name), after.column(name), f"~was{at}") for at, name in enumerate(names)]


def _applied(bench: Bench, stage: Stage, source: str, cells: Sequence[_Cell]) -> str:
    """The op's SELECT over a source whose old values stay beside the new ones."""
    olds = "".join(f", {quoted(cell.before.name)} AS {quoted(cell.was)}" for cell in cells)
    schemas = {name: relation.schema for name, relation in bench.relations.items()}
    return stage.op.select(f"(SELECT *{olds} FROM {source})", stage.before.schema, schemas)


def _counted(bench: Bench, stages: Sequence[Stage]) -> dict[int, Compared]:
    """One pass over ops that only set values: each one's old values are compared as they go by."""
    most = _COMPARED if bench.deadline - time.monotonic() > _HASTE_S else _COMPARED_IN_HASTE
    parts = [f'"~s0" AS (SELECT * FROM {quoted(stages[0].before.name)} LIMIT {most})']
    kept = list[str]()
    for number, stage in enumerate(stages):
        cells = _cells(stage)
        marks = dict(zip(_marks(number, cells), (test for cell in cells for test in cell.counted), strict=True))
        olds = f" EXCLUDE ({quoted_list([cell.was for cell in cells])})" if cells else ""
        tests = "".join(f", {test} AS {quoted(mark)}" for mark, test in marks.items())
        after = _applied(bench, stage, quoted(f"~s{number}"), cells)
        parts.append(f"{quoted(f'~s{number + 1}')} AS (SELECT *{olds}{tests} FROM ({after}))")
        kept += marks
    counts = ", ".join(f"count(*) FILTER ({quoted(mark)})" for mark in kept)
    (row,) = bench.session.rows(f"WITH {', '.join(parts)} SELECT count(*), {counts} FROM {quoted(f'~s{len(stages)}')}")
    answers = iter(row[1:])
    return {
        stage.at: Compared(
            int(row[0]),
            tuple(
                CellChange(column=cell.after.name, changed=next(answers), emptied=next(answers), filled=next(answers))
                for cell in _cells(stage)
            ),
        )
        for stage in stages
        if _cells(stage)
    }


def _marks(number: int, cells: Sequence[_Cell]) -> Iterator[str]:
    for at in range(len(cells)):
        for what in ("changed", "emptied", "filled"):
            yield f"~{what}{number}.{at}"
