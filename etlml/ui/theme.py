"""The one look: a style sheet over Streamlit's theme, put into every page by the frame."""

from functools import lru_cache
from importlib.resources import files

import streamlit as st

from etlml.services.preferences import Mode
from etlml.ui.accents import DEFAULT, Accent


@lru_cache(maxsize=1)
def style_sheet() -> str:
    """The text of theme.css."""
    return (files("etlml.ui") / "assets" / "theme.css").read_text(encoding="utf-8")


def apply(accent: Accent = DEFAULT, mode: Mode = "system") -> None:
    """Put the style sheet into the page, with the viewer's accent and, where they chose one, their mode."""
    shades = f"light-dark({accent.light}, {accent.dark})" if mode == "system" else getattr(accent, mode)
    extra = (
        ""
        if accent == DEFAULT
        else f'.stApp,[data-testid="stDialog"],[data-testid="stPopoverBody"]{{--accent:{shades}}}'
    )
    st.html(f"<style>{style_sheet()}{extra}</style>")


def is_dark() -> bool:
    """Whether the viewer's page is dark; light where it is not known."""
    return st.context.theme.type == "dark"


def icon() -> str:
    """The path of the icon in the browser's tab; it is served from here, not from a font server."""
    return str(files("etlml.ui") / "assets" / "icon.png")
