"""Two runs side by side: what was changed, what came of it, which rows differ."""

from typing import Any

import streamlit as st

from etlml.documents import Run
from etlml.errors import EtlmlError
from etlml.services.comparing import LAST_SUCCESS
from etlml.services.comparison import RunComparison, StepRows
from etlml.ui import compare_view, copy_as, downloads, frame, parts, place
from etlml.ui import format as words
from etlml.ui.looks import look

services, user = frame.services(), frame.current_user()
NEWEST = 200
LARGE = 2_000_000  # rows; more are compared only when somebody asks


def chosen_runs() -> tuple[str, str] | None:
    """The two runs of the URL, changed by the pickers; None where there are not two to choose from."""
    before, after = place.param("a"), place.param("b")
    known = next((run for run in (found(after), found(before)) if run), None)
    pipelines = {one.id: one.name for one in services.pipelines.list(limit=200).items}
    if known is not None:
        pipelines.setdefault(known.pipeline_id, known.pipeline_name or known.pipeline_id)
    if not pipelines:
        parts.empty("Nothing to compare yet", "Run a pipeline twice, then compare the two runs here.")
        return None
    left, middle, right, swap, more = st.columns([2, 3, 3, 0.5, 0.6], vertical_alignment="bottom")
    ids = list(pipelines)
    at = ids.index(known.pipeline_id) if known else 0
    pipeline = left.selectbox("Pipeline", ids, index=at, format_func=pipelines.__getitem__, key=f"pipeline_{at}")
    runs = {run.id: run for run in services.runs.list(pipeline=pipeline, limit=NEWEST, with_steps=False).items}
    if known is not None and pipeline == known.pipeline_id:
        runs |= {run.id: run for run in (found(before), found(after)) if run}
    if not runs:
        parts.empty("This pipeline has never run", "Choose another one, or run it.")
        return None
    ended = [run.id for run in runs.values() if run.is_final] or list(runs)
    after = after if after in runs else ended[0]
    before = before if before in runs else first_choice(after, ended)
    one = picked(middle, "Earlier run", list(runs), before, runs)
    two = picked(right, "Later run", list(runs), after, runs)
    if swap.button("", icon=":material/swap_horiz:", help="Swap the two runs", key="swap"):
        one, two = two, one
    with more:
        parts.command_lines(copy_as.runs.compare(one, two))
    if (one, two) != (place.param("a"), place.param("b")):
        place.set_params(a=one, b=two)
        if (one, two) != (before, after):
            st.rerun()
    return one, two


def found(run_id: str) -> Run | None:
    try:
        return services.runs.get(run_id) if run_id else None
    except EtlmlError as error:
        st.warning(error.message, icon=":material/search_off:")
        return None


def first_choice(after: str, ended: list[str]) -> str:
    """The last success before the run, else any other run."""
    last = services.run_views.last_success(services.runs.get(after))
    return last or next((one for one in ended if one != after), after)


def picked(column: Any, label: str, ids: list[str], chosen: str, runs: dict[str, Run]) -> str:
    def worded(run_id: str) -> str:
        run = runs[run_id]
        when = words.exact(run.started_at or run.created_at, place.zone())
        took = f", {words.duration(run.duration_s)}" if run.duration_s is not None else ""
        return f"{when} · {look(run.status).label}{took} · {run_id[-6:]}"

    one: str = column.selectbox(label, ids, index=ids.index(chosen), format_func=worded, key=f"{label}_{chosen}")
    return one


def changes(found: RunComparison) -> None:
    parts.section("What was changed")
    shown = compare_view.data_html(found.steps) + compare_view.changes_html(found)
    if not found.versions_known:
        st.caption("The pipeline is deleted, so its definitions can't be compared.")
    if shown:
        st.html(f'<div class="changes">{shown}</div>')
    elif found.versions_known:
        st.caption("Definition and parameters are the same.")
    if found.yaml:
        with st.expander("As YAML", icon=":material/difference:"):
            st.code("\n".join(found.yaml), language="diff")


