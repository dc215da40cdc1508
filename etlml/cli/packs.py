"""What is kept, and what moves elsewhere: retention, pack, unpack."""

from pathlib import Path
from typing import Annotated

import typer

from etlml.cli.options import Json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (retention, pack, unpack):
        app.command()(command)


def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Remove it now; workers do so every hour.")] = False,
    as_json: Json = False,
) -> None:
    """Say what the retention settings would free; with --apply, remove it."""
    from dataclasses import asdict

    from etlml.cli.output import count, print_json, print_table
    from etlml.cli.session import services

    with services() as opened:
        freed = opened.retention.apply() if apply else opened.retention.preview()
    figures = {name: value for name, value in asdict(freed).items() if isinstance(value, int)}
    if as_json:
        print_json({"applied": apply, **figures})
        return
    rows = [(name.replace("_", " "), count(value)) for name, value in figures.items()]
    print_table(["WHAT", "FREED" if apply else "WOULD BE FREED"], rows, empty="")


def pack(
    file: Annotated[Path, typer.Argument(help="File to write; one that is there is replaced.")],
    runs: Annotated[bool, typer.Option("--runs", help="Also ended runs with their checkpoints.")] = False,
    experiments: Annotated[
        bool, typer.Option("--experiments", help="Also ended experiments with their metrics.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write pipelines, connections without secrets, settings and models to one file."""
    from etlml.cli.output import print_json
    from etlml.cli.session import services

    with services() as opened:
        done = opened.packing.pack(file.expanduser(), runs=runs, experiments=experiments)
    if as_json:
        print_json({"file": str(done.path), "bytes": done.bytes, "counts": done.counts, "notes": done.notes})
        return
    for note in done.notes:
        typer.echo(note, err=True)
    counted = ", ".join(f"{number:,} {kind}" for kind, number in done.counts.items())
    typer.echo(f"Wrote {done.path} ({done.bytes:,} bytes): {counted}")


def unpack(
    file: Annotated[Path, typer.Argument(help="A file that `etlml pack` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there under the same name.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Bring up what a pack holds; what is there already is left alone. It may be repeated."""
    from dataclasses import asdict

    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    with services() as opened:
        outcomes = opened.packing.unpack(file.expanduser(), replace=replace, dry_run=dry_run)
    if as_json:
        print_json([asdict(each) for each in outcomes])
        return
    rows = [(each.kind, each.name, each.change, each.note) for each in outcomes]
    print_table(["WHAT", "NAME", "CHANGE", "NOTE"], rows, empty="The pack is empty.")
