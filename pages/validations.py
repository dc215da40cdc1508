"""Data quality: evaluations with their scores, rules with the rows that break them, and a check of any file now."""

from datetime import timedelta
from typing import Any

import streamlit as st

from etlml.clock import utc_now
from etlml.errors import EtlmlError
from etlml.ui import (
    charts,
    check_file,
    copy_as,
    filters,
    frame,
    lists,
    pager,
    parts,
    place,
    validation_view,
)
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
MAY_RUN = user.permits("operator")
STATES = {"All": None, "Passed": "passed", "Warning": "warning", "Failed": "failed"}
PAGE = 50


def head() -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        parts.head("Validations")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(
            "Check a file",
            icon=":material/fact_check:",
            type="primary",
            key="check_file",
            disabled=not user.permits("editor"),
        ):
            place.set_params(view="check")
            st.rerun()


def trend() -> None:
    found = services.validations.stats(utc_now() - timedelta(days=30), timezone=str(place.zone()))
    by_day = found["by_day"]
    if len(by_day) < 2:
        return
    counts = found["counts"]
    left, right = st.columns([3, 1])
    with left, st.container(border=True, height="stretch"):
        parts.section("Score", "mean of each day, last 30 days")
        st.plotly_chart(
            charts.trend([d["day"] for d in by_day], [d["score"] for d in by_day]), config=charts.CONFIG, key="trend"
        )
    with right, st.container(border=True, height="stretch"):
        with st.container(key="bare_metric"):
            st.metric("Mean score", words.percent(found["score"]))
        st.html(
            " ".join(
                parts.pill_html(state, f"{counts[state]:,} {'with warnings' if state == 'warning' else state}")
                for state in ("passed", "warning", "failed")
                if counts.get(state)
            )
        )


def chosen_filters() -> dict[str, Any]:
    names = services.pipelines.names()
    with filters.bar():
        wanted: dict[str, Any] = {
            "q": filters.search("Search by name or data"),
            "status": filters.state(STATES),
            "pipeline_id": names.get(
                filters.choice("Pipeline", list(names), key="pipeline", every="All pipelines") or ""
            ),
        }
        return wanted | {"since": filters.since(utc_now())}


def table(wanted: dict[str, Any]) -> None:
    after = pager.cursor("validations", {**wanted, "since": place.param("time")})
    names = {id: name for name, id in services.pipelines.names().items()}
    page = services.validations.list(**wanted, limit=PAGE, cursor=after, with_samples=False)
    happened = lists.draw(
        "validations",
        validation_view.COLUMNS,
        [validation_view.validation_row(one, names.get(one.pipeline_id or "", "")) for one in page.items],
        empty="No validation matches.",
        copies={one.id: {"Delete": copy_as.validations.delete([one.id])} for one in page.items if MAY_RUN},
    )
    pager.foot("validations", len(page.items), page.next_cursor, noun="validations")
    if happened.opened:
        place.set_params(id=happened.opened)
        st.rerun()


def one(validation_id: str) -> None:
    place.link("validations", "Validations", icon=":material/chevron_left:")
    try:
        validation = services.validations.get(validation_id)
    except EtlmlError as error:
        st.error(error.message, icon=":material/search_off:")
        return
    validation_view.card(services, validation, zone=place.zone())
    with st.container(horizontal=True, vertical_alignment="center"):
        if validation.run_id:
            place.link(
                "run",
                "Open its run",
                icon=":material/play_circle:",
                id=validation.run_id,
                step=validation.step_id,
                tab="Checks",
            )
        if MAY_RUN:
            forget(validation_id)
    if validation.profile:
        import pandas as pd

        parts.section("Columns")
        st.dataframe(
            pd.DataFrame(validation_view.profile_rows(validation.profile)),
            hide_index=True,
            key="profile",
            height="content",
        )


def forget(validation_id: str) -> None:
    commands = copy_as.validations.delete([validation_id])
    parts.command_lines({"Delete": commands})
    if st.button("Delete …", icon=":material/delete:", key="delete"):
        parts.confirm(
            "Delete this validation?",
            "Its score and the outcome of each rule are deleted. The data stays as it is.",
            "Delete",
            lambda: services.validations.delete(validation_id, author=user.name),
            "Validation deleted.",
            then=lambda: place.set_params(id=None),
            commands=commands,
        )


if place.param("id"):
    one(place.param("id"))
elif place.param("view") == "check":
    check_file.draw(services, user)
else:
    head()
    with parts.shown_errors():
        if services.validations.list(limit=1, with_samples=False).items:
            trend()
            table(chosen_filters())
        else:
            parts.empty(
                "No validations yet",
                "A validate step, or rules on any step, leave one each time a pipeline runs. Or check a file now.",
            )
