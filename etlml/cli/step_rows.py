"""What a step of a run gave: rows."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from etlml.cli.options import Json, RunId

if TYPE_CHECKING:
    from etlml.services import Services


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rows)


def rows(
    run: RunId,
    step: Annotated[str, typer.Argument(metavar="STEP", help="Id of the step.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="At most so many rows.")] = 20,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Save every row instead, as .csv or .parquet.")
    ] = None,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="The rows that a check set aside, with the rules that each breaks.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the rows that a step of a run gave, or save them all."""
    from etlml.cli.output import print_json
    from etlml.cli.previews import print_cells
    from etlml.cli.runs import full_id
    from etlml.cli.session import services

    with services() as opened:
        run_id = full_id(opened, run)
        if output is not None:
            _save(opened, run_id, step, output, set_aside=set_aside)
            return
        if set_aside:
            found = opened.quarantine.page(opened.quarantine.of_step(run_id, step).id, limit=limit)
        else:
            found = opened.run_rows.page(run_id, step, limit=limit)
    if as_json:
        print_json(found)
        return
    print_cells([column["name"] for column in found["columns"]], found["rows"])
    typer.echo(f"The first {len(found['rows']):,} of {found['total']:,} rows. {found['basis']}".rstrip(), err=True)


def _save(opened: "Services", run_id: str, step: str, output: Path, *, set_aside: bool) -> None:
    from etlml.services.step_files import FileFormat

    for form in get_args(FileFormat):
        if output.suffix.lower() == f".{form}":
            if set_aside:
                found = opened.quarantine.file(opened.quarantine.of_step(run_id, step).id, form)
            else:
                found = opened.step_files.rows(run_id, step, form)
            try:
                shutil.copyfile(found.path, output)
            finally:
                found.done()
            typer.echo(f"Saved as {output}.")
            return
    raise typer.BadParameter("Give a name that ends with .csv or .parquet.", param_hint="--output")
