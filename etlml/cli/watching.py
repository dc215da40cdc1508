"""Follows a run to its end: a live table on a terminal, one line a change when piped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from etlml.cli.output import COLOURS, console, count, seconds, since

if TYPE_CHECKING:
    from rich.table import Table

    from etlml.documents import Run, StepRun
    from etlml.services import Services

PAUSE_S = 0.1
LONG_S = 3.0


def watch(services: "Services", run_id: str, *, quiet: bool = False) -> "Run":
    """Show the run's steps until it is finished; a run that no worker would take is executed in this process."""
    with somebody_to_do_it(services):
        if quiet:
            return services.runs.wait(run_id)
        return _live(services, run_id) if console().is_terminal else _lines(services, run_id)


@contextmanager
def somebody_to_do_it(services: "Services") -> Iterator[None]:
    """Make sure that a worker lives: one elsewhere, else one in this process for the time of the context."""
    if has_worker(services):
        yield
        return
    from etlml.engine.engine import Engine
    from etlml.launch.logs import log_to_store

    with log_to_store(services.store, "cli"):
        engine = Engine(services.environment, services.store)
        engine.start()
        try:
            yield
        finally:
            engine.stop()


def has_worker(services: "Services") -> bool:
    """Whether any worker's heartbeat is fresh."""
    from etlml.clock import utc_now

    return bool(services.store.workers.list_alive(utc_now()))


def _live(services: "Services", run_id: str) -> "Run":
    from rich.live import Live

    with Live(console=console(), refresh_per_second=10, transient=False) as live:
        while True:
            run = services.runs.get(run_id)
            live.update(_table(run), refresh=run.is_final)
            if run.is_final:
                return run
            time.sleep(PAUSE_S)


def _lines(services: "Services", run_id: str) -> "Run":
    seen: dict[str, str] = {}
    while True:
        run = services.runs.get(run_id)
        for step in run.steps:
            if _deserves_a_line(step) and seen.get(step.id) != step.status:
                seen[step.id] = step.status
                typer.echo("  ".join(part for part in _cells(step) if part))
        if run.is_final:
            return run
        time.sleep(PAUSE_S)


def _deserves_a_line(step: "StepRun") -> bool:
    """Whether it ended, or takes so long that a reader would wonder."""
    if step.status == "running":
        return (since(step.started_at) or 0) > LONG_S
    return step.status != "pending"


def _table(run: "Run") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None, pad_edge=False, show_header=False, title=f"{run.pipeline_name}  {run.id}", title_justify="left"
    )
    for step in run.steps:
        name, status, rows, took = _cells(step)
        table.add_row(
            name, Text(status, style=COLOURS.get(status, "")), Text(rows, justify="right"), Text(took, justify="right")
        )
    return table


def _cells(step: "StepRun") -> tuple[str, str, str, str]:
    took = since(step.started_at, step.finished_at) if step.started_at else None
    rows = f"{count(step.rows_out)} rows" if step.rows_out is not None else ""
    return step.id, step.status, rows, seconds(took)


def print_queued(services: "Services", run: "Run") -> None:
    """Two lines on a run that waits: how to follow it, and how to have it done where no worker is up."""
    typer.echo(f"{run.pipeline_name} is queued (run {run.id}). Follow it with: etlml logs {run.id} -f")
    if not has_worker(services):
        typer.echo("No worker is up, so it waits: start `etlml up`, or run it here with --wait.", err=True)


def print_end(run: "Run") -> None:
    """One line on how the run ended, and what to do if it failed."""
    colour = {"success": "green", "cancelled": "magenta"}.get(run.status, "red")
    typer.secho(f"{run.pipeline_name} {run.status} after {seconds(run.duration_s) or '0 s'} (run {run.id})", fg=colour)
    if run.warnings:
        typer.secho(f"{run.warnings} warning{'s' if run.warnings > 1 else ''}: etlml logs {run.id}", fg="yellow")
    if run.error is not None:
        where = f"Step {run.error.step!r}: " if run.error.step else ""
        typer.echo(f"Error: {where}{run.error.message}", err=True)
