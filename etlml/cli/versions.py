"""Versions of pipelines and what to begin with: versions, restore, templates, new."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from etlml.cli.options import Json

if TYPE_CHECKING:
    from etlml.services.pipelines import VersionDiff

Name = Annotated[str, typer.Argument(help="Name or id of a pipeline.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (versions, restore, templates, new):
        app.command()(command)


def versions(
    name: Name,
    diff: Annotated[
        tuple[int, int] | None, typer.Option(metavar="A B", help="What changed from version A to version B.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the saved versions of a pipeline, newest first, or say what changed between two."""
    from etlml.cli.output import local, print_json, print_table
    from etlml.cli.session import services

    with services() as opened:
        if diff:
            changed = opened.pipelines.diff(name, *diff)
        else:
            found = opened.pipelines.versions(name)
    if diff:
        print_json(_diff_json(changed)) if as_json else _print_diff(changed)
    elif as_json:
        print_json(found)
    else:
        rows = [(each.version, local(each.created_at), each.author, len(each.document.steps)) for each in found]
        print_table(["VERSION", "SAVED", "BY", "STEPS"], rows, empty="No versions.")


def restore(
    name: Name, version: Annotated[int, typer.Argument(min=1, help="The version to go back to.")], as_json: Json = False
) -> None:
    """Save an earlier version of a pipeline as its newest one."""
    from etlml.cli.output import print_json
    from etlml.cli.session import services

    with services() as opened:
        pipeline = opened.pipelines.restore(name, version)
    if as_json:
        print_json(pipeline)
    else:
        typer.echo(f"{pipeline.name}: version {version} is back, as version {pipeline.version}.")


def templates(
    key: Annotated[str | None, typer.Argument(help="Print this one as YAML, ready for `etlml apply`.")] = None,
    as_json: Json = False,
) -> None:
    """List the templates that come along, or print one as YAML."""
    from dataclasses import asdict

    from etlml.cli.output import print_json, print_table
    from etlml.services.starters import template, templates

    if key is not None:
        typer.echo(template(key).yaml, nl=False)
    elif as_json:
        print_json([asdict(each) for each in templates().values()])
    else:
        rows = [(each.key, " > ".join(each.steps), each.description) for each in templates().values()]
        print_table(["TEMPLATE", "STEPS", "WHAT IT DOES"], rows, empty="There are no templates.")


def new(
    name: Annotated[str, typer.Argument(help="The new pipeline's name.")],
    template: Annotated[str | None, typer.Option(metavar="TEMPLATE", help="Begin with this template.")] = None,
    like: Annotated[str | None, typer.Option(metavar="PIPELINE", help="Begin as a copy of this pipeline.")] = None,
    file: Annotated[
        str | None, typer.Option(metavar="PATH", help="Begin with a step that reads this data file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a pipeline: without steps, from a template or a data file, or as a copy of another one (without its schedule)."""
    from etlml.cli.output import print_json
    from etlml.cli.session import services
    from etlml.services.starters import template as template_of
    from etlml.sizes import plural

    if sum(each is not None for each in (template, like, file)) > 1:
        raise typer.BadParameter("Choose one of --template, --like and --file.")
    with services() as opened:
        if like is not None:
            made = opened.pipelines.copy(like, name)
        elif file is not None:
            made = opened.pipelines.create({**opened.data_files.reader(file), "name": name})
        else:
            made = opened.pipelines.create(template_of(template).document(name) if template else {"name": name})
    print_json(made) if as_json else typer.echo(f"Made {made.name}, with {plural(len(made.steps), 'step')}.")


def _diff_json(changed: "VersionDiff") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(changed)


def _print_diff(changed: "VersionDiff") -> None:
    from etlml.services.version_words import field_words

    for change in changed.settings:
        typer.echo(f"  {field_words(change)}")
    for step in changed.steps:
        was = f" (was {step.was})" if step.was else ""
        typer.echo(f"{step.kind:>8}  {step.step}{was}")
        for field in step.fields if step.kind != "moved" else ():
            typer.echo(f"          {field_words(field)}")
    if not changed.settings and not changed.steps:
        typer.echo("Nothing changed between these versions.", err=True)
