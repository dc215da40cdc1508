"""A preview in the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from etlml.cli.output import count, print_table, seconds

if TYPE_CHECKING:
    from etlml.services.preview import Preview

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
        parts = [f"+ {', '.join(change.added)}"] if change.added else []
        parts += [f"- {', '.join(change.removed)}"] if change.removed else []
        rows = f"{count(change.rows_before)} -> {count(change.rows_after)} rows"
        typer.echo(f"  {change.at + 1}. {change.op}: {'; '.join([rows, *parts])}", err=True)
    for rule in preview.rules:
        typer.echo(f"  {'passed' if rule.success else 'BROKEN'}: {rule.message}", err=True)
    if preview.target is not None:
        typer.echo(f"  Would load into {preview.target.place}. {preview.target.effect}", err=True)
    for note in preview.notes:
        typer.echo(f"  {note}", err=True)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
