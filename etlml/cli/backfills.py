"""Making up for the past: backfill, backfills."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from etlml.cli.options import Json, Params, one_of, pairs
from etlml.cli.output import local, print_json, print_list, print_table

if TYPE_CHECKING:
    from etlml.documents import Backfill
    from etlml.services import Services
    from etlml.services.backfills import Redo

REDO = ["all", "failed", "missing"]
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (backfill, backfills):
        app.command()(command)


def backfill(
    name: Annotated[str, typer.Argument(help="Name or id of a pipeline with a schedule.")],
    since: Annotated[
        datetime,
        typer.Option(
            "--from", "--since", formats=FORMATS, metavar="DATE", help="The first moment, in the schedule's time zone."
        ),
    ],
    until: Annotated[
        datetime,
        typer.Option(
            "--to", "--until", formats=FORMATS, metavar="DATE", help="The last one; a day without a time means its end."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the moments.")] = False,
    redo: Annotated[
        str, typer.Option(help="all moments, those without a success (failed), or those that never ran (missing).")
    ] = "all",
    parallel: Annotated[int, typer.Option(min=1, max=100, help="Runs that may wait or go on at once.")] = 1,
    param: Params = [],  # noqa: B006 - typer copies it
    as_json: Json = False,
) -> None:
    """Run a pipeline for every moment at which its schedule fired in a range of dates, the oldest first."""
    from etlml.cli.session import services

    wanted: Redo = one_of(REDO, redo, "--redo")  # type: ignore[assignment]
    with services() as opened:
        first, last = _in_zone(opened, name, since, until)
        if dry_run:
            moments = [each.isoformat() for each in opened.backfills.moments(name, first, last, redo=wanted)]
            empty = "The schedule does not fire within this range."
            print_list(moments, {"SCHEDULED FOR": str}, as_json=as_json, empty=empty)
            return
        started = opened.backfills.start(name, first, last, redo=wanted, parallel=parallel, params=pairs(param))
    print_json(started) if as_json else _say(started)


def _say(started: "Backfill") -> None:
    typer.echo(
        f"Backfill {started.id} of {started.pipeline_name}: {len(started.intervals)} runs, {started.parallel} at a time. "
        f"Workers run them; see: etlml runs {started.pipeline_name}"
    )


def backfills(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="These backfills; without any, all are listed.")
    ] = None,
    pause: Annotated[bool, typer.Option("--pause", help="Start no more of their runs for now.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on.")] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Start no more runs, cancel those that wait or go on.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List backfills, newest first, or pause, resume or cancel some."""
    from etlml.cli.session import services

    if pause + resume + cancel > 1 or (pause or resume or cancel) != bool(ids):
        raise typer.BadParameter("Name backfills together with one of --pause, --resume and --cancel.")
    with services() as opened:
        service = opened.backfills
        act = service.pause if pause else service.resume if resume else service.cancel
        found = [act(one) for one in ids] if ids else service.list(limit=100).items
        done = [service.progress(one) for one in found]
    if as_json:
        print_json(found)
        return
    rows = [
        (one.id, one.pipeline_name, one.status, f"{each.total - each.waiting} of {each.total}", local(one.created_at))
        for one, each in zip(found, done, strict=True)
    ]
    print_table(["BACKFILL", "PIPELINE", "STATUS", "STARTED", "CREATED"], rows, empty="No backfills yet.")


def _in_zone(opened: "Services", name: str, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The range as moments; a day's name alone as the end stands for the whole day."""
    from datetime import timedelta

    from etlml.cron import zone

    pipeline = opened.pipelines.get(name)
    if (until.hour, until.minute, until.second) == (0, 0, 0):
        until += timedelta(days=1) - timedelta(seconds=1)
    place = zone(pipeline.timezone)
    return since.replace(tzinfo=place), until.replace(tzinfo=place)
