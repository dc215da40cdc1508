"""The list component: rows with state pills, times in the viewer's zone, buttons and choice of several."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import streamlit as st

from etlml.ui import parts
from etlml.ui.assets_route import loader
from etlml.ui.copy_as import Action

COPIES = "copies"
"""What the browser calls the button of a row that shows its actions as commands."""


class Column(NamedTuple):
    """A column of a list; ``kind`` says how its cells look.

    Kinds: name, status, time, number, text, dim, code, tags, history, bar, actions.
    """

    key: str
    label: str
    kind: str = "text"
    align: str = "left"
    width: str = ""


class Happened(NamedTuple):
    """What the viewer did: opened a row, pressed a row's button, chose rows."""

    opened: str | None
    row: str | None
    action: str | None
    picked: tuple[str, ...]


def when(moment: datetime | None) -> str | None:
    """A time as a cell; the browser words it in the viewer's zone."""
    return None if moment is None else moment.isoformat()


def row(id: str, **cells: Any) -> dict[str, Any]:
    """One row."""
    return {"id": id, "cells": cells}


def draw(
    key: str,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    empty: str = "Nothing here yet.",
    opens: bool = True,
    picks: bool = False,
    height: int | None = None,
    current: str | None = None,
    head: bool = True,
    copies: Mapping[str, Mapping[str, Action]] | None = None,
) -> Happened:
    """Draw a list and say what the viewer did in it.

    Args:
        copies: By row, what can be done with it; such a row has a button that shows it as commands.
    """
    offered = copies or {}
    data = {
        "columns": [column._asdict() for column in columns],
        "rows": [{**one, "copies": True} if offered.get(one["id"]) else one for one in rows],
        "empty": empty,
        "opens": opens,
        "picks": picks,
        "height": height,
        "current": current,
        "head": head,
        "copies": any(offered.values()),
        "unpick": st.session_state.get(f"{key}_unpick", 0),
    }
    result = _component()(
        key=key, data=data, on_open_change=_nothing, on_action_change=_nothing, on_picked_change=_nothing
    )
    action = _field(result, "action") or {}
    known = {one["id"]: one for one in rows}
    if action.get("action") == COPIES:
        if found := offered.get(action["row"]):
            parts.commands_dialog(_name(known[action["row"]]), found)
        action = {}
    picked = tuple(one for one in (_field(result, "picked") or ()) if one in known) if picks else ()
    return Happened(_field(result, "open"), action.get("row"), action.get("action"), picked)


def unpick(key: str) -> None:
    """Let go of the chosen rows of a list."""
    st.session_state[f"{key}_unpick"] = st.session_state.get(f"{key}_unpick", 0) + 1


def _name(one: Mapping[str, Any]) -> str:
    """What a row is called."""
    name = one["cells"].get("name")
    return str(name["text"]) if name else str(one["id"])


def _nothing() -> None:
    """Streamlit learns by a callback's name which values a component sends."""


def _field(result: Any, name: str) -> Any:
    return getattr(result, name, None) if result is not None else None


def _component() -> Callable[..., Any]:
    return loader("rows")
