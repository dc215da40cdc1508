"""Go to a page or a thing by its name."""

from collections.abc import Mapping

import streamlit as st

from etlml.services import Services
from etlml.services.search import Hit
from etlml.ui import format as words
from etlml.ui import parts, place
from etlml.ui.looks import look

ICONS: Mapping[str, str] = {
    "pipeline": ":material/account_tree:",
    "run": ":material/play_circle:",
    "model": ":material/deployed_code:",
    "connection": ":material/cable:",
}


@st.dialog("Go to", width="medium")
def ask(services: Services, pages: Mapping[str, tuple[str, str]]) -> None:
    """A search over pages (name to title and icon), pipelines, runs, models and connections."""
    q = st.text_input(
        "Page, pipeline, run or model",
        key="go_to_q",
        placeholder="Page, pipeline, run or model",
        label_visibility="collapsed",
        icon=":material/search:",
        live=True,
    )
    text = (q or "").strip().lower()
    wanted = [name for name, (title, _) in pages.items() if text in title.lower()]
    with parts.shown_errors(), st.container(key="go_to_hits", gap="xxsmall"):
        hits = services.search.find(text)
        for name in wanted[: 4 if text else 0]:
            title, icon = pages[name]
            place.link(name, title, icon=icon)
        for hit in hits:
            _link(hit)
        if text and not wanted and not hits:
            parts.empty("Nothing of that name", "Look for a part of a name, or for the id of a run.")


def _link(hit: Hit) -> None:
    note = (
        f"{look(hit.note).label} · {hit.id[-6:]}"
        if hit.kind == "run"
        else words.value(hit.note, 70)
        if hit.note
        else ""
    )
    label = f"{hit.name} · {note}" if note else hit.name
    match hit.kind:
        case "pipeline" | "run":
            place.link(hit.kind, label, icon=ICONS[hit.kind], id=hit.id)
        case "model":
            place.link("models", label, icon=ICONS[hit.kind], name=hit.name)
        case "connection":
            place.link("settings", label, icon=ICONS[hit.kind], tab="Connections", connection=hit.name)
