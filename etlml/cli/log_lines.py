"""Log lines on a terminal: of one run, or of everything."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from etlml.documents import LogEntry
    from etlml.services import Services

FOLLOW_PAUSE_S = 0.3
LEVEL_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "DEBUG": "bright_black"}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def of_run(run: str, *, level: str | None, step: str | None, limit: int, follow: bool, as_json: bool) -> None:
    """What a run logged, oldest first; ``follow`` until it ends."""
    from etlml.cli.runs import full_id
    from etlml.cli.session import services

    with services() as opened:
        run_id = full_id(opened, run)
        seen: set[str] = set()
        while True:
            finished = opened.runs.get(run_id).is_final  # asked before the lines, so that the last ones are not missed
            found = opened.runs.logs(run_id, level=level, step_id=step, limit=limit).items  # type: ignore[arg-type]
            for entry in reversed(found):
                if entry.id not in seen:
                    seen.add(entry.id)
                    print_entry(entry, as_json=as_json)
            if finished or not follow:
                break
            time.sleep(FOLLOW_PAUSE_S)
    if not seen:
        typer.echo("It has logged nothing" + (" yet." if not finished else "."), err=True)


def of_everything(*, since: str | None, groups: bool, follow: bool, as_json: bool, limit: int, **filters: Any) -> None:
    """What everything logged, oldest first; ``follow`` until it is interrupted."""
    from etlml.cli.session import services

    filters["step_id"] = filters.pop("step")
    filters["since"] = moment(since) if since else None
    with services() as opened:
        if groups:
            _groups(opened, filters, limit=limit, as_json=as_json)
            return
        last: str | None = None
        for entry in reversed(opened.logs.query(**filters, limit=limit).items):
            print_entry(entry, as_json=as_json)
            last = entry.id
        if last is None and not follow:
            typer.echo("Nothing was logged that fits.", err=True)
        while follow:
            time.sleep(FOLLOW_PAUSE_S)
            for entry in opened.logs.tail(after=last, limit=limit, **filters):
                print_entry(entry, as_json=as_json)
                last = entry.id


def _groups(opened: "Services", filters: dict[str, Any], *, limit: int, as_json: bool) -> None:
    from etlml.cli.output import local, print_json, print_table

    found = opened.logs.groups(**filters, limit=limit)
    if as_json:
        print_json([each._asdict() for each in found])
        return
    rows = [(str(each.lines), each.level, each.source, local(each.last), each.text) for each in found]
    print_table(["LINES", "LEVEL", "SOURCE", "LAST", "PROBLEM"], rows, empty="No warnings and no errors.")


def moment(text: str) -> datetime:
    """A time as it is written on a command line: ``2h`` ago, or ISO 8601 in local time.

    Raises:
        typer.BadParameter: It is neither.
    """
    if found := re.fullmatch(r"(\d{1,6})([smhdw])", text.strip()):
        return datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time. Write 30m, 2h, 7d or 2026-11-22T14:00.", param_hint="--since"
        ) from None


def print_entry(entry: "LogEntry", *, as_json: bool) -> None:
    """One line of a log; as JSON one document a line."""
    if as_json:
        typer.echo(entry.model_dump_json())
        return
    step = f" [{entry.step_id}]" if entry.step_id else ""
    level = typer.style(f"{entry.level:<7}", fg=LEVEL_COLOURS.get(entry.level))
    typer.echo(f"{entry.ts.astimezone():%H:%M:%S.%f}"[:-3] + f" {level}{step} {entry.message}")
