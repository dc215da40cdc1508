"""Everything that was logged: followed live, filtered, searched, grouped; and who changed what."""

from typing import Any

import streamlit as st

from etlml.errors import EtlmlError
from etlml.store import Page
from etlml.ui import (
    audit_view,
    filters,
    frame,
    log_export,
    log_groups,
    log_range,
    log_view,
    log_volume,
    parts,
    place,
)
from etlml.ui.looks import LEVELS

services, user = frame.services(), frame.current_user()
PAGE, BUCKETS = 200, 90
COUNTED_BY = ("source", "pipeline_id", "run_id", "step_id")


def asked(*, with_live: bool = False) -> dict[str, Any]:
    """The filters that lines and groups share."""
    with filters.bar():
        query = filters.search("Search messages", width=280)
        regex = st.toggle("Pattern", key="regex", bind="query-params", help="The text is a regular expression.")
        source = filters.choice("Source", services.logs.sources(), key="source", every="All sources", width=135)
        names = services.pipelines.names()
        pipeline = filters.choice("Pipeline", list(names), key="pipeline", every="All pipelines", width=150)
    with filters.bar():
        log_range.pick()
        live = with_live and st.toggle(
            "Live",
            value=True,
            key="follow",
            bind="query-params",
            help="New lines appear as they are written. Switch it off to read in peace, and to page back.",
        )
    run_id, step_id = place.param("run") or None, place.param("step") or None
    if run_id:
        about_run(run_id, step_id)
    return {
        "q": query,
        "regex": bool(regex),
        "source": source,
        "pipeline_id": names.get(pipeline or ""),
        "run_id": run_id,
        "step_id": step_id,
        **({"live": live} if with_live else {}),
    }


def about_run(run_id: str, step_id: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Run {run_id[-6:]}" + (f", step {step_id}" if step_id else "")
        place.link("run", label, icon=":material/play_circle:", id=run_id)
        if st.button("All runs", icon=":material/close:", type="tertiary", key="drop_run"):
            place.set_params(run=None, step=None)
            st.rerun()


def at_least(counts: dict[str, int]) -> str:
    labels = {level: f"{level.capitalize()} {counts.get(level, 0):,}" for level in LEVELS}
    known = place.param("level") if place.param("level") in LEVELS else "INFO"
    chosen = st.segmented_control(
        "At least",
        list(LEVELS),
        default=known,
        key="level",
        label_visibility="collapsed",
        format_func=lambda level: labels[level],
        required=True,
    )
    place.set_params(level=chosen if chosen != "INFO" else None)  # not bound: the URL would hold the counts, too
    return chosen or "INFO"


def lines_view() -> None:
    wanted = asked(with_live=True)
    log_range.banner()
    follows = wanted.pop("live") and log_range.fixed() is None

    @parts.fragment(run_every="2s" if follows else None)
    def lines() -> None:
        stretch = log_range.chosen()
        if wanted["run_id"] and not stretch.fixed:
            stretch = of_run(wanted["run_id"], stretch)
        known = {name: wanted[name] for name in COUNTED_BY if wanted[name]}
        bounds: dict[str, Any] = {"since": stretch.since, "until": stretch.until}
        counts = services.logs.counts(**known, **bounds)
        level = at_least(counts)
        volume(stretch, known)
        trail: list[str] = st.session_state.setdefault("log_trail", [])
        key = str((wanted, level, stretch.fixed and stretch, st.session_state.get("time"), follows))
        if st.session_state.get("log_asked") != key:
            st.session_state["log_asked"] = key
            trail.clear()
        page = found_lines(wanted, level, stretch, trail[-1] if trail and not follows else None)
        if page is None:
            return
        query = "" if wanted["regex"] else wanted["q"] or ""
        st.html(log_view.log_html(page.items, zone=place.zone(), query=query))
        every = sum(counts[name] for name in LEVELS[LEVELS.index(level) :])
        foot(page, trail, {**wanted, "level": level, **bounds}, every, follows=follows)

    lines()


def of_run(run_id: str, stretch: log_range.Stretch) -> log_range.Stretch:
    """A run's lines are shown from its beginning, however long ago that was."""
    try:
        began = services.runs.get(run_id).created_at
    except EtlmlError:
        return stretch
    return stretch._replace(since=min(began, stretch.since))


def found_lines(wanted: dict[str, Any], level: str, stretch: log_range.Stretch, cursor: str | None) -> Page[Any] | None:
    try:
        return services.logs.search(
            level=level, since=stretch.since, until=stretch.until, limit=PAGE, cursor=cursor, **wanted
        )
    except EtlmlError as error:
        st.error(error.message, icon=":material/error:")
        return None


def volume(stretch: log_range.Stretch, known: dict[str, Any]) -> None:
    found = services.logs.histogram(stretch.since, stretch.until, buckets=BUCKETS, **known)
    zoomed = log_volume.draw(
        "log_volume", log_volume.chart_data(found, stretch, BUCKETS, rounded=not (known.keys() - {"source"}))
    )
    if zoomed is not None:
        log_range.zoom(zoomed)
        st.rerun()


def foot(page: Page[Any], trail: list[str], shown: dict[str, Any], every: int, *, follows: bool) -> None:
    """``every`` is how many lines there are at these levels; those that a search finds are not counted."""
    packed = every > log_export.PACKED_FROM
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(said(page, follows=follows))
        st.space("stretch")
        st.download_button(
            "These lines",
            lambda: log_view.as_text(page.items),
            "etlml.log",
            "text/plain",
            icon=":material/download:",
            key="log_download",
            on_click="ignore",
            disabled=not page.items,
        )
        label = "All that fit" if shown["q"] else f"All {every:,} lines"
        st.html(
            log_view.link_html(log_export.url(shown, packed=packed), label + (" (gzip)" if packed else "")),
            width="content",
        )
        if not follows and trail and st.button("Newer", icon=":material/chevron_left:", key="log_newer"):
            trail.pop()
            st.rerun(scope="fragment")
        if not follows and page.next_cursor and st.button("Older", icon=":material/chevron_right:", key="log_older"):
            trail.append(page.next_cursor)
            st.rerun(scope="fragment")


def said(page: Page[Any], *, follows: bool) -> str:
    text = f"{len(page.items):,} lines, newest at the foot"
    if page.next_cursor is None:
        return text + "."
    if len(page.items) < PAGE:
        reached = log_view.cursor_words(page.next_cursor, place.zone())
        return f"{text}; searched back to {reached}. " + ("Switch Live off to go on." if follows else "Older goes on.")
    return text + ("; switch Live off to page back." if follows else ".")


def groups_view() -> None:
    wanted = asked()
    log_range.banner()
    stretch = log_range.chosen()
    chosen = {**wanted, "since": stretch.since, "until": stretch.until}
    found = services.logs.groups(**chosen, limit=200)
    if place.param("group"):
        log_groups.draw_one(services, place.param("group"), found, chosen)
    else:
        log_groups.draw(found)


parts.head("Logs")
log_tab, group_tab, audit_tab = st.tabs(["Lines", "Groups", "Audit"], key="tab", on_change="rerun", bind="query-params")
for tab, view in (
    (log_tab, lines_view),
    (group_tab, groups_view),
    (audit_tab, lambda: audit_view.draw(services, user)),
):
    with tab:
        if tab.open:
            with parts.shown_errors():
                view()
