"""The lineage tab of a pipeline: a click on a column shows its whole way."""

from typing import Any

import streamlit as st

from etlml.documents import PipelineDraft
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.lineage import LineageGraph, Trail, trail
from etlml.ui import parts, place
from etlml.ui.assets_route import loader

HEIGHT = 560  # at least; it takes what the window has


def draw(services: Services, document: PipelineDraft, key: str) -> None:
    """Draw the lineage of a document; the chosen column is in the URL."""
    with parts.shown_errors():
        graph = _kept(services, document, key)
        if not graph.steps:
            parts.empty("Nothing to follow yet.", "Add steps on the Build tab; their columns appear here.")
            return
        _drawn(graph, key)


@st.fragment
def _drawn(graph: LineageGraph, key: str) -> None:
    chosen = _chosen(graph)
    data = {
        "steps": [step.model_dump(exclude={"uses"}) for step in graph.steps],
        "selected": None if chosen is None else {"step": chosen.step, "column": chosen.column},
        "trail": None if chosen is None else chosen.model_dump(exclude={"upstream", "downstream"}),
        "height": HEIGHT,
    }
    loader("lineage")(key=key, data=data, on_selected_change=lambda: _take(key))


def _take(key: str) -> None:
    """The column that was clicked goes into the URL."""
    selected = st.session_state[key].get("selected") or {}
    place.set_params(step=selected.get("step"), column=selected.get("column"))


def _chosen(graph: LineageGraph) -> Trail | None:
    step, column = place.param("step"), place.param("column")
    if not step or not column:
        return None
    try:
        return trail(graph, step, column)
    except EtlmlError:  # a link to a column that is gone shows all columns
        return None


def _kept(services: Services, document: PipelineDraft, key: str) -> LineageGraph:
    """The lineage, computed anew when the document is another one."""
    text = document.model_dump_json(include={"steps", "params"})
    kept: Any = st.session_state.get(f"{key}_kept")
    if kept is None or kept[0] != text:
        kept = (text, services.lineage.of(document))
        st.session_state[f"{key}_kept"] = kept
    graph: LineageGraph = kept[1]
    return graph
