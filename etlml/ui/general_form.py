"""The part of a pipeline's settings that is no schedule: parameters, description, tags, limits."""

from typing import Any

import streamlit as st

from etlml.documents import PipelineDraft
from etlml.ui.fields import parsed_scalar, shown_scalar
from etlml.ui.forms import pairs


def about(document: PipelineDraft, key: str, off: bool) -> dict[str, Any]:
    """Description, tags and limits as they stand in the form now."""
    description = st.text_area("Description", document.description, key=f"{key}.text", height=80, disabled=off)
    tags = st.multiselect(
        "Tags",
        document.tags,
        default=document.tags,
        accept_new_options=True,
        key=f"{key}.tags",
        disabled=off,
        placeholder="Add a tag …",
    )
    a, b, c = st.columns(3)
    most = a.number_input(
        "Runs at once", 1, 100, document.max_running, key=f"{key}.most", disabled=off, help="Others wait in the queue."
    )
    priority = b.number_input(
        "Priority", -100, 100, document.priority, key=f"{key}.priority", disabled=off, help="Higher starts first."
    )
    limit = c.number_input(
        "Time limit (s)",
        0.0,
        None,
        document.timeout_s,
        key=f"{key}.limit",
        placeholder="none",
        disabled=off,
        help="A run that takes longer is stopped.",
    )
    return {
        "description": description,
        "tags": tags,
        "max_running": int(most),
        "priority": int(priority),
        "timeout_s": limit or None,
    }


def params(document: PipelineDraft, key: str, off: bool) -> dict[str, Any]:
    """Parameters with their defaults as they stand in the form now."""
    base: dict[str, Any] = st.session_state.setdefault(f"{key}.params.base", dict(document.params))
    nested = {name: value for name, value in base.items() if isinstance(value, dict | list)}
    texts = {name: shown_scalar(value) for name, value in base.items() if name not in nested}
    now = pairs.draw(f"{key}.params", texts, pairs.Look("parameter"), off=off)
    return nested | {name: base[name] if texts.get(name) == text else _default(text) for name, text in now.items()}


def _default(text: str) -> Any:
    return parsed_scalar(text) if text else None
