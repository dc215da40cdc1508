"""The long-running commands: up, worker, api, ui."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from etlml.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on; ETLML_HOST otherwise, then 127.0.0.1.")]
Parent = Annotated[int | None, typer.Option(hidden=True)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, worker, api, ui):
        app.command()(command)


def up(
    host: Host = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the dashboard; the next free one if it is taken.", min=1, max=65535)
    ] = None,
    api_port: Annotated[int | None, typer.Option(help="Port of the REST API; likewise.", min=1, max=65535)] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the dashboard in a browser.")] = False,
) -> None:
    """Start everything: MongoDB, a worker, the REST API and the dashboard. Ctrl-C stops it."""
    from etlml.launch.up import up as run_up

    run_up(settings_with(host=host, port=port, api_port=api_port), open_browser=not no_browser)


def worker(
    slots: Annotated[
        int | None, typer.Option(help="Runs executed at once; ETLML_WORKER_SLOTS otherwise.", min=1, max=64)
    ] = None,
    parent: Parent = None,
) -> None:
    """Claim runs and execute them; any number of workers may share one MongoDB."""
    hold(parent)
    from etlml.cli.serving import run_worker

    run_worker(settings_with(worker_slots=slots))


def api(
    host: Host = None,
    port: Annotated[
        int | None, typer.Option(help="Port; ETLML_API_PORT otherwise, then 8000.", min=1, max=65535)
    ] = None,
    parent: Parent = None,
) -> None:
    """Serve the REST API alone."""
    hold(parent)
    from etlml.cli.serving import run_api

    run_api(settings_with(host=host, api_port=port))


def ui(
    host: Host = None,
    port: Annotated[int | None, typer.Option(help="Port; ETLML_PORT otherwise, then 8501.", min=1, max=65535)] = None,
    parent: Parent = None,
) -> None:
    """Serve the dashboard alone."""
    hold(parent)
    from etlml.cli.serving import run_ui

    run_ui(settings_with(host=host, port=port))


def hold(parent: int | None) -> None:
    """Tie this process to the supervisor that started it, if one did."""
    if parent is not None:
        from etlml.launch.lifeline import hold as hold_on

        hold_on(parent)


def settings_with(**options: object) -> "Settings":
    """The settings, with the options that were given in place of the environment's."""
    from etlml.settings import get_settings

    return get_settings().model_copy(update={name: value for name, value in options.items() if value is not None})
