"""Paging through a list by its cursors; where the viewer is stands in the URL, so that a refresh keeps the place."""

from collections.abc import Sequence

import streamlit as st

from etlml.store.paging import is_cursor
from etlml.ui import place

PARAM = "after"


def cursor(key: str, filters: object, *, by_name: bool = False) -> str | None:
    """The cursor of the page that is looked at; None for the first. Other filters begin at the first page again.

    Args:
        by_name: The cursors are names, so any text may be one.
    """
    known = st.session_state.get(f"{key}_filters")
    st.session_state[f"{key}_filters"] = filters
    if known is not None and known != filters:
        st.session_state.pop(f"{key}_trail", None)
        place.set_params(**{PARAM: None})
    here = place.param(PARAM)
    if (
        here and not by_name and not is_cursor(here)
    ):  # typed in or cut off: the list from its beginning is what they want
        place.set_params(**{PARAM: None})
        return None
    return here or None


def foot(key: str, shown: int, following: str | None, *, noun: str, counts: bool = True) -> None:
    """How many are shown, and the ways to newer and older ones; nothing where all fit on one page."""
    here = place.param(PARAM)
    if not here and following is None:
        return
    trail: list[str] = st.session_state.get(f"{key}_trail", [])
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if counts:
            st.caption(f"{shown:,} {noun} on this page")
        if here and st.button("Newest", icon=":material/first_page:", key=f"{key}_newest", type="tertiary"):
            _go(key, [], "")
        if here and trail and st.button("Newer", icon=":material/chevron_left:", key=f"{key}_newer"):
            _go(key, trail[:-1], trail[-1])
        if following and st.button("Older", icon=":material/chevron_right:", icon_position="right", key=f"{key}_older"):
            _go(key, [*trail, here], following)


def _go(key: str, trail: Sequence[str], cursor: str) -> None:
    """``trail`` holds the cursors of the pages before that one; the first page's is empty."""
    st.session_state[f"{key}_trail"] = list(trail)
    place.set_params(**{PARAM: cursor or None})
    st.rerun()
