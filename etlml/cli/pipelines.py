"""Pipelines: apply, run, export, lineage."""

from pathlib import Path
from typing import Annotated, Any

import typer

from etlml.cli.options import Json, Params, Wait, pairs


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (apply, run, preview, export, lineage):
        app.command()(command)


def apply(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pipelines as YAML or JSON; a folder means all in it.")
    ],
    check: Annotated[bool, typer.Option("--check", help="Say what is wrong with them, and save nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Make the stored pipelines be as the files say: create, change, or leave alone, by name."""
    from etlml.cli import checking
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    texts = [(path, text_of(path)) for path in expanded(files)]
    if check:
        checking.check(texts, as_json=as_json)
        return
    with services() as opened:
        done = [(path, *apply_text(opened, path, text)) for path, text in texts]
    if as_json:
        print_json(
            [
                {"name": pipeline.name, "id": pipeline.id, "version": pipeline.version, "change": change}
                for _, pipeline, change in done
            ]
        )
    else:
        rows = [(pipeline.name, change, f"version {pipeline.version}", str(path)) for path, pipeline, change in done]
        print_table(["PIPELINE", "CHANGE", "VERSION", "FILE"], rows, empty="No pipelines in there.")


def run(
    pipeline: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A stored pipeline, or a file that is applied first.")
    ],
    param: Params = [],  # noqa: B006 - typer copies it
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Have every step do its work, whatever earlier runs left.")
    ] = False,
    until: Annotated[
        str | None, typer.Option(metavar="STEP", help="End with this step; what it does not need is skipped.")
    ] = None,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Run a pipeline now. With --wait it runs here if no worker is up, and the exit code is 1 if it fails."""
    from etlml.cli.output import print_json
    from etlml.cli.session import services
    from etlml.cli.watching import print_end, print_queued, watch

    params = pairs(param)
    with services() as opened:
        path = Path(pipeline)
        if is_file_name(path):
            pipeline = apply_text(opened, path, text_of(path))[0].name
        started = opened.runs.start(pipeline, params, cache=not no_cache, until=until)
        if not wait:
            print_json(started) if as_json else print_queued(opened, started)
            return
        finished = watch(opened, started.id, quiet=as_json)
    print_json(finished) if as_json else print_end(finished)
    if finished.status != "success":
        raise typer.Exit(1)


def preview(
    pipeline: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A stored pipeline, or a file; it is not saved.")
    ],
    step: Annotated[str, typer.Argument(help="Id of the step to look at.")],
    param: Params = [],  # noqa: B006 - typer copies it
    rows: Annotated[int, typer.Option(min=0, max=1000, help="How many rows to show.")] = 20,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that the step comes to.")] = False,
    op: Annotated[
        int | None, typer.Option("--op", min=1, help="Print the rows that this op of a transform changed, from 1.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a step would give, computed here without writing anything."""
    from etlml.cli.output import print_json
    from etlml.cli.previews import print_changed_rows, print_preview
    from etlml.cli.session import services

    with services() as opened:
        path = Path(pipeline)
        document = (
            opened.pipelines.from_yaml(text_of(path)) if is_file_name(path) else opened.pipelines.get(pipeline).draft()
        )
        found = opened.previews.of_step(document, step, params=pairs(param), changes_of=op and op - 1, limit=rows)
        opened.previews.close()
    if as_json:
        print_json(found)
    elif sql:
        typer.echo(found.sql or "-- This step has no SQL of its own.")
    elif op is not None:
        print_changed_rows(found, op - 1, most=rows)
    else:
        print_preview(found)


def export(
    name: Annotated[str, typer.Argument(help="Name or id of a pipeline.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output otherwise.")
    ] = None,
    script: Annotated[
        bool, typer.Option("--script", help="As one plain Python script that runs without the platform.")
    ] = False,
    param: Params = [],  # noqa: B006 - typer copies it
) -> None:
    """Write a pipeline as YAML, ready for git and `etlml apply`; with --script as a Python script."""
    from etlml.cli.session import services

    if param and not script:
        raise typer.BadParameter("it goes with --script only", param_hint="--param")
    with services() as opened:
        pipeline = opened.pipelines.get(name)
        text = opened.scripts.of(pipeline, pairs(param)) if script else opened.pipelines.to_yaml(pipeline)
    if output is None:
        typer.echo(text, nl=not text.endswith("\n"))
    else:
        output.write_text(text, encoding="utf-8")
        typer.echo(f"Wrote {output}", err=True)


def lineage(
    name: Annotated[str, typer.Argument(help="Name or id of a pipeline.")],
    column: Annotated[
        str | None, typer.Argument(metavar="STEP.COLUMN", help="Only the way of this column, from its file to its end.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell where columns come from, through which expressions, and where they go."""
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    step, dot, wanted = (column or "").partition(".")
    if column is not None and not (step and dot and wanted):
        raise typer.BadParameter(f"{column} is no STEP.COLUMN, such as clean.late", param_hint="STEP.COLUMN")
    with services() as opened:
        found = opened.lineage.of(name) if column is None else opened.lineage.trail(name, step, wanted)
    if as_json:
        print_json(found)
        return
    headings = ["STEP", "COLUMN", "FROM", "HOW"] if column is None else ["", "STEP", "COLUMN", "WHAT"]
    print_table(headings, lineage_rows(found), empty="Nothing to follow yet.")


def lineage_rows(found: Any) -> list[tuple[str, ...]]:
    """A graph, or the way of one column, as the rows of a table."""
    if hasattr(found, "steps"):
        return [
            (step.id, each.name, ", ".join(f"{one.step}.{one.column}" for one in each.origins), "; ".join(each.texts))
            for step in found.steps
            for each in step.columns
        ]
    groups = (("comes from", found.sources), ("through", found.through), ("rows", found.rows), ("goes to", found.goes))
    return [(word, leg.step, leg.column, leg.text) for word, legs in groups for leg in legs]


def is_file_name(path: Path) -> bool:
    """Whether NAME|FILE means a file: it has the ending of one."""
    return path.suffix.lower() in (".yaml", ".yml", ".json")


def expanded(paths: list[Path]) -> list[Path]:
    """The files, with each folder replaced by the pipelines in it."""
    found: list[Path] = []
    for path in paths:
        found.extend(sorted(entry for entry in path.iterdir() if is_file_name(entry)) if path.is_dir() else [path])
    return found


def text_of(path: Path) -> str:
    """A file's text.

    Raises:
        typer.BadParameter: There is no such file, or it is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise typer.BadParameter(f"{path} cannot be read: {reason}.", param_hint="FILE") from None


def apply_text(opened: Any, path: Path, text: str) -> tuple[Any, str]:
    """Apply one document; an error names its file."""
    from etlml.errors import EtlmlError

    try:
        pipeline, change = opened.pipelines.apply_yaml(text)
    except EtlmlError as error:
        typer.echo(f"In {path}:", err=True)
        raise error from None
    return pipeline, {"changed": "updated"}.get(change, change)
