"""Keys: what they do, and the script behind those that work on every page."""

from collections.abc import Mapping, Sequence

import streamlit as st

from etlml.ui.assets_route import loader
from etlml.ui.place import PAGES

MODES: Mapping[str, str] = {"system": "System", "light": "Light", "dark": "Dark"}
SHORTCUTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "Everywhere": (
        ("Ctrl K", "Go to a page, pipeline, run or model by name"),
        ("/", "Search on this page"),
        ("?", "Show these keys"),
    ),
    "A pipeline": (("Ctrl S", "Save"), ("Ctrl Enter", "Run; in a text of several lines: take over what is typed")),
    "The canvas": (
        ("A", "Add a step"),
        ("N, P", "Go to the next step, or the one before"),
        ("C", "Connect the chosen step"),
        ("L", "Tidy up"),
        ("F", "Show the whole graph"),
        ("Delete", "Remove what is chosen"),
        ("Ctrl Z, Ctrl Y", "Undo, redo"),
        ("Ctrl C, Ctrl X, Ctrl V", "Copy, cut, paste"),
        ("Ctrl D", "Copy the chosen steps beside them"),
        ("F2", "Rename the chosen step"),
        ("Menu, Shift F10", "What can be done with a step"),
        ("Ctrl A", "Choose all"),
    ),
}


def listen(mode: str) -> None:
    """Have the browser listen for the keys of every page, and start in this mode next time."""
    paths = ["/", *(f"/{name}" for name in PAGES)]
    loader("keys")(key="etlml_keys", data={"mode": MODES[mode], "paths": paths})


def help_html() -> str:
    """All keys as a table."""
    groups = []
    for title, keys in SHORTCUTS.items():
        rows = "".join(f"<dt>{_keys(names)}</dt><dd>{what}</dd>" for names, what in keys)
        groups.append(f'<div><b>{title}</b><dl class="kv">{rows}</dl></div>')
    return f'<div class="shortcuts">{"".join(groups)}</div>'


def _keys(names: str) -> str:
    return ", ".join(
        " ".join(f"<kbd>{part}</kbd>" for part in combination.split()) for combination in names.split(", ")
    )


@st.dialog("Keyboard shortcuts", width="medium")
def ask() -> None:
    """Show all keys."""
    st.html(help_html())
    st.caption("On a Mac, Cmd works as Ctrl does.")
