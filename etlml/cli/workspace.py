"""The installation: demo, doctor, indexes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etlml.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etlml.services.doctor import Check

DEMO = "flights"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(demo)
    app.command()(doctor)
    app.command()(indexes)


def demo(as_json: Json = False) -> None:
    """Install the example pipelines with their data, and run the flights one."""
    from etlml.cli.output import print_json
    from etlml.cli.session import services
    from etlml.cli.watching import print_end, watch

    with services() as opened:
        opened.workspace.install_examples()
        finished = watch(opened, opened.runs.start(DEMO).id, quiet=as_json)
    if as_json:
        print_json(finished)
    else:
        print_end(finished)
    if finished.status != "success":
        raise typer.Exit(1)


def doctor(
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE", help="Also write a diagnostics bundle, a zip file without secrets."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the installation and say in plain words what to do. Exit code 1 if something must be mended."""
    from etlml.cli.output import print_json

    if bundle is not None:
        write_bundle(bundle.expanduser())
    checks = findings()
    if as_json:
        print_json([check.as_json() for check in checks])
    else:
        for check in checks:
            print_check(check)
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(1)


def indexes(
    create: Annotated[bool, typer.Option("--create", help="Create those that are missing.")] = False,
    as_json: Json = False,
) -> None:
    """List the indexes of the database: those that are there, missing, or not made by the platform."""
    from etlml.cli.output import count, print_json, print_table
    from etlml.cli.session import services

    with services() as opened:
        found = opened.database.create_indexes() if create else opened.database.indexes()
    if as_json:
        print_json([vars(one) for one in found])
    else:
        rows = [(one.collection, one.name, one.state, count(one.bytes)) for one in found]
        print_table(["COLLECTION", "INDEX", "STATE", "BYTES"], rows, empty="No indexes.")


def write_bundle(path: Path) -> None:
    """Write the diagnostics bundle, and say so on standard error."""
    from etlml.cli.session import services

    with services() as opened:
        number = opened.diagnostics.write(path)
    typer.echo(f"Wrote {path}: {number} files, without secrets.", err=True)


def findings() -> "Sequence[Check]":
    """What the doctor finds, with MongoDB open if it can be."""
    from etlml.cli.session import services
    from etlml.errors import EtlmlError
    from etlml.services.doctor import Check, Doctor
    from etlml.settings import get_settings

    try:
        with services() as opened:
            return opened.doctor.run()
    except EtlmlError as error:
        found = [check for check in Doctor(get_settings()).run() if check.name != "MongoDB"]
        return [*found, Check("MongoDB", "fail", error.message, "See the message.")]


def print_check(check: "Check") -> None:
    """One line on what was found, and one on the mend."""
    colour = {"ok": "green", "warn": "yellow"}.get(check.status, "red")
    typer.echo(f"{typer.style(f'{check.status:<5}', fg=colour)} {check.name}: {check.message}")
    if check.mend:
        typer.echo(f"      {check.mend}")
