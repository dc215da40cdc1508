"""The command line. What a command does is imported when it runs, so that ``etlml --help`` is there at once."""

import sys
from typing import Annotated, NoReturn

import typer

from etlml import __version__
from etlml.cli import (
    access,
    administration,
    backfills,
    data,
    figures,
    files,
    models,
    packs,
    pipelines,
    processes,
    removing,
    runs,
    schedules,
    versions,
    workspace,
)
from etlml.errors import EtlmlError, InvalidInput, NotFound

WORK_FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="etlml",
    help="Pipelines, data quality and models on one machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"etlml {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Pipelines, data quality and models on one machine."""


for module in (
    processes,
    workspace,
    pipelines,
    runs,
    schedules,
    backfills,
    versions,
    data,
    files,
    models,
    packs,
    administration,
    access,
    removing,
    figures,
):
    module.register(app)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit: 0 success, 1 the work failed, 2 wrong use."""
    try:
        app(args=arguments, prog_name="etlml")
    except EtlmlError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(WRONG_USE if isinstance(error, InvalidInput | NotFound) else WORK_FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        sys.stderr.close()
        sys.exit(0)
    sys.exit(0)
