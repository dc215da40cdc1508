"""Runs: runs, logs, cancel, retry."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from etlml.cli import comparing, log_command, output, step_rows
from etlml.cli.options import Json, Limit, RunIds, Since, Wait, one_of

if TYPE_CHECKING:
    from etlml.documents import Run
    from etlml.services import Services

STATUSES = ["pending", "running", "success", "failed", "cancelled", "missed"]
TRIGGERS = ["manual", "schedule", "api", "backfill", "retry", "webhook", "file", "pipeline"]
COLUMNS: "output.Columns[Run]" = {
    "RUN": lambda run: run.id,
    "PIPELINE": lambda run: run.pipeline_name,
    "STATUS": lambda run: run.status,
    "TRIGGER": lambda run: run.trigger,
    "CREATED": lambda run: output.local(run.created_at),
    "TOOK": lambda run: output.seconds(taken_s(run)),
    "NOTE": lambda run: note(run),
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (runs, log_command.logs, cancel, retry):
        app.command()(command)
    comparing.register(app)
    step_rows.register(app)


def runs(
    pipeline: Annotated[str | None, typer.Argument(help="Only those of this pipeline.")] = None,
    status: Annotated[str | None, typer.Option(help=f"Only those that are {', '.join(STATUSES)}.")] = None,
    trigger: Annotated[str | None, typer.Option(help=f"Only those started by {', '.join(TRIGGERS)}.")] = None,
    q: Annotated[str | None, typer.Option("--q", help="Only those whose pipeline, error or reason holds this.")] = None,
    since: Since = None,
    backfill: Annotated[str | None, typer.Option(help="Only those of this backfill, by its id.")] = None,
    warned: Annotated[bool, typer.Option("--warned", help="Only those with warnings.")] = False,
    oldest: Annotated[bool, typer.Option("--oldest", help="The oldest first.")] = False,
    longest: Annotated[bool, typer.Option("--longest", help="Ended runs, the longest first.")] = False,
    shortest: Annotated[bool, typer.Option("--shortest", help="Ended runs, the shortest first.")] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List runs, newest first."""
    from etlml.cli.log_lines import moment
    from etlml.cli.session import services

    if oldest + longest + shortest > 1:
        raise typer.BadParameter("Give one of them.", param_hint="--oldest, --longest, --shortest")
    wanted: Any = {
        "pipeline": pipeline,
        "status": one_of(STATUSES, status, "--status"),
        "trigger": one_of(TRIGGERS, trigger, "--trigger"),
        "q": q,
        "since": moment(since) if since else None,
        "backfill": backfill,
        "warned": warned,
        "limit": limit,
    }
    with services() as opened:
        if longest or shortest:
            found = list(opened.run_views.longest(shortest=shortest, **wanted))
        else:
            found = list(opened.runs.list(newest_first=not oldest, **wanted).items)
    output.print_list(found, COLUMNS, as_json=as_json, empty="No runs yet. Start one: etlml run NAME")


def taken_s(run: "Run") -> float | None:
    """How long it took, or has gone on so far; None before it starts."""
    return run.duration_s if run.is_final else output.since(run.started_at)


def note(run: "Run") -> str:
    """What is worth knowing of it in a line: its error, else its reason."""
    return output.shortened(run.error.message if run.error else run.reason or "")


def cancel(runs: RunIds) -> None:
    """Stop runs that wait or go on."""
    from etlml.cli.session import services

    with services() as opened:
        for run in runs:
            cancelled = opened.runs.cancel(full_id(opened, run))
            ended = "is cancelled" if cancelled.is_final else "is being stopped"
            typer.echo(f"Run {cancelled.id} of {cancelled.pipeline_name} {ended}")


def retry(
    runs: RunIds,
    start: Annotated[
        str, typer.Option("--from", help="failed (what did not succeed), start (everything), or a step's id.")
    ] = "failed",
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Run again what did not succeed, on the pipeline as it is now; what is done is taken over."""
    from etlml.cli.session import services
    from etlml.cli.watching import print_end, watch

    with services() as opened:
        fresh = [opened.runs.retry(full_id(opened, run), start) for run in runs]
        if wait:
            fresh = [watch(opened, one.id, quiet=as_json) for one in fresh]
    if as_json:
        output.print_json(fresh if len(fresh) > 1 else fresh[0])
    for one in fresh if not as_json else ():
        print_end(one) if wait else typer.echo(f"{one.pipeline_name} is queued (run {one.id})")
    if wait and any(one.status != "success" for one in fresh):
        raise typer.Exit(1)


def full_id(opened: "Services", start: str) -> str:
    """The id that begins like this; an id that is given in full is taken as it is.

    Raises:
        NotFound: No run's id begins so.
        typer.BadParameter: Several do.
    """
    from etlml.errors import NotFound

    try:
        return opened.runs.get(start).id
    except NotFound:
        recent = [run.id for run in opened.runs.list(limit=200).items]
        matching = [run_id for run_id in recent if run_id.startswith(start)]
        if len(matching) > 1:
            raise typer.BadParameter(
                f"{start!r} begins {len(matching)} ids. Give more of it.", param_hint="RUN"
            ) from None
        if not matching:
            raise
        return matching[0]
