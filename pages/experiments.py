"""All experiments: listed, ranked by a metric, compared."""

from typing import Any

import streamlit as st

from etlml.store import Page
from etlml.ui import charts, experiment_view, filters, frame, lists, pager, parts, place, row_commands
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
MAY_EDIT = user.permits("editor")
STATES = {"All": None, "Running": "running", "Completed": "completed", "Failed": "failed", "Cancelled": "cancelled"}
NEWEST = "Newest first"
PAGE = 50


def chosen_filters() -> dict[str, Any]:
    projects = services.experiments.projects()
    with filters.bar():
        return {
            "q": filters.search("Search experiments"),
            "status": filters.state(STATES),
            "project": filters.choice("Project", projects, key="project", every="All projects")
            if len(projects) > 1
            else None,
            "order": order(),
        }


def order() -> str | None:
    """The metric by which they are ranked; None for the newest first."""
    known = experiment_view.common_metrics(recent(), most=12)
    chosen = st.selectbox(
        "Order",
        [NEWEST, *known],
        key="order",
        bind="query-params",
        label_visibility="collapsed",
        width=190,
        format_func=lambda key: key if key == NEWEST else f"Best {key.replace('_', ' ')}",
    )
    return None if chosen in (None, NEWEST) else chosen


def recent() -> list[experiment_view.Experiment]:
    return services.experiments.list(status="completed", limit=30, with_artifacts=False).items


def found(wanted: dict[str, Any]) -> Page[experiment_view.Experiment]:
    after = pager.cursor("experiments", wanted)
    by, rest = wanted["order"], {key: value for key, value in wanted.items() if key != "order"}
    if by:
        return Page(list(services.experiments.best(by, **rest, limit=PAGE)), None)
    return services.experiments.list(**rest, limit=PAGE, cursor=after, with_artifacts=False)


@parts.fragment(run_every="3s")
def table(wanted: dict[str, Any]) -> None:
    with parts.shown_errors():
        page = found(wanted)
        shown = experiment_view.common_metrics(page.items)
        if wanted["order"]:
            shown = [wanted["order"], *(key for key in shown if key != wanted["order"])][:3]
        names = {id: name for name, id in services.pipelines.names().items()}
        rows = [experiment_view.experiment_row(one, shown, names.get(one.pipeline_id or "", "")) for one in page.items]
        happened = lists.draw(
            "experiments",
            experiment_view.columns(shown),
            rows,
            picks=True,
            empty="No experiment matches.",
            copies={one.id: row_commands.experiment(one) for one in page.items if MAY_EDIT},
        )
        if happened.opened:
            place.go("experiment", id=happened.opened)
        picked(happened.picked, wanted["order"])
        pager.foot("experiments", len(page.items), page.next_cursor, noun="experiments")


def picked(ids: tuple[str, ...], ranked: str | None) -> None:
    if len(ids) < 2:
        st.caption((f"The {PAGE} best. " if ranked else "") + "Choose two or more to compare them.")
    elif st.button(f"Compare {len(ids)}", icon=":material/compare:", type="primary", key="compare_button"):
        place.set_params(compare=",".join(ids))
        st.rerun()


def compare(ids: list[str]) -> None:
    if st.button("Experiments", icon=":material/chevron_left:", type="tertiary", key="back"):
        place.set_params(compare=None)
        st.rerun()
    parts.head("Compare experiments", sub=words.plural(len(ids), "experiment"))
    with parts.shown_errors():
        chosen = [services.experiments.get(one) for one in ids]
        metrics = experiment_view.common_metrics(chosen, most=6)
        varied = experiment_view.varied_parameters(chosen)
        flat = [experiment_view.flat(one) for one in chosen]
        if len(chosen) > 1 and metrics:
            parts.section("Parameters and metrics", "each line is an experiment")
            by = st.selectbox("Colour by", metrics, key="colour", width=200)
            st.plotly_chart(charts.parallel(flat, [*varied, *metrics], by), config=charts.CONFIG, key="parallel")
        parts.section("Side by side", "the best value of each metric is marked")
        table_columns, rows = experiment_view.comparison(chosen, varied, metrics)
        lists.draw("comparison", table_columns, rows, opens=False)
        curves(chosen)


def curves(chosen: list[experiment_view.Experiment]) -> None:
    every = {key for one in chosen for key in services.experiments.metric_keys(one.id)}
    keys = experiment_view.curve_keys(sorted(every))
    if not keys:
        return
    parts.section("While training")
    key = st.segmented_control(
        "Metric",
        keys,
        default=keys[0],
        key="curve",
        required=True,
        label_visibility="collapsed",
        format_func=lambda one: one.replace("_", " "),
    )
    series = {}
    for one in chosen:
        if key in services.experiments.metric_keys(one.id):
            points = services.experiments.metrics(one.id, str(key))
            series[experiment_view.short_name(one)] = ([p.step for p in points], [p.value for p in points])
    st.plotly_chart(charts.curves(series), config=charts.CONFIG, key=f"curve_{key}")


ids = [one for one in place.param("compare").split(",") if one]
if not ids:
    parts.head("Experiments")
if ids:
    compare(ids)
elif not services.experiments.list(limit=1, with_artifacts=False).items:
    parts.empty("No experiments yet", "A pipeline with a train step records one each time it runs.")
else:
    table(chosen_filters())
