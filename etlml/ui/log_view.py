"""Log lines as escaped HTML: newest at the foot, tracebacks folded, what was searched for marked."""

import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from urllib.parse import urlencode

from etlml.documents import LogEntry
from etlml.services.logs import line_text
from etlml.ui import format as words
from etlml.ui.looks import LEVEL_TONE


def log_html(
    entries: Sequence[LogEntry], *, zone: tzinfo | None, query: str = "", height: int | None = 520, linked: bool = False
) -> str:
    """Lines, newest first in ``entries``, newest last on the screen (the block keeps to its foot by itself).

    Args:
        height: In pixels; None for what the window leaves.
        linked: Each line leads to its run and step, and can be copied.
    """
    if not entries:
        return empty_html("No lines", "No line matches these filters.")
    lines = "".join(
        _with_day(entry, older, zone, query, linked) for entry, older in zip(entries, [*entries[1:], None], strict=True)
    )
    tall = "max(340px, calc(100vh - 400px))" if height is None else f"{height}px"
    return f'<div class="log" style="--log-height:{tall}">{lines}</div>'


def empty_html(title: str, text: str) -> str:
    """In the place of lines."""
    return f'<div class="empty-card"><b>{html.escape(title)}</b><span>{html.escape(text)}</span></div>'


def _with_day(entry: LogEntry, older: LogEntry | None, zone: tzinfo | None, query: str, linked: bool) -> str:
    """A line, and its day above it where the line before is of another day."""
    day = entry.ts.astimezone(zone).date()
    same = older is not None and older.ts.astimezone(zone).date() == day
    return _line(entry, zone, query, linked) + ("" if same else f'<div class="day">{day:%A}, {words.day(day)}</div>')


def _line(entry: LogEntry, zone: tzinfo | None, query: str, linked: bool) -> str:
    first, _, rest = entry.message.partition("\n")
    rest = "\n".join(part for part in (rest, str(entry.fields.get("traceback") or "").rstrip()) if part)
    message = _marked(first, query)
    if rest:
        more = rest.count("\n") + 1
        summary = "1 more line" if more == 1 else f"{more} more lines"
        message += f"<details><summary>{summary}</summary>{_marked(rest, query)}</details>"
    at = f'datetime="{entry.ts:%Y-%m-%dT%H:%M:%S.%fZ}" title="{words.exact(entry.ts, zone)}"'
    return (
        f'<div class="tone-{LEVEL_TONE[entry.level]}" data-line="{html.escape(entry.id)}">'
        f"<time {at}>{words.clock_time(entry.ts, zone)}</time>"
        f'<span class="lv">{entry.level}</span>{_source(entry, linked)}<span class="msg">{message}</span>'
        + ('<button class="copy" title="Copy this line" aria-label="Copy this line"></button>' if linked else "")
        + "</div>"
    )


def _source(entry: LogEntry, linked: bool) -> str:
    """The step or the part of the platform that wrote a line; it leads to the run."""
    source, origin = html.escape(entry.step_id or entry.source), html.escape(entry.logger or entry.source, quote=True)
    if not linked or not entry.run_id:
        return f'<span class="src" title="{origin}">{source}</span>'
    query = urlencode({"id": entry.run_id} | ({"step": entry.step_id} if entry.step_id else {}))
    where = f"Open step {source} of its run" if entry.step_id else "Open its run"
    return f'<a class="src" href="run?{html.escape(query, quote=True)}" target="_self" title="{where} ({origin})">{source}</a>'


def _marked(text: str, query: str) -> str:
    escaped = html.escape(text)
    if not query:
        return escaped
    needle = re.escape(html.escape(query))
    return re.sub(f"({needle})", r"<mark>\1</mark>", escaped, flags=re.IGNORECASE)


def as_text(entries: Sequence[LogEntry]) -> str:
    """Lines for a download, oldest first, times in UTC."""
    return "".join(line_text(entry) for entry in reversed(entries))


def link_html(url: str, label: str) -> str:
    """A link that saves a file."""
    return f'<a class="save" href="{html.escape(url, quote=True)}" target="_self" download>{html.escape(label)}</a>'


def cursor_time(cursor: str) -> datetime:
    """The time up to which a cursor has come."""
    return datetime.fromtimestamp(int(cursor[:12], 16) / 1000, UTC)
