"""The fields that hold several values: a list, names with values, rows, YAML."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from etlml.ui import fields as spec
from etlml.ui.fields import FormField
from etlml.ui.forms import pairs
from etlml.ui.forms.single import common
from etlml.ui.forms.surroundings import TYPES, Surroundings, offered

_NOUNS: Mapping[str, str] = {"columns": "column", "parameters": "parameter", "values": "value", "types": "column"}


def chosen(one: FormField, value: Any, around: Surroundings) -> Any:
    """Values in an order, chosen or typed."""
    items = list(value or [])
    texts = [spec.shown_scalar(item) for item in items]
    picks = "partner" if one.name in ("right_on", "columns") and one.picks == "column" else one.picks
    others = [name for name in offered(picks, around) if name not in texts]
    picked = st.multiselect(
        one.label,
        [*texts, *others],
        default=texts,
        accept_new_options=True,
        select_all=False,  # it would stand first, and Enter would take it
        placeholder="Choose or type",
        **common(one, around),
    )
    originals = dict(zip(texts, items, strict=True))
    parse = (
        (lambda text: text)
        if one.picks or (all(isinstance(item, str) for item in items) and items)
        else spec.parsed_scalar
    )
    return [originals[text] if text in originals else parse(text) for text in picked]


def named(one: FormField, value: Any, around: Surroundings) -> Any:
    """Names with a value each."""
    if any(isinstance(v, dict | list) for v in (value or {}).values()):
        return as_yaml(one, value, around)
    begun: dict[str, Any] = st.session_state.setdefault(f"{around.key}.base", dict(value or {}))
    st.caption(one.label, help=one.help or None)
    parse = str if one.edits or one.picks else spec.parsed_scalar
    look = pairs.Look(
        name={"column": "column"}.get(one.key_picks, _NOUNS.get(one.name, "name")),
        names=around.columns if one.key_picks == "column" else (),
        values=TYPES if one.picks == "type" else (),
        long=bool(one.edits),
    )
    texts = {str(name): spec.shown_scalar(v) for name, v in begun.items()}
    now = pairs.draw(around.key, texts, look, off=around.disabled)
    return {name: begun[name] if texts.get(name) == text else parse(text) for name, text in now.items()}


def missing(cell: Any) -> bool:
    """Whether a cell of an edited table holds nothing."""
    import pandas as pd

    return bool(pd.isna(cell)) if not isinstance(cell, list | dict) else False


def rows(one: FormField, value: Any, around: Surroundings) -> Any:
    """Rows of named values, as a table."""
    import pandas as pd

    base = st.session_state.setdefault(f"{around.key}.base", list(value or []))
    st.caption(one.label, help=one.help or None)
    edited = st.data_editor(
        pd.DataFrame(base),
        num_rows="dynamic",
        hide_index=True,
        key=around.key,
        disabled=around.disabled,
        height="content",
    )
    return [{str(k): None if missing(v) else v for k, v in row.items()} for row in edited.to_dict("records")]


def as_yaml(one: FormField, value: Any, around: Surroundings) -> Any:
    """Whatever has no widget of its own."""
    import yaml

    shown = "" if value in (None, [], {}) else yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    text = st.text_area(one.label, shown, height=90, **common(one, around))
    try:
        return yaml.safe_load(text) if text.strip() else one.default
    except yaml.YAMLError:
        st.caption(":red[This is not YAML; the value before is kept.]")
        return value
