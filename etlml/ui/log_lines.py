"""The lines of the logs page: a page of them, what is said about them, and the ways on."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from etlml.clock import utc_now
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.logs import LogFigures
from etlml.store import Page
from etlml.ui import copy_as, log_counts, log_export, log_live, log_view, pager, parts, place
from etlml.ui import format as words
from etlml.ui.log_range import Stretch

PAGE = 200
SEARCH_S = 0.06
_CURSOR = re.compile(r"[0-9a-f]{12,32}")


class _Kept(NamedTuple):
    """A page that was found; ``is_final`` if a longer search would not find more for it."""

    key: Any
    page: Page[Any]
    is_final: bool


class Shown:
    """One look at the lines.

    Args:
        asked: What tells this question from others; pausing begins another one, but keeps the place.
        wanted: The filters but for level and time.
    """

    def __init__(self, services: Services, asked: str, wanted: Mapping[str, Any], stretch: Stretch, level: str) -> None:
        self._services, self._asked, self._wanted = services, asked, wanted
        self._stretch, self._level = stretch, level
        self._cursor = pager.cursor("log", (wanted, level, stretch.fixed and stretch), by_name=True)
        if self._cursor and not _CURSOR.fullmatch(self._cursor):
            place.set_params(**{pager.PARAM: None})
            self._cursor = None
        self._below = st.container(key="log_lines")
        self._page: Page[Any] | None = None

    def draw(self) -> None:
        """The lines, newest at the foot; nothing if they cannot be looked for, which their count tells as well."""
        try:
            self._page = self._found()
        except EtlmlError:
            return
        if self._page.items:
            query = "" if self._wanted["regex"] else self._wanted["q"] or ""
            with self._below:
                st.html(log_view.log_html(self._page.items, zone=place.zone(), query=query, height=None, linked=True))

    def _found(self) -> Page[Any]:
        known = log_counts.known(self._asked)
        key, counting = (self._asked, self._level, self._cursor), known is not None and not known.is_complete
        kept: _Kept | None = st.session_state.get("log_page")
        if kept is not None and kept.key == key and kept.is_final and (counting or log_live.paused_at()):
            return kept.page
        within = None
        if known is not None and known.settled_until is not None:
            unknown = [(self._stretch.since, known.reached)] if counting else []
            within = [*known.stretches(self._level, self._stretch.until), *unknown]
        page = self._services.logs.search(
            level=self._level,
            since=self._stretch.since,
            until=self._stretch.until,
            limit=PAGE,
            cursor=self._cursor,
            patience_s=SEARCH_S,
            within=within,
            **self._wanted,
        )
        final = len(page.items) == PAGE or page.next_cursor is None
        st.session_state["log_page"] = _Kept(key, page, final)
        return page

    def draw_foot(self, figures: LogFigures) -> None:
        """What was found, files of it, and the ways to older and newer lines."""
        page = self._page
        if page is None:
            return
        if not page.items:
            self._below.html(_nothing_html(figures, self._level, cut=page.next_cursor is not None))
        with st.container(horizontal=True, vertical_alignment="center", key="log_foot"):
            st.caption(self._said(page, figures))
            if page.next_cursor and not page.items and figures.is_complete:
                st.button("Search on", icon=":material/manage_search:", key="log_search_on", on_click=self._search_on)
            self._new_lines()
            with st.container(horizontal=True, horizontal_alignment="right"):
                if page.items or self._cursor:
                    pager.foot("log", len(page.items), page.next_cursor, noun="lines", counts=False)
                self._files(page, figures)

    def _search_on(self) -> None:
        if self._page is not None:
            place.set_params(**{pager.PARAM: self._page.next_cursor})

    def _said(self, page: Page[Any], figures: LogFigures) -> str:
        text = f"{len(page.items):,} lines, newest at the foot" if page.items else "No lines up to now"
        if page.next_cursor is None or len(page.items) == PAGE:
            return text + "." if page.items else ""
        reached, looked = log_view.cursor_time(page.next_cursor), ""
        if not page.items and not any(figures.at_least(self._level).values()):
            reached = min(reached, figures.reached)  # what was counted was looked at, too
        if not any(self._wanted[name] for name in ("pipeline_id", "run_id", "step_id")):
            counts = self._services.logs.counts(since=reached, until=self._stretch.until, source=self._wanted["source"])
            looked = f"the newest {sum(counts.values()):,} lines, "
        return f"{text}; searched {looked}back to {words.exact(reached, place.zone())}."

    def _held(self) -> bool:
        return self._stretch.fixed or log_live.paused_at() is not None

    def _new_lines(self) -> None:
        paused = log_live.paused_at()
        if paused is None:
            return
        new = log_counts.new_lines(self._services, self._asked, self._wanted, self._level, paused, utc_now())
        if new:
            label = "1 new line" if new == 1 else f"{new:,} new lines"
            st.button(label, icon=":material/arrow_downward:", key="log_new_lines", type="primary", on_click=_resume)

    def _files(self, page: Page[Any], figures: LogFigures) -> None:
        """Files of these lines and of all that fit, and the same from elsewhere."""
        every = sum(figures.at_least(self._level).values())
        packed = every > log_export.PACKED_FROM or not figures.is_complete
        filters = {**self._wanted, "level": self._level, "since": self._stretch.since, "until": self._stretch.until}
        if not self._held():  # by the minute, so that commands do not change while they are read
            filters |= {"since": self._stretch.since.replace(second=0, microsecond=0), "until": None}
        with st.popover("Download", icon=":material/download:", key="log_files", disabled=not page.items):
            st.download_button(
                f"These {len(page.items):,} lines",
                lambda: log_view.as_text(page.items),
                "etlml.log",
                "text/plain",
                key="log_download",
                on_click="ignore",
                width="stretch",
            )
            number = f"All {every:,} lines" if figures.is_complete else "All that fit"
            st.html(log_view.link_html(log_export.url(filters, packed=packed), number + (" (gzip)" if packed else "")))
        parts.command_lines(
            {
                "Search": copy_as.logs.search(filters),
                "Count": copy_as.logs.volume(filters),
                "Save": copy_as.logs.export(filters, packed=packed),
            }
        )


def _resume() -> None:
    log_live.resume()


def _nothing_html(figures: LogFigures, level: str, *, cut: bool) -> str:
    if cut or not figures.is_complete:
        return log_view.empty_html("No line found yet", "The search goes on through older lines.")
    lower = sum(figures.levels.values()) - sum(figures.at_least(level).values())
    if lower:
        lines = "One line fits" if lower == 1 else f"{lower:,} lines fit"
        return log_view.empty_html("No lines", f"{lines} at lower levels than {level.capitalize()}.")
    return log_view.empty_html("No lines", "No line fits these filters. Look at a longer time, or take a filter away.")
