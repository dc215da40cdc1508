"""Everything that was logged: followed live, filtered, searched; and who changed what."""

from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from etlml.clock import utc_now
from etlml.errors import EtlmlError
from etlml.ui import charts, frame, lists, log_view, parts, place, run_rows
from etlml.ui.looks import LEVELS

services, user = frame.services(), frame.current_user()
TIMES = {
    "15 min": timedelta(minutes=15),
    "1 h": timedelta(hours=1),
    "24 h": timedelta(hours=24),
    "7 d": timedelta(days=7),
    "30 d": timedelta(days=30),
}
PAGE, BUCKETS = 200, 90


def filters() -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="center"):
        query = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            placeholder="Search messages",
            icon=":material/search:",
            label_visibility="collapsed",
            width=260,
            live="400ms",
            type="search",
        )
        regex = st.toggle("Pattern", key="regex", bind="query-params", help="The text is a regular expression.")
        source = st.selectbox(
            "Source",
            services.logs.sources(),
            index=None,
            key="source",
            bind="query-params",
            placeholder="All sources",
            label_visibility="collapsed",
            width=140,
        )
        names = {one.name: one.id for one in services.pipelines.list(limit=200).items}
        pipeline = st.selectbox(
            "Pipeline",
            list(names),
            index=None,
            key="pipeline",
            bind="query-params",
            placeholder="All pipelines",
            label_visibility="collapsed",
            width=150,
        )
        span = st.segmented_control(
            "Time",
            list(TIMES),
            default="24 h",
            key="time",
            bind="query-params",
            label_visibility="collapsed",
            required=True,
        )
        follow = st.toggle(
            "Follow", value=True, key="follow", bind="query-params", help="New lines appear as they are written."
        )
    run_id, step_id = place.param("run") or None, place.param("step") or None
    if run_id:
        about_run(run_id, step_id)
    return {
        "q": query or None,
        "regex": bool(regex),
        "source": source,
        "pipeline_id": names.get(pipeline or ""),
        "run_id": run_id,
        "step_id": step_id,
        "since": None if run_id else TIMES[span or "24 h"],
        "follow": follow,
    }


def about_run(run_id: str, step_id: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        place.link(
            "run",
            f"Run {run_id[-6:]}" + (f", step {step_id}" if step_id else ""),
            icon=":material/play_circle:",
            id=run_id,
        )
        if st.button("All runs", icon=":material/close:", type="tertiary", key="drop_run"):
            place.set_params(run=None, step=None)
            st.rerun()


def levels(chosen: dict[str, Any], since: datetime | None) -> str | None:
    counts = services.logs.counts(
        since=since, **{key: chosen[key] for key in ("source", "pipeline_id", "run_id", "step_id")}
    )
    labels = {level: f"{level.capitalize()} {counts.get(level, 0):,}" for level in LEVELS}
    return st.segmented_control(
        "At least",
        list(LEVELS),
        default="INFO",
        key="level",
        bind="query-params",
        label_visibility="collapsed",
        format_func=lambda level: labels[level],
        required=True,
    )


def view(chosen: dict[str, Any]) -> None:
    @parts.fragment(run_every="1s" if chosen["follow"] else None)
    def lines() -> None:
        now = utc_now()
        since = now - chosen["since"] if chosen["since"] else None
        try:
            level = levels(chosen, since)
            wanted = {key: chosen[key] for key in ("q", "regex", "source", "pipeline_id", "run_id", "step_id")}
            if since is not None:
                volume(since, now, chosen)
            before: list[str] = st.session_state.setdefault("log_trail", [])
            page = services.logs.query(
                level=level,
                since=since,
                limit=PAGE,
                cursor=None if chosen["follow"] or not before else before[-1],
                **wanted,
            )  # type: ignore[arg-type]
        except EtlmlError as error:
            st.error(error.message, icon=":material/error:")
            return
        query = (chosen["q"] or "") if not chosen["regex"] else ""
        st.html(log_view.log_html(page.items, zone=place.zone(), query=query))
        foot(page, before, follow=chosen["follow"])

    lines()


def volume(since: datetime, now: datetime, chosen: dict[str, Any]) -> None:
    found = services.logs.histogram(
        since, now, buckets=BUCKETS, **{key: chosen[key] for key in ("source", "pipeline_id", "step_id") if chosen[key]}
    )
    width = (now - since).total_seconds() / BUCKETS
    buckets = [
        {**each, "at": min(int((each["at"] - since).total_seconds() / width + 0.5), BUCKETS - 1)} for each in found
    ]
    st.html(charts.volume_html(buckets, BUCKETS))


def foot(page: Any, before: list[str], *, follow: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(page.items):,} lines, newest at the foot.")
        st.space("stretch")
        st.download_button(
            "Download",
            log_view.as_text(page.items),
            "etlml.log",
            "text/plain",
            icon=":material/download:",
            key="log_download",
            on_click="ignore",
        )
        if not follow and before and st.button("Newer", key="log_newer"):
            before.pop()
            st.rerun(scope="fragment")
        if not follow and page.next_cursor and st.button("Older", key="log_older"):
            before.append(page.next_cursor)
            st.rerun(scope="fragment")


def audit() -> None:
    with parts.shown_errors():
        page = services.audit.list(limit=100)
        rows = [run_rows.activity_row(entry) for entry in page.items]
        lists.draw(
            "audit",
            (lists.Column("name", "What", "name"), lists.Column("at", "When", "time")),
            rows,
            opens=False,
            empty="Nobody has changed anything yet.",
        )


parts.head("Logs")
log_tab, audit_tab = st.tabs(["Lines", "Audit"], key="tab", on_change="rerun", bind="query-params")
with log_tab:
    if log_tab.open:
        with parts.shown_errors():
            view(filters())
with audit_tab:
    if audit_tab.open:
        audit()
