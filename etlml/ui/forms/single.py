"""The fields that hold one value: a switch, a number, a text, one of several."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from etlml.ui import fields as spec
from etlml.ui.fields import FormField
from etlml.ui.forms.surroundings import Surroundings, offered

_HEIGHTS = {"expression": 68, "sql": 180, "python": 260, "": 90}


def common(one: FormField, around: Surroundings) -> dict[str, Any]:
    """What every widget is given."""
    return {"help": one.help or None, "key": around.key, "disabled": around.disabled}


def toggle(one: FormField, value: Any, around: Surroundings) -> Any:
    """True or false, or neither."""
    if not one.nullable:
        return st.toggle(one.label, bool(value), **common(one, around))
    options = ["Automatic", "Yes", "No"]
    at = 0 if value is None else 1 if value else 2
    chosen = st.segmented_control(one.label, options, default=options[at], **common(one, around))
    return {"Yes": True, "No": False}.get(chosen or "")


def number(one: FormField, value: Any, around: Surroundings) -> Any:
    """A number within its bounds, or a reference to one."""
    cast: Callable[[Any], Any] = int if one.kind == "integer" else float
    if isinstance(value, str):  # a reference such as ${params.rows}
        return scalar(one, value, around)
    low = None if one.minimum is None else cast(one.minimum)
    high = None if one.maximum is None else cast(one.maximum)
    return st.number_input(
        one.label, low, high, None if value is None else cast(value), placeholder="not set", **common(one, around)
    )


def text(one: FormField, value: Any, around: Surroundings) -> Any:
    """A line of text, chosen or typed."""
    if one.picks:
        known = offered(one.picks, around)
        shown = [str(value), *[name for name in known if name != value]] if value else known
        return st.selectbox(
            one.label,
            shown,
            index=0 if value else None,
            accept_new_options=True,
            placeholder="Choose or type",
            **common(one, around),
        )
    return st.text_input(
        one.label, spec.shown_scalar(value), placeholder="" if one.required else "not set", **common(one, around)
    )


def long(one: FormField, value: Any, around: Surroundings) -> Any:
    """Text of several lines: code, SQL, a condition."""
    height = _HEIGHTS.get(one.edits, 90) if one.name not in ("where",) else 68
    with st.container(key=f"code-{around.key}".replace(".", "-").replace(" ", "-")):
        return st.text_area(one.label, spec.shown_scalar(value), height=height, **common(one, around))


def choice(one: FormField, value: Any, around: Surroundings) -> Any:
    """One of a few."""
    options = list(one.options)
    if one.nullable:
        return st.selectbox(
            one.label,
            options,
            index=options.index(value) if value in options else None,
            placeholder="Automatic",
            **common(one, around),
        )
    if len(options) <= 4 and sum(map(len, options)) < 34:
        return st.segmented_control(
            one.label, options, default=value if value in options else None, required=True, **common(one, around)
        )
    return st.selectbox(
        one.label, options, index=options.index(value) if value in options else 0, **common(one, around)
    )


def scalar(one: FormField, value: Any, around: Surroundings) -> Any:
    """A number, truth value or text, told apart by how it is written."""
    typed = st.text_input(one.label, spec.shown_scalar(value), placeholder="not set", **common(one, around))
    return spec.parsed_scalar(typed) if typed else None
