"""Two runs side by side: compare."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from etlml.cli.options import Json, RunId, words

if TYPE_CHECKING:
    from etlml.services.comparison import Difference, FigurePair, RunComparison, StepRows


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)


def compare(
    run: RunId,
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="The later run; left out: RUN against its last success.")
    ] = None,
    step: Annotated[str | None, typer.Option(help="Compare the rows of this step.")] = None,
    keys: Annotated[
        str | None, typer.Option(help="Columns that tell the rows apart, with commas between; left out: guessed.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, max=1000, help="At most so many differing rows.")] = 20,
    as_json: Json = False,
) -> None:
    """Say what differs between two runs; with --step, which of its rows."""
    from etlml.cli.output import print_json
    from etlml.cli.runs import full_id
    from etlml.cli.session import services
    from etlml.services.comparing import LAST_SUCCESS

    if keys and not step:
        raise typer.BadParameter("Keys are for the rows of a step. Give --step too.", param_hint="--keys")
    with services() as opened:
        if other is None:
            before, after = LAST_SUCCESS, full_id(opened, run)
        else:
            before, after = full_id(opened, run), full_id(opened, other)
        if step is not None:
            rows = opened.comparing.step(before, after, step, keys=words(keys or "") or None, limit=limit)
            print_json(rows) if as_json else print_rows(rows)
            return
        found = opened.comparing.runs(before, after)
    print_json(found) if as_json else print_comparison(found)


def print_comparison(found: "RunComparison") -> None:
    """What differs, in tables."""
    from etlml.cli.output import count, print_table, seconds

    typer.echo(f"{found.before.id} ({found.before.status})  ->  {found.after.id} ({found.after.status})")
    changes = [("parameter", *_words(each)) for each in found.params]
    changes += [("pipeline", *_words(each)) for each in found.settings]
    changes += [("surroundings", *_words(each)) for each in found.environment]
    for change in found.changes:
        if change.fields:
            changes += [(change.step, *_words(each)) for each in change.fields]
        else:
            changes.append((change.step, change.kind, change.was or "", ""))
    print_table(["WHERE", "WHAT", "BEFORE", "AFTER"], changes, empty="Nothing in the definition differs.")
    typer.echo("")
    figures = []
    for pair in found.steps:
        sides = [
            (side.status, count(side.rows_out), seconds(side.duration_s)) if side else ("", "", "")
            for side in (pair.before, pair.after)
        ]
        figures.append((pair.step, *(cell for both in zip(*sides, strict=True) for cell in both)))
    print_table(["STEP", "STATUS", "-> STATUS", "ROWS", "-> ROWS", "TOOK", "-> TOOK"], figures, empty="No steps.")
    measured = [_figures("metric", each) for each in found.metrics] + [_figures("score", each) for each in found.scores]
    measured += [_figures("failing rows", each) for each in found.rules]
    if measured:
        typer.echo("")
        print_table(["FIGURE", "STEP", "NAME", "BEFORE", "AFTER"], measured, empty="")


def print_rows(found: "StepRows") -> None:
    """Counts of rows, and the first that differ."""
    from etlml.cli.output import print_table

    typer.echo(
        f"By {', '.join(found.keys)}: {found.added:,} added, {found.removed:,} removed, {found.changed:,} changed, "
        f"{found.same:,} the same"
    )
    for column in found.columns:
        typer.echo(f"Column {column.column}: {column.before or 'missing'} -> {column.after or 'missing'}")
    rows = [
        (
            row.kind,
            ", ".join(f"{key}={value}" for key, value in row.key.items()),
            "; ".join(
                f"{column}: {(row.before or {})[column]} -> {(row.after or {})[column]}" for column in row.columns
            ),
        )
        for row in found.rows
    ]
    print_table(["DIFFERENCE", "KEY", "VALUES"], rows, empty="No row differs.")


def _words(change: "Difference") -> tuple[Any, ...]:
    from etlml.cli.output import shortened

    before, after = (shortened("" if value is None else str(value), 40) for value in (change.before, change.after))
    return change.path, before, after


def _figures(kind: str, pair: "FigurePair") -> tuple[Any, ...]:
    before, after = ("" if value is None else f"{value:.4g}" for value in (pair.before, pair.after))
    return kind, pair.step, pair.name, before, after
