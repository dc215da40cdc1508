"""All pipelines: found, run, paused, created."""

from collections.abc import Callable

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services.starters import templates
from etlml.ui import copy_as, filters, frame, lists, new_pipeline, pager, parts, place, row_commands, run_form, run_rows
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
MAY_EDIT, MAY_RUN = user.permits("editor"), user.permits("operator")
MOST = 50
STATES = {"All": None, "Running": "running", "Failed": "failed", "Success": "success", "Never run": "idle"}
ORDERS = {"newest": "Newest first", "name": "By name", "last_run": "Last run first", "runs": "Most runs first"}
CARDS_A_ROW = 3


def head() -> dict[str, object]:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        parts.head("Pipelines")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Import", icon=":material/upload_file:", key="import_pipeline", disabled=not MAY_EDIT):
            new_pipeline.ask(services, user, way="Import YAML")
        if st.button("New pipeline", type="primary", icon=":material/add:", key="new_pipeline", disabled=not MAY_EDIT):
            new_pipeline.ask(services, user)
    with filters.bar():
        query = filters.search("Search pipelines", width=240)
        state = filters.state(STATES)
        tag = filters.choice("Tag", tags(), key="tag", every="All tags", width=130)
        order = st.selectbox(
            "Order",
            list(ORDERS),
            key="sort",
            bind="query-params",
            format_func=ORDERS.__getitem__,
            label_visibility="collapsed",
            width=160,
        )
    return {"q": query, "status": state, "tag": tag, "sort": order or "newest"}


def tags() -> list[str]:
    try:
        return list(services.pipelines.tags())
    except EtlmlError:  # the list itself says what is wrong
        return []


@parts.fragment(run_every="3s")
def table(chosen: dict[str, object]) -> None:
    page = services.pipelines.list(**chosen, limit=MOST, cursor=pager.cursor("pipelines", chosen))  # type: ignore[arg-type]
    if not page.items:
        nothing(any(chosen[name] for name in ("q", "status", "tag")))
        return
    fires = {fire["pipeline_id"]: lists.when(fire["at"]) for fire in services.stats.next_fires() if not fire["paused"]}
    history = services.run_views.recent(page.items)
    rows = [run_rows.pipeline_row(one, history[one.id], fires.get(one.id), may_run=MAY_RUN) for one in page.items]
    copies = {one.id: row_commands.pipeline(one) for one in page.items}
    happened = lists.draw("pipelines", run_rows.PIPELINE_COLUMNS, rows, picks=MAY_EDIT, copies=copies)
    if happened.picked:
        bulk(happened.picked, {one.id: one.name for one in page.items})
    pager.foot("pipelines", len(page.items), page.next_cursor, noun="pipelines")
    if happened.opened:
        place.go("pipeline", id=happened.opened)
    if happened.action == "run" and happened.row:
        run_form.ask_or_start(services, services.pipelines.get(happened.row), user)


def bulk(picked: tuple[str, ...], names: dict[str, str]) -> None:
    number = words.plural(len(picked), "pipeline")
    chosen = [names[one] for one in picked]
    listed = ", ".join(names[one] for one in picked[:6]) + (" and more" if len(picked) > 6 else "")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{number} chosen")
        if st.button("Run", icon=":material/play_arrow:", key="bulk_run", disabled=not MAY_RUN):
            parts.confirm(
                f"Run {number}?",
                f"{listed}: with the values that their parameters have.",
                "Run",
                lambda: each(picked, lambda one: services.runs.start(one, author=user.name)),
                f"{number} queued.",
                then=let_go,
                commands=copy_as.runs.start_all(chosen),
            )
        if st.button("Pause", icon=":material/pause:", key="bulk_pause"):
            done(picked, lambda one: services.schedules.pause(one, author=user.name), f"{number} paused.")
        if st.button("Resume", icon=":material/resume:", key="bulk_resume"):
            done(picked, lambda one: services.schedules.resume(one, author=user.name), f"{number} resumed.")
        if st.button("Delete …", icon=":material/delete:", key="bulk_delete", disabled=not MAY_RUN):
            parts.confirm(
                f"Delete {number}?",
                f"{listed}: with all versions. Their runs, models and validations stay.",
                "Delete",
                lambda: each(picked, lambda one: services.pipelines.delete(one, author=user.name)),
                f"{number} deleted.",
                then=let_go,
                commands=copy_as.pipelines.delete(chosen),
            )
        parts.command_lines(
            {
                "Run": copy_as.runs.start_all(chosen),
                "Pause": copy_as.pipelines.pause(chosen),
                "Resume": copy_as.pipelines.resume(chosen),
                "Delete": copy_as.pipelines.delete(chosen),
            }
        )


def done(picked: tuple[str, ...], act: Callable[[str], object], text: str) -> None:
    if parts.attempt(lambda: each(picked, act), text):
        let_go()
        st.rerun()


def each(picked: tuple[str, ...], act: Callable[[str], object]) -> None:
    for one in picked:
        act(one)


def let_go() -> None:
    lists.unpick("pipelines")


def nothing(filtered: bool) -> None:
    if filtered:
        parts.empty("No matching pipeline", "Change the search, the state or the tag.")
        return
    parts.empty("No pipelines yet", "Start from a template that works on the example data, from YAML, or from nothing.")
    known = list(templates().values())
    for at in range(0, len(known), CARDS_A_ROW):
        for column, one in zip(st.columns(CARDS_A_ROW), known[at : at + CARDS_A_ROW], strict=False):
            with column, st.container(border=True, height="stretch"):
                st.markdown(f"**{one.title}**  \n:small[{new_pipeline.icons(one)}]")
                st.caption(one.description)
                if st.button("Use it", key=f"template_{one.key}", disabled=not MAY_EDIT):
                    new_pipeline.ask(services, user, key=one.key)


if place.param("new"):
    place.set_params(new=None)
    if MAY_EDIT:
        new_pipeline.ask(services, user)
table(head())
