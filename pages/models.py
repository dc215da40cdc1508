"""The model registry: versions, where they stand, and a try."""

from collections.abc import Sequence

import streamlit as st

from etlml.documents import Model
from etlml.errors import EtlmlError
from etlml.ui import copy_as, filters, frame, lists, model_view, pager, parts, place, row_commands
from etlml.ui import format as words

services, user = frame.services(), frame.current_user()
MAY_EDIT = user.permits("editor")
PAGE = 50


def registry() -> None:
    parts.head("Models")
    with parts.shown_errors():
        with filters.bar():
            query = filters.search("Search models")
        after = pager.cursor("models", query, by_name=True)
        page = services.models.registry(q=query, after=after, limit=PAGE)
        if not page.items and not query:
            parts.empty("No models yet", "A train step with “register as” puts one here each time it runs.")
            return
        rows = [model_view.model_row(*entry) for entry in page.items]
        copies = {entry.newest.name: row_commands.model(entry.newest) for entry in page.items if MAY_EDIT}
        happened = lists.draw("models", model_view.COLUMNS, rows, empty="No model matches.", copies=copies)
        pager.foot("models", len(page.items), page.next_cursor, noun="models")
        if happened.opened:
            place.go("models", name=happened.opened)


def one_model(name: str) -> None:
    place.link("models", "Models", icon=":material/chevron_left:")
    versions = services.models.versions(name)
    chosen = next((v for v in versions if v.version == place.param("version")), versions[0])
    header(chosen)
    left, right = st.columns([1.15, 2], gap="medium")
    with left:
        rows = [model_view.version_row(version) for version in versions]
        happened = lists.draw(
            "model_versions",
            model_view.VERSION_COLUMNS,
            rows,
            current=chosen.version,
            height=420,
            picks=True,
            copies={version.version: row_commands.model(version) for version in versions if MAY_EDIT},
        )
        if happened.opened and happened.opened != chosen.version:
            place.set_params(version=happened.opened)
            st.rerun()
        compare(versions, happened.picked)
    with right:
        view, attempt, call = st.tabs(["About", "Try it", "Call it"])
        with view:
            about(chosen)
        with attempt:
            try_it(chosen)
        with call:
            row = model_view.example_row(chosen)
            parts.draw_commands(copy_as.models.predict(chosen.name, chosen.version, row))


def compare(versions: Sequence[Model], picked: tuple[str, ...]) -> None:
    """The trainings of the chosen versions side by side."""
    ids = [model.experiment_id for model in versions if model.version in picked and model.experiment_id]
    if len(picked) < 2:
        if len(versions) > 1:
            st.caption("Choose two or more to compare their trainings.")
    elif st.button(f"Compare {len(picked)}", icon=":material/compare:", key="compare_versions", disabled=len(ids) < 2):
        place.go("experiments", compare=",".join(ids))


def header(model: Model) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        parts.head(
            model.name, status=model.status, sub=" ".join([model.version, *(f"@{alias}" for alias in model.aliases)])
        )
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if model.experiment_id:
            place.link("experiment", "Its experiment", icon=":material/science:", id=model.experiment_id)
        if not MAY_EDIT:
            return
        parts.command_lines(row_commands.model(model))
        if model.status != "deployed" and st.button(
            "Deploy", icon=":material/rocket_launch:", type="primary", key="deploy"
        ):
            change(model, "deployed")
        if model.status == "deployed" and st.button("Take back", icon=":material/undo:", key="undeploy"):
            change(model, "registered")
        if model.status == "registered" and st.button("Archive", icon=":material/archive:", key="archive"):
            change(model, "archived")


def change(model: Model, status: str) -> None:
    parts.attempt(
        lambda: services.models.update(model.name, model.version, status=status, author=user.name),  # type: ignore[arg-type]
        f"{model.name} {model.version} is {status}.",
    )
    st.rerun()


def about(model: Model) -> None:
    for column, (key, value) in zip(
        st.columns(4), [(key, model.metrics[key]) for key in model_view.telling(model.metrics)[:4]], strict=False
    ):
        column.metric(key.replace("_", " "), words.metric(value), border=True)
    st.html(
        parts.table_html(
            {
                "Algorithm": model.algorithm,
                "Task": model.task or words.MISSING,
                "Registered": words.exact(model.created_at, place.zone()),
            }
            | {key: words.value(value, 120) for key, value in model.parameters.items() if key != "algorithm"}
        )
    )
    if MAY_EDIT:
        with st.form("about_form", border=False):
            aliases = st.multiselect(
                "Aliases",
                model.aliases,
                default=model.aliases,
                accept_new_options=True,
                placeholder="Add an alias",
                help="For example, production. An alias that another version has moves here.",
            )
            text = st.text_area("Description", model.description, height=80)
            with st.container(horizontal=True):
                pressed = st.form_submit_button("Save", icon=":material/save:")
                parts.command_lines(copy_as.models.describe(model.name, model.version, aliases, text))
            if pressed:
                parts.attempt(
                    lambda: services.models.update(
                        model.name, model.version, aliases=aliases, description=text, author=user.name
                    ),
                    "Saved.",
                )
                st.rerun()


def try_it(model: Model) -> None:
    inputs = model_view.inputs(model)
    if not inputs:
        parts.empty("Its inputs are not known", "Call it over REST; see “Call it”.")
        return
    with st.form("try_form", border=False):
        values = {}
        for at, column in enumerate(st.columns(3) * (len(inputs) // 3 + 1)):
            if at < len(inputs):
                with column:
                    values[inputs[at].name] = model_view.input_widget(
                        inputs[at], f"try_{model.name}_{model.version}_{inputs[at].name}"
                    )
        asked = st.form_submit_button("Predict", type="primary", icon=":material/bolt:")
    if asked:
        with parts.shown_errors():
            found = services.models.predict(model.name, [values], version=model.version)
            model_view.draw_prediction(model, found)


name = place.param("name")
if name:
    try:
        one_model(name)
    except EtlmlError as error:
        st.error(error.message, icon=":material/search_off:")
else:
    registry()
