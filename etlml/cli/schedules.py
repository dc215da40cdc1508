"""Schedules and what else starts pipelines: schedules, pause, resume, webhook."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from etlml.cli.options import Json, Pipelines, one_of

if TYPE_CHECKING:
    from etlml.services.fires import Fire, Outcome, ScheduleRow
    from etlml.services.webhooks import Calls

OUTCOMES = ("ran", "missed", "skipped")
Name = Annotated[str, typer.Argument(help="Name or id of a pipeline.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (schedules, pause, resume, webhook):
        app.command()(command)


def schedules(
    name: Annotated[str | None, typer.Argument(help="The history of this pipeline's schedule.")] = None,
    outcome: Annotated[str | None, typer.Option(help=f"Only fires that {', '.join(OUTCOMES)}.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many fires.")] = 20,
    as_json: Json = False,
) -> None:
    """List all schedules, the next to fire first; with a name, what became of that schedule's fires."""
    from etlml.cli.output import print_json, print_table
    from etlml.cli.session import services

    wanted: Outcome | None = one_of([*OUTCOMES], outcome, "--outcome")  # type: ignore[assignment]
    with services() as opened:
        fires = opened.schedules.history(name, outcome=wanted, limit=limit) if name else []
        rows = [] if name else opened.schedules.list()
    if as_json:
        print_json([_fire_json(fire) for fire in fires] if name else [_schedule_json(row) for row in rows])
    elif name:
        print_table(
            ["FIRE", "OUTCOME", "RUN", "REASON"], [_fire(fire) for fire in fires], empty="It has not fired yet."
        )
    else:
        columns = ["PIPELINE", "SCHEDULE", "NEXT FIRE", "LAST FIRE", "LAST", "MISSED"]
        print_table(columns, [_schedule(row) for row in rows], empty="No pipeline has a schedule.")


def pause(names: Pipelines, as_json: Json = False) -> None:
    """Have neither the schedules nor triggers start these pipelines; people still can."""
    _set_paused(names, True, as_json)


def resume(names: Pipelines, as_json: Json = False) -> None:
    """End the pause of these pipelines; what was due meanwhile is not made up."""
    _set_paused(names, False, as_json)


def webhook(
    name: Name,
    renew: Annotated[bool, typer.Option("--renew", help="A new token; the old one stops working at once.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Take the webhook away.")] = False,
    calls: Annotated[bool, typer.Option("--calls", help="Say how it was called lately.")] = False,
    as_json: Json = False,
) -> None:
    """Give a pipeline a webhook, and print the request that starts it: its token is shown this once."""
    from etlml.cli.output import print_json
    from etlml.cli.session import services
    from etlml.settings import get_settings

    if renew + delete + calls > 1:
        raise typer.BadParameter("Choose one of --renew, --delete and --calls.")
    with services() as opened:
        if calls:
            _show_calls(opened.webhooks.calls(name), as_json=as_json)
            return
        if delete:
            opened.webhooks.remove(name)
            print_json({"deleted": True}) if as_json else typer.echo(f"The webhook of {name} is gone.")
            return
        token = opened.webhooks.rotate(name) if renew else opened.webhooks.create(name)
    settings = get_settings()
    path = f"/api/hooks/{token}"
    url = f"http://{settings.host}:{settings.api_port}{path}"
    if as_json:
        print_json({"token": token, "path": path, "url": url})
    else:
        typer.echo(f"curl -X POST {url}")
        typer.echo("Keep it: the token is not shown again.", err=True)


def _show_calls(found: "Calls", *, as_json: bool) -> None:
    from dataclasses import asdict

    from etlml.cli.output import local, print_json, print_table

    if as_json:
        print_json(asdict(found) | {"refusals": [each.model_dump(mode="json") for each in found.refusals]})
        return
    if not found.exists:
        typer.echo("It has no webhook.")
        return
    typer.echo(f"Last delivery: {local(found.last_delivery) or 'none'}. Refused: {found.refused:,}.")
    if found.refusals:
        rows = [(local(each.ts), each.reason, each.message) for each in found.refusals]
        print_table(["REFUSED AT", "REASON", "MESSAGE"], rows, empty="")


def _set_paused(names: Sequence[str], paused: bool, as_json: bool) -> None:
    from etlml.cli.output import print_json
    from etlml.cli.session import services

    with services() as opened:
        act = opened.schedules.pause if paused else opened.schedules.resume
        done = [act(name) for name in names]
    if as_json:
        facts = [{"name": one.name, "paused": one.options.paused, "version": one.version} for one in done]
        print_json(facts if len(facts) > 1 else facts[0])
    for one in done if not as_json else ():
        typer.echo(f"{one.name} is {'paused' if paused else 'active'}.")


def _schedule(row: "ScheduleRow") -> tuple[object, ...]:
    from etlml.cli.output import local

    upcoming = "paused" if row.paused else local(row.next_fires[0]) if row.next_fires else row.problem
    last = row.last
    return (
        row.pipeline,
        row.words,
        upcoming,
        local(last.at) if last else "",
        last.status if last else "",
        row.missed or "",
    )


def _fire(fire: "Fire") -> tuple[object, ...]:
    from etlml.cli.output import local

    return local(fire.at), fire.status if fire.outcome == "ran" else fire.outcome, fire.run_id, fire.reason


def _schedule_json(row: "ScheduleRow") -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(row), "options": row.options.model_dump(mode="json")}


def _fire_json(fire: "Fire") -> dict[str, object]:
    from dataclasses import asdict

    return asdict(fire)
