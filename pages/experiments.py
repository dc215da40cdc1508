"""All experiments: listed, compared."""

import streamlit as st

from etlml.ui import charts, experiment_view, frame, lists, parts, place

services, user = frame.services(), frame.current_user()
STATES = {"All": None, "Running": "running", "Completed": "completed", "Failed": "failed"}
PAGE = 60


def filters() -> tuple[str, str | None]:
    with st.container(horizontal=True, vertical_alignment="center"):
        query = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            placeholder="Search experiments",
            icon=":material/search:",
            label_visibility="collapsed",
            width=280,
            live="300ms",
            type="search",
        )
        state = st.segmented_control(
            "State",
            list(STATES),
            default="All",
            key="state",
            bind="query-params",
            label_visibility="collapsed",
            required=True,
        )
    return query or "", STATES[state or "All"]


@parts.fragment(run_every="3s")
def table(query: str, status: str | None) -> None:
    with parts.shown_errors():
        page = services.experiments.list(q=query or None, status=status, limit=PAGE)  # type: ignore[arg-type]
        if not page.items and not query and not status:
            parts.empty("No experiments yet", "A pipeline with a train step records one each time it runs.")
            return
        shown = experiment_view.common_metrics(page.items)
        rows = [experiment_view.experiment_row(one, shown) for one in page.items]
        happened = lists.draw(
            "experiments", experiment_view.columns(shown), rows, picks=True, empty="No experiment fits."
        )
        if happened.opened:
            place.go("experiment", id=happened.opened)
        with st.container(horizontal=True, vertical_alignment="center"):
            if len(happened.picked) >= 2 and st.button(
                f"Compare {len(happened.picked)}", icon=":material/compare:", type="primary", key="compare_button"
            ):
                place.set_params(compare=",".join(happened.picked))
                st.rerun()
            elif page.items:
                st.caption("Choose two or more to compare them.")


def compare(ids: list[str]) -> None:
    if st.button("All experiments", icon=":material/chevron_left:", type="tertiary", key="back"):
        place.set_params(compare=None)
        st.rerun()
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
    keys = sorted({key for one in chosen for key in services.experiments.metric_keys(one.id)})
    if not keys:
        return
    parts.section("While training")
    key = st.segmented_control(
        "Metric", keys, default=keys[0], key="curve", required=True, label_visibility="collapsed"
    )
    series = {}
    for one in chosen:
        if key in services.experiments.metric_keys(one.id):
            points = services.experiments.metrics(one.id, str(key))
            series[experiment_view.short_name(one)] = ([p.step for p in points], [p.value for p in points])
    st.plotly_chart(charts.curves(series), config=charts.CONFIG, key=f"curve_{key}")


parts.head("Experiments")
ids = [one for one in place.param("compare").split(",") if one]
if ids:
    compare(ids)
else:
    table(*filters())
