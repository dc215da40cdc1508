"""Data files: what lies in ETLML_HOME/data for steps to read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etlml.cli.options import Json

if TYPE_CHECKING:
    from etlml.services import Services
    from etlml.services.data_files import DataFile


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(files)


def files(
    search: Annotated[str | None, typer.Argument(help="Part of the path.")] = None,
    add: Annotated[Path | None, typer.Option("--add", help="Copy this file to the uploads.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="With --add: in the place of the file of that name.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the files in ETLML_HOME/data that a step can read, or add one to them."""
    from etlml.cli.output import count, local, print_json, print_table
    from etlml.cli.session import services

    with services() as opened:
        if add is not None:
            added = _added(opened, add, replace=replace)
            print_json(vars(added)) if as_json else typer.echo(f"Added as {added.path}.")
            return
        found = opened.data_files.list(q=search)
    if as_json:
        print_json([vars(each) for each in found])
        return
    rows = [(each.path, each.kind, count(each.bytes), local(each.modified_at)) for each in found]
    print_table(["PATH", "KIND", "BYTES", "CHANGED"], rows, empty="No data files. Add one: etlml files --add FILE")


def _added(opened: "Services", path: Path, *, replace: bool) -> "DataFile":
    try:
        with path.expanduser().open("rb") as content:
            return opened.data_files.add(path.name, content, replace=replace)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}.", param_hint="--add") from None
