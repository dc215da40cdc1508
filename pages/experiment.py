"""One experiment: its metrics, how they came about, what it learned from, what became of it."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from etlml.documents import Experiment
from etlml.errors import EtlmlError
from etlml.ui import charts, copy_as, experiment_view, frame, parts, place, row_commands, theme
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()


def load() -> Experiment:
    try:
        return services.experiments.get(place.param("id"))
    except EtlmlError as error:
        parts.head("Experiment")
        st.error(error.message, icon=":material/search_off:")
        place.link("experiments", "All experiments", icon=":material/arrow_back:")
        st.stop()


def header(one: Experiment) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        parts.head(one.name, status=one.status, sub=experiment_view.algorithm(one))
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if one.run_id:
            place.link("run", "Its run", icon=":material/play_circle:", id=one.run_id)
        if user.permits("editor"):
            actions(one)
    if one.model_name:
        place.link(
            "models",
            f"Registered as {one.model_name} {one.model_version}",
            icon=":material/deployed_code:",
            name=one.model_name,
        )


def actions(one: Experiment) -> None:
    """What an editor can do with it as it stands."""
    parts.command_lines(row_commands.experiment(one))
    if one.status == "running":
        if st.button("Stop", icon=":material/stop:", key="stop"):
            parts.attempt(lambda: services.experiments.cancel(one.id, author=user.name), "The training is stopped.")
            st.rerun()
        return
    may_register = one.status == "completed" and not one.model_name
    if may_register and st.button("Register model", icon=":material/add:", key="register"):
        register(one)
    if st.button("", icon=":material/delete:", key="delete", help="Delete"):
        parts.confirm(
            "Delete this experiment?",
            "Its parameters, metrics and curves are deleted. Models made of it stay.",
            "Delete",
            lambda: services.experiments.delete(one.id, author=user.name),
            "Experiment deleted.",
            then=lambda: place.go("experiments"),
            commands=copy_as.experiments.delete([one.id]),
        )


def register(one: Experiment) -> None:
    @st.dialog("Register model")
    def ask() -> None:
        name = st.text_input("Name", one.name, key="register_name")
        text = st.text_area("What is worth knowing", key="register_text", height=80)
        with st.container(horizontal=True, horizontal_alignment="right"):
            parts.command_lines(copy_as.experiments.register(one.id, name, text))
            pressed = st.button("Register", type="primary", key="register_do")
        if pressed:
            with parts.shown_errors():
                model = services.experiments.register(one.id, name, description=text, author=user.name)
                parts.toast_later(f"{model.name} {model.version} is in the registry.")
                st.rerun()

    ask()


def figures(one: Experiment) -> None:
    there = sorted((key for key, value in one.metrics.items() if value is not None), key=experiment_view.importance)
    shown = [(key, one.metrics[key]) for key in there]
    for start in range(0, min(len(shown), 10), 5):
        for column, (key, value) in zip(st.columns(5), shown[start : start + 5], strict=False):
            column.metric(key.replace("_", " "), words.metric(value), border=True)


def curves(one: Experiment) -> None:
    known = services.experiments.metric_keys(one.id)
    if one.status == "running" and experiment_view.PROGRESS in known:
        share = services.experiments.metrics(one.id, experiment_view.PROGRESS)[-1].value
        st.progress(min(max(share, 0.0), 1.0), f"Learning, {words.percent(share, 0)}")
    keys = experiment_view.curve_keys(known)
    if not keys:
        return
    with st.container(border=True):
        parts.section("While training", keys[0].replace("_", " ") if len(keys) == 1 else "")
        series = {}
        for key in keys[:6]:
            points = services.experiments.metrics(one.id, key)
            series[key.replace("_", " ")] = ([point.step for point in points], [point.value for point in points])
        st.plotly_chart(charts.curves(series), config=charts.CONFIG, key="curves")


def artifacts(one: Experiment) -> None:
    """What the training left, two parts a row."""
    matrix, weights = experiment_view.confusion_of(one.artifacts), experiment_view.importances_of(one.artifacts)
    curve, report = experiment_view.roc_of(one.artifacts), experiment_view.class_report(one.artifacts)
    parts_there: list[tuple[str, str, Callable[[], object]]] = []
    if matrix:
        draw = partial(
            st.plotly_chart, charts.confusion(*matrix, dark=theme.is_dark()), config=charts.CONFIG, key="confusion"
        )
        parts_there.append(("Confusion matrix", "rows that were not learned from", draw))
    if weights:
        draw = partial(st.plotly_chart, charts.importances(weights), config=charts.CONFIG, key="importances")
        parts_there.append(("Feature importance", "share of each column", draw))
    if curve:
        draw = partial(st.plotly_chart, charts.roc(*curve), config=charts.CONFIG, key="roc")
        parts_there.append(("ROC curve", "", draw))
    if report:
        parts_there.append(("By class", "", partial(st.dataframe, report, hide_index=True, key="by_class")))
    for start in range(0, len(parts_there), 2):
        for column, (title, note, draw_it) in zip(st.columns(2), parts_there[start : start + 2], strict=False):
            with column, st.container(border=True, height="stretch"):
                parts.section(title, note)
                draw_it()


def facts(one: Experiment) -> None:
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        parts.section("Parameters")
        st.html(
            parts.table_html(
                {key: words.value(value, 200) for key, value in experiment_view.flat_parameters(one).items()}
            )
        )
    with right, st.container(border=True, height="stretch"):
        parts.section("Data and environment")
        took = (one.finished_at - one.created_at).total_seconds() if one.finished_at else None
        st.html(
            parts.table_html(
                {
                    "Rows": words.count(one.data.rows),
                    "Columns": str(len(one.data.schema_)) if one.data.schema_ else words.MISSING,
                }
                | {
                    "Data": experiment_view.within_home(one.data.path, frame.environment().home),
                    "Project": one.project,
                    "Started": words.exact(one.created_at, place.zone()),
                }
                | {"Took": words.duration(took), "ID": one.id}
                | dict(one.environment)
            )
        )


@parts.fragment(run_every="1s" if load().status == "running" else None, about={"id": place.param("id")})
def live() -> None:
    one = load()
    header(one)
    if one.error:
        st.html(parts.error_html(one.error))
    figures(one)
    curves(one)
    artifacts(one)
    facts(one)


place.link("experiments", "Experiments", icon=":material/chevron_left:")
live()
