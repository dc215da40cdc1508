"""A preview in the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from etlml.cli.output import count, print_table, seconds

if TYPE_CHECKING:
    from etlml.services.preview import Preview
    from etlml.services.preview.result import OpChange

_LONGEST = 32


def print_cells(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows under the names of their columns, long values cut."""
    print_table(names, [[_cell(row[name]) for name in names] for row in rows], empty="No rows.")


def print_preview(preview: "Preview") -> None:
    """Rows on standard output; what was computed, and what the step would do, beside them on standard error."""
    names = [column["name"] for column in preview.columns]
    print_cells(names, preview.rows)
    about = " (of a sample)" if preview.sampled else ""
    typer.echo(
        f"{count(preview.row_count)} rows{about}, {len(names)} columns in {seconds(preview.duration_s)}. {preview.basis}",
        err=True,
    )
    for change in preview.ops:
        _print_change(change)
    for rule in preview.rules:
        typer.echo(f"  {'passed' if rule.success else 'BROKEN'}: {rule.message}", err=True)
    if preview.target is not None:
        typer.echo(f"  Would load into {preview.target.place}. {preview.target.effect}", err=True)
    for note in preview.notes:
        typer.echo(f"  {note}", err=True)


def print_changed_rows(preview: "Preview", at: int, *, most: int) -> None:
    """The rows that the op at that place changed, old values before an arrow, or left out; what it did on standard error."""
    names = list(dict.fromkeys(name for row in preview.changed_rows for name in [*row.before, *row.values]))
    rows = [
        [
            str(row.row),
            *(
                f"{_cell(row.before[name])} -> {_cell(row.values[name])}"
                if name in row.before
                else _cell(row.values[name])
                for name in names
            ),
        ]
        for row in preview.changed_rows[:most]
    ]
    print_table(["row", *names], rows, empty="No row to show.")
    for change in preview.ops:
        if change.at == at:
            _print_change(change)


def _print_change(change: "OpChange") -> None:
    parts = [f"+ {', '.join(change.added)}"] if change.added else []
    parts += [f"- {', '.join(change.removed)}"] if change.removed else []
    parts += [f"{old} -> {new}" for old, new in change.renamed]
    parts += [f"{one.column}: {one.before} -> {one.after}" for one in change.retyped]
    parts += [
        f"{one.column}: {count(one.changed)} of {count(change.compared)} values changed"
        + (f", {count(one.emptied)} became empty" if one.emptied else "")
        for one in change.cells
        if one.changed
    ]
    rows = f"{count(change.rows_before)} -> {count(change.rows_after)} rows"
    typer.echo(f"  {change.at + 1}. {change.op}: {'; '.join([rows, *parts])}", err=True)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
