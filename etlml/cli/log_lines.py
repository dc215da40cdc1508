"""Log lines on a terminal: of one run, or of everything."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from etlml.documents import LogEntry
    from etlml.services import Services

FOLLOW_PAUSE_S = 0.3
BAR = 40  # letters of the longest bar
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


@contextmanager
def opened(asked: Mapping[str, Any]) -> Iterator[tuple["Services", dict[str, Any]]]:
    """The services, and the filters as they take them: full ids, real times."""
    from etlml.cli.runs import full_id
    from etlml.cli.session import services

    filters = {name: asked[name] for name in ("level", "q", "regex", "source")}
    filters |= {name: moment(asked[name], f"--{name}") if asked[name] else None for name in ("since", "until")}
    with services() as found:
        filters["run_id"] = full_id(found, asked["run"]) if asked["run"] else None
        filters["pipeline_id"] = found.pipelines.get(asked["pipeline"]).id if asked["pipeline"] else None
        yield found, {**filters, "step_id": asked["step"]}


def of_everything(services: "Services", filters: dict[str, Any], *, follow: bool, as_json: bool, limit: int) -> None:
    """The lines that fit, oldest first; ``follow`` until it is interrupted."""
    last: str | None = None
    for entry in reversed(services.logs.query(**filters, limit=limit).items):
        print_entry(entry, as_json=as_json)
        last = entry.id
    if last is None and not follow:
        typer.echo("Nothing was logged that fits.", err=True)
    while follow:
        time.sleep(FOLLOW_PAUSE_S)
        for entry in services.logs.tail(after=last, limit=limit, **filters):
            print_entry(entry, as_json=as_json)
            last = entry.id


def groups(services: "Services", filters: dict[str, Any], *, limit: int, as_json: bool) -> None:
    """Equal warnings and errors with their number."""
    from etlml.cli.output import local, print_json, print_table

    found = services.logs.groups(**filters, limit=limit)
    if as_json:
        print_json([each._asdict() for each in found])
        return
    rows = [(str(each.lines), each.level, each.source, local(each.last), each.text) for each in found]
    print_table(["LINES", "LEVEL", "SOURCE", "LAST", "PROBLEM"], rows, empty="No warnings and no errors.")


def histogram(services: "Services", filters: dict[str, Any], *, buckets: int, as_json: bool) -> None:
    """Lines over time by level, counted to the end."""
    from etlml.cli.output import local, print_json, print_table

    level, until = filters.pop("level"), filters.pop("until") or datetime.now(UTC)
    since = filters.pop("since") or until - timedelta(days=1)
    if since >= until:
        raise typer.BadParameter("It lies before --since.", param_hint="--until")
    found = services.logs.volume(since, until, buckets=buckets, **filters)
    while not found.is_complete:
        found = services.logs.volume(since, until, buckets=buckets, so_far=found, **filters)
    table = found.table(level)
    if as_json:
        print_json([{"at": at, "levels": levels} for at, levels in table.items()])
        return
    most = max((sum(levels.values()) for levels in table.values()), default=1)
    rows, at = [], found.since
    while at < until:
        levels = table.get(at, {})
        lines, bad = sum(levels.values()), levels.get("ERROR", 0) + levels.get("CRITICAL", 0)
        bar = "█" * -(-BAR * lines // most)
        rows.append((local(at), f"{lines:,}", f"{levels.get('WARNING', 0):,}", f"{bad:,}", bar))
        at += found.width
    print_table(["FROM", "LINES", "WARNINGS", "ERRORS", ""], rows, empty="Nothing was logged that fits.")


def save(services: "Services", filters: dict[str, Any], path: Path) -> None:
    """Every line that fits, oldest first, as a file."""
    packed = path.suffix == ".gz"
    form = "jsonl" if Path(path.stem if packed else path.name).suffix in (".jsonl", ".ndjson") else "text"
    pieces = services.logs.export(form=form, packed=packed, **filters)  # type: ignore[arg-type]
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    typer.echo(f"Saved to {path}", err=True)


def moment(text: str, option: str = "--since") -> datetime:
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
            f"{text!r} is no time. Write 30m, 2h, 7d or 2026-11-22T14:00.", param_hint=option
        ) from None


def print_entry(entry: "LogEntry", *, as_json: bool) -> None:
    """One line of a log; as JSON one document a line."""
    if as_json:
        typer.echo(entry.model_dump_json())
        return
    step = f" [{entry.step_id}]" if entry.step_id else ""
    level = typer.style(f"{entry.level:<7}", fg=LEVEL_COLOURS.get(entry.level))
    typer.echo(f"{entry.ts.astimezone():%H:%M:%S.%f}"[:-3] + f" {level}{step} {entry.message}")
