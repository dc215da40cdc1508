"""What commands print: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

T = TypeVar("T")
Columns: TypeAlias = Mapping[str, Callable[[T], Any]]
"""A table of things of one kind: each heading with what stands under it."""

COLOURS = {
    "success": "green", "passed": "green", "completed": "green", "cached": "cyan", "deployed": "green",
    "failed": "red", "missed": "red", "running": "blue", "pending": "yellow", "warning": "yellow",
    "cancelled": "magenta", "skipped": "bright_black",
}  # fmt: skip


def print_json(value: Any) -> None:
    """A value of documents and plain things, as JSON with an indent."""
    typer.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, default=str))


def plain(value: Any) -> Any:
    """Documents as dicts, all the way down; times as ISO 8601."""
    if hasattr(value, "model_dump"):
        document: BaseModel = value
        return document.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def print_list(found: Sequence[T], columns: Columns[T], *, as_json: bool, empty: str) -> None:
    """What was found, whole as JSON, or as a table; ``empty`` is what the table says when there is nothing."""
    if as_json:
        print_json(found)
        return
    print_table([*columns], [[cell(one) for cell in columns.values()] for one in found], empty=empty)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str) -> None:
    """Rows under headings; ``empty`` is what to say when there is none. Plain tab-separated text when piped."""
    if not rows:
        typer.echo(empty, err=True)
        return
    if not sys.stdout.isatty():
        for row in [columns, *rows]:
            typer.echo("\t".join(str(cell if cell is not None else "") for cell in row))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(str(cell if cell is not None else ""), style=COLOURS.get(str(cell), "")) for cell in row))
    console().print(table)


def console() -> "Console":
    """Standard output, with colours where it is a terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def local(time: datetime | None) -> str:
    """A time in the reader's zone, to the second."""
    return "" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def seconds(value: float | None) -> str:
    """A duration with its unit: ``12 ms``, ``3.4 s``, ``2 min 05 s``."""
    if value is None:
        return ""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s"


def since(start: datetime | None, end: datetime | None = None) -> float | None:
    """Seconds from ``start`` to ``end``, or to now; None if it has not started."""
    return None if start is None else ((end or datetime.now(UTC)) - start).total_seconds()


def shortened(text: str, width: int = 60) -> str:
    """The first line, cut to a width."""
    line = text.partition("\n")[0]
    return line if len(line) <= width else line[: width - 1] + "…"


def count(number: int | None) -> str:
    """A number with thin groups: ``336,776``."""
    return "" if number is None else f"{number:,}"
