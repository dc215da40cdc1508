"""The part of a pipeline's settings that is no schedule: parameters, description, tags, limits."""

from typing import Any

import streamlit as st

from etlml.documents import PipelineDraft
from etlml.ui import forms
from etlml.ui.fields import parsed_scalar, shown_scalar


def about(document: PipelineDraft, key: str, off: bool) -> dict[str, Any]:
    """Description, tags and limits as they stand in the form now."""
    description = st.text_area("Description", document.description, key=f"{key}.text", height=80, disabled=off)
    tags = st.multiselect(
        "Tags", document.tags, default=document.tags, accept_new_options=True, key=f"{key}.tags", disabled=off
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
    """Parameters with their defaults as they stand in the table now."""
    import pandas as pd

    base = st.session_state.setdefault(f"{key}.params.base", dict(document.params))
    plain = {name: value for name, value in base.items() if not isinstance(value, dict | list)}
    frame = pd.DataFrame(
        {"name": list(plain), "value": [shown_scalar(value) for value in plain.values()]}, dtype="string"
    )
    config = {
        "name": st.column_config.TextColumn("Name", required=True),
        "value": st.column_config.TextColumn("Default"),
    }
    edited = st.data_editor(
        frame,
        num_rows="dynamic",
        hide_index=True,
        key=f"{key}.params",
        disabled=off,
        column_config=config,
        height="content",
    )
    pairs = ((row.name, row.value) for row in edited.itertuples(index=False))
    given = {
        str(name): None if forms.missing(value) else parsed_scalar(str(value))
        for name, value in pairs
        if not forms.missing(name) and str(name).strip()
    }
    texts = {
        name: str(base[name])
        for name in given
        if isinstance(base.get(name), str) and shown_scalar(base[name]) == shown_scalar(given[name])
    }
    return {**{name: value for name, value in base.items() if isinstance(value, dict | list)}, **given, **texts}