def figures(found: RunComparison) -> None:
    groups = (
        ("Training metrics", found.metrics, False),
        ("Validation scores", found.scores, True),
        ("Failing rows", found.rules, False),
    )
    shown = [group for group in groups if group[1]]
    for column, (title, pairs, share) in zip(st.columns(len(shown) or 1), shown, strict=False):
        with column:
            parts.section(title)
            st.html(compare_view.figures_html(pairs, share=share))


@st.cache_data(max_entries=30, ttl=900, show_spinner="Comparing the rows …")
def compared(before: str, after: str, step: str, keys: tuple[str, ...]) -> StepRows:
    """Results of ended steps never change, so neither does this."""
    return services.comparing.step(before, after, step, keys=list(keys) or None)


@st.cache_data(max_entries=30, ttl=900, show_spinner="Looking for columns that tell the rows apart …")
def key_choices(before: str, after: str, step: str) -> tuple[list[str], list[str]]:
    return services.comparing.keys(before, after, step)


def rows(found: RunComparison) -> None:
    parts.section("Rows of a step", "matched by key")
    steps = {step.step: step for step in found.steps if step.comparable}
    if not steps:
        st.caption("No step kept its rows in both runs, so there are none to compare.")
        return
    ids, wanted = list(steps), place.param("step")
    left, middle, right = st.columns([2, 4, 3], vertical_alignment="bottom")
    at = ids.index(wanted) if wanted in ids else len(ids) - 1
    step = left.selectbox("Step", ids, index=at, format_func=lambda one: steps[one].name, key=f"step_{at}")
    if step != wanted:
        place.set_params(step=step, keys=None)
    pair = steps[step]
    size = max(side.rows_out or 0 for side in (pair.before, pair.after) if side)
    if size > LARGE and not right.toggle(f"Compare {words.short_count(size)} rows", key=f"large_{step}"):
        return
    before, after = found.before.id, found.after.id
    with parts.shown_errors():
        columns, guess = key_choices(before, after, step)
        asked = [key for key in place.param("keys").split(",") if key in columns]
        keys = middle.multiselect("Key columns", columns, default=asked or guess, key=f"keys_{before}_{after}_{step}")
        place.set_params(keys=",".join(keys) if keys != guess else None)
        difference(compared(before, after, step, tuple(keys)), before, after)


def difference(found: StepRows, before: str, after: str) -> None:
    st.html(compare_view.counts_html(found))
    told = compare_view.columns_html(found)
    if told:
        parts.section("Columns that differ", "in how many of the changed rows")
        st.html(told)
    if not found.rows:
        st.caption("Every row is the same." if not found.columns else "Every row that both have is the same.")
        return
    total = found.added + found.removed + found.changed
    shown = words.plural(total, "row") if len(found.rows) == total else f"the first {len(found.rows)} of {total:,} rows"
    parts.section("Rows that differ", f"{shown}, in the order of the key")
    st.html(compare_view.rows_html(found))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(downloads.differences_html(before, after, found.step, found.keys))
        parts.command_lines(copy_as.runs.compare_rows(before, after, found.step, found.keys))


place.link("runs", "Runs", icon=":material/chevron_left:")
parts.head("Compare two runs")
if place.param("a") == LAST_SUCCESS:
    place.set_params(a=None)
if both := chosen_runs():
    with parts.shown_errors():
        comparison = services.comparing.runs(*both)
        if both[0] == both[1]:
            st.info("This is one run twice. Choose another one to compare it with.", icon=":material/info:")
        left, right = st.columns([3, 2])
        with left:
            st.html(compare_view.facts_html(comparison, place.zone()))
        with right:
            changes(comparison)
        parts.section("Steps")
        st.html(compare_view.steps_html(comparison.steps))
        figures(comparison)
        rows(comparison)
