"""Deleting by name: runs, pipelines, experiments, validations, connections, users, API keys."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etlml.cli.options import one_of

if TYPE_CHECKING:
    from etlml.services import Services

KINDS = ["run", "pipeline", "experiment", "validation", "connection", "user", "key"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(delete)


def delete(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"What they are: {', '.join(KINDS)}.")],
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Their names or ids.")],
) -> None:
    """Delete for good, one after the other. What is in use is refused, and what comes after it stays."""
    from etlml.cli.session import services

    chosen = one_of(KINDS, kind, "KIND") or kind
    with services() as opened:
        remove = _removal(opened, chosen)
        for name in names:
            remove(name)
            typer.echo(f"Deleted the {chosen} {name}.")


def _removal(opened: "Services", kind: str) -> Callable[[str], Any]:
    from etlml.cli.runs import full_id

    return {
        "run": lambda start: opened.runs.delete(full_id(opened, start)),
        "pipeline": opened.pipelines.delete,
        "experiment": opened.experiments.delete,
        "validation": opened.validations.delete,
        "connection": opened.connections.delete,
        "user": opened.users.delete,
        "key": opened.api_keys.delete,
    }[kind]
