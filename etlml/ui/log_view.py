"""Log lines as escaped HTML: newest at the foot, tracebacks folded, what was searched for marked."""

import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from etlml.documents import LogEntry
from etlml.services.logs import line_text
from etlml.ui import format as words
from etlml.ui.looks import LEVEL_TONE


def log_html(entries: Sequence[LogEntry], *, zone: tzinfo | None, query: str = "", height: int = 520) -> str:
    """Lines, newest first in ``entries``, newest last on the screen (the block keeps to its foot by itself)."""
    if not entries:
        return '<div class="empty-card"><b>No lines</b><span>No line matches these filters.</span></div>'
    lines = "".join(
        _with_day(entry, older, zone, query) for entry, older in zip(entries, [*entries[1:], None], strict=True)
    )
    return f'<div class="log" style="--log-height:{height}px">{lines}</div>'


def _with_day(entry: LogEntry, older: LogEntry | None, zone: tzinfo | None, query: str) -> str:
    """A line, and its day above it where the line before is of another day."""
    day = entry.ts.astimezone(zone).date()
    same = older is not None and older.ts.astimezone(zone).date() == day
    return _line(entry, zone, query) + ("" if same else f'<div class="day">{day:%A}, {words.day(day)}</div>')


def _line(entry: LogEntry, zone: tzinfo | None, query: str) -> str:
    first, _, rest = entry.message.partition("\n")
    rest = "\n".join(part for part in (rest, str(entry.fields.get("traceback") or "").rstrip()) if part)
    message = _marked(first, query)
    if rest:
        message += f"<details><summary>{rest.count(chr(10)) + 1} more lines</summary>{_marked(rest, query)}</details>"
    source, origin = html.escape(entry.step_id or entry.source), html.escape(entry.logger or entry.source, quote=True)
    return (
        f'<div class="tone-{LEVEL_TONE[entry.level]}">'
        f'<time title="{words.exact(entry.ts, zone)}">{words.clock_time(entry.ts, zone)}</time>'
        f'<span class="lv">{entry.level}</span><span class="src" title="{origin}">{source}</span>'
        f'<span class="msg">{message}</span></div>'
    )


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


def cursor_words(cursor: str, zone: tzinfo | None) -> str:
    """The time up to which a cursor has come, as the viewer reads it."""
    return words.exact(datetime.fromtimestamp(int(cursor[:12], 16) / 1000, UTC), zone)
