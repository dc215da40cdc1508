"""The filters of the logs page in one row, with those that are on below it, each to be taken away by a click."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from etlml.services import Services
from etlml.ui import filters, log_live, log_range, place

_CHIPS = {"source": "Source", "pipeline": "Pipeline", "run": "Run", "step": "Step"}
_FILTER_KEYS = tuple(_CHIPS)


def draw(services: Services, *, live: bool) -> dict[str, Any]:
    """What lines and groups are asked for, but for level and time."""
    names = services.pipelines.names()
    with st.container(horizontal=True, vertical_alignment="center", key="log_filters"):
        query = filters.search("Search messages", width="stretch")
        regex = st.toggle("Pattern", key="regex", bind="query-params", help="The text is a regular expression.")
        log_range.pick()
        _more(services, names)
        if log_range.fixed() is not None:
            log_range.ways_out()
        elif live or log_live.paused_at() is not None:
            log_live.button()
    chosen = {key: str(st.session_state.get(key) or "").strip() for key in _FILTER_KEYS}
    _chips(chosen)
    return {
        "q": query,
        "regex": bool(regex),
        "source": chosen["source"] or None,
        "pipeline_id": names.get(chosen["pipeline"]),
        "run_id": chosen["run"] or None,
        "step_id": chosen["step"] or None,
    }


def _more(services: Services, names: Mapping[str, str]) -> None:
    on = sum(bool(st.session_state.get(key, place.param(key))) for key in _FILTER_KEYS)
    with st.popover(f"Filters · {on}" if on else "Filters", icon=":material/filter_list:", key="log_more"):
        filters.choice("Source", services.logs.sources(), key="source", every="All sources", width=280)
        filters.choice("Pipeline", list(names), key="pipeline", every="All pipelines", width=280)
        _text("Run", "Any run: paste an id", key="run", icon="play_circle")
        _text("Step", "Any step", key="step", icon="account_tree")


def _text(label: str, placeholder: str, *, key: str, icon: str) -> None:
    st.text_input(
        label,
        key=key,
        bind="query-params",
        placeholder=placeholder,
        icon=f":material/{icon}:",
        label_visibility="collapsed",
        width=280,
    )


def _chips(chosen: Mapping[str, str]) -> None:
    """What is on, each with a way to take it away; nothing while nothing is."""
    on = {key: value for key, value in chosen.items() if value}
    if not on:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="log_chips", gap="small"):
        for key, value in on.items():
            _chip(f"{_CHIPS[key]}: {value[-12:] if key == 'run' else value}", key, _without(key))
        if len(on) > 1:
            st.button("Clear all", key="log_clear", type="tertiary", on_click=_without(*on))
        if chosen["run"]:
            place.link("run", "Open the run", icon=":material/arrow_forward:", id=chosen["run"], step=chosen["step"])


def _chip(text: str, key: str, remove: Callable[[], None]) -> None:
    st.button(text, icon=":material/close:", icon_position="right", key=f"log_chip_{key}", on_click=remove)


def _without(*keys: str) -> Callable[[], None]:
    def remove() -> None:
        for key in keys:
            st.session_state[key] = "" if key in ("run", "step") else None

    return remove
