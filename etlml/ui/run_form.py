"""Starting a run: at once, or after its parameters were asked for."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import streamlit as st

from etlml.documents import Pipeline
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import copy_as, parts, place
from etlml.ui.fields import label, parsed_scalar, shown_scalar


def ask_or_start(services: Services, pipeline: Pipeline, user: Principal, *, until: str | None = None) -> None:
    """Start a run, of all steps or of those up to one; a pipeline with parameters asks for them first."""
    if not pipeline.params:
        start(services, pipeline, {}, user, until=until)
        return

    @st.dialog(f"Run {pipeline.name}" + (f" to {until}" if until else ""))
    def ask() -> None:
        values = param_fields(pipeline.params, key="run_param")
        with st.container(horizontal=True, horizontal_alignment="right"):
            parts.command_lines(copy_as.runs.start(pipeline.name, values, until))
            if st.button("Start run", type="primary", icon=":material/play_arrow:", key="run_start"):
                start(services, pipeline, values, user, until=until)

    ask()


def param_fields(params: Mapping[str, Any], *, key: str) -> dict[str, Any]:
    """A field for each parameter, by the kind of its default."""
    values: dict[str, Any] = {}
    for name, default in params.items():
        widget = f"{key}_{name}"
        if isinstance(default, bool):
            values[name] = st.toggle(label(name), default, key=widget)
        elif isinstance(default, int | float):
            values[name] = st.number_input(label(name), value=default, key=widget)
        elif (day := _day(default)) is not None:
            chosen = st.date_input(label(name), day, key=widget, format="YYYY-MM-DD")
            values[name] = chosen.isoformat() if isinstance(chosen, date) else default
        elif isinstance(default, dict | list):
            text = st.text_area(label(name), json.dumps(default, ensure_ascii=False), key=widget, help="As JSON")
            values[name] = _json(text, default)
        else:
            text = st.text_input(label(name), shown_scalar(default), key=widget)
            values[name] = text if isinstance(default, str) else parsed_scalar(text) if text else None
    return values


def _day(default: Any) -> date | None:
    """The day that a default such as ``2024-01-31`` is; None if it is none."""
    if not isinstance(default, str) or len(default) != len("2024-01-31"):
        return None
    try:
        return date.fromisoformat(default)
    except ValueError:
        return None


def _json(text: str, default: Any) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        st.caption(":red[This is not JSON; the default is used.]")
        return default


def start(
    services: Services, pipeline: Pipeline, params: Mapping[str, Any], user: Principal, *, until: str | None = None
) -> None:
    """Queue a run and go to its page."""
    try:
        run = services.runs.start(pipeline.id, params, author=user.name, until=until)
    except EtlmlError as error:
        st.error(error.message, icon=":material/error:")
        return
    parts.toast_later(f"Run of {pipeline.name} started.", ":material/play_arrow:")
    place.go("run", id=run.id)
