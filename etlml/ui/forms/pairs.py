"""Names with a value each: every name stands in full above its value, however narrow the form is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from etlml.clock import new_id

Rows = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Look:
    """How the pairs are called and what is offered for choice.

    Attributes:
        name: What a name is, e.g. ``column``.
        names: Names to choose from; empty: they are typed.
        values: Values to choose from; empty: they are typed.
        long: Whether a value is code of several lines.
    """

    name: str = "name"
    names: Sequence[str] = ()
    values: Sequence[str] = ()
    long: bool = False


def draw(key: str, given: Mapping[str, str], look: Look, *, off: bool) -> dict[str, str]:
    """Draw the pairs and what adds one; what stands in them now, in their order. ``given`` is what they begin with."""
    rows: Rows = st.session_state.setdefault(f"{key}.rows", {str(at): pair for at, pair in enumerate(given.items())})
    now = dict[str, str]()
    for row, (name, begun) in rows.items():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key=_css(f"pair-{key}.{row}")):
            now[name] = _value(f"{key}.{row}", name, begun, look, off=off)
            if not off:
                _menu(f"{key}.{row}", rows, row, look)
    if not off:
        _adder(key, rows, look)
    return now


def _value(key: str, name: str, begun: str, look: Look, *, off: bool) -> str:
    label = plain(name)
    if look.values:
        options = list(dict.fromkeys([*([begun] if begun else []), *look.values]))
        at = options.index(begun) if begun else None
        chosen = st.selectbox(label, options, at, key=f"{key}.value", disabled=off, accept_new_options=True)
        return str(chosen or "")
    if look.long:
        with st.container(key=_css(f"code-{key}")):
            return st.text_area(label, begun, height="content", key=f"{key}.value", disabled=off)
    return st.text_input(label, begun, key=f"{key}.value", disabled=off)


def _menu(key: str, rows: Rows, row: str, look: Look) -> None:
    """Another name, or away with it."""

    def rename() -> None:
        wanted = str(st.session_state[f"{key}.name"]).strip()
        if _is_free(wanted, rows, row):
            rows[row] = wanted, rows[row][1]

    def remove() -> None:
        rows.pop(row, None)

    with st.popover("", icon=":material/more_vert:", help=f"Rename or remove {rows[row][0]}", type="tertiary"):
        st.text_input(look.name.capitalize(), rows[row][0], key=f"{key}.name", on_change=rename)
        st.button("Remove", icon=":material/delete:", key=f"{key}.x", on_click=remove)


def _adder(key: str, rows: Rows, look: Look) -> None:
    asked = f"{key}.add"

    def add() -> None:
        wanted = str(st.session_state[asked] or "").strip()
        if _is_free(wanted, rows):
            rows[new_id()] = wanted, ""
        st.session_state[asked] = None if look.names else ""

    text = f"Add a {look.name} …"
    if look.names:
        taken = {name for name, _ in rows.values()}
        st.selectbox(
            text,
            [name for name in look.names if name not in taken],
            None,
            placeholder=text,
            label_visibility="collapsed",
            accept_new_options=True,
            key=asked,
            on_change=add,
        )
    else:
        st.text_input(text, placeholder=text, label_visibility="collapsed", key=asked, on_change=add)


def _is_free(name: str, rows: Rows, but: str | None = None) -> bool:
    if any(other == name for row, (other, _) in rows.items() if row != but):
        st.toast(f"There is one called {name} already.", icon=":material/error:")
        return False
    return bool(name)


def plain(text: str) -> str:
    """A text that Markdown leaves as it is."""
    return "".join(f"\\{letter}" if letter in "\\*_`[]:$~#|<>" else letter for letter in text)


def _css(key: str) -> str:
    return key.replace(".", "-").replace(" ", "-")
