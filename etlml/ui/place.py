"""Where the viewer is: pages, the URL's parameters, the zone of their clock."""

from collections.abc import Mapping
from datetime import tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

PAGES: Mapping[str, str] = {
    "dashboard": "dashboard.py",
    "pipelines": "pipelines.py",
    "pipeline": "pipeline.py",
    "runs": "runs.py",
    "run": "run.py",
    "schedules": "schedules.py",
    "compare": "compare.py",
    "experiments": "experiments.py",
    "experiment": "experiment.py",
    "models": "models.py",
    "validations": "validations.py",
    "logs": "logs.py",
    "settings": "settings.py",
}


def go(page: str, **params: str | None) -> None:
    """Leave for another page, with these URL parameters; None is left out.

    What a widget of this page holds in the URL (its tabs) only that widget may set there: the value goes through it.
    """
    given = {key: value for key, value in params.items() if value}
    for key in [key for key in given if key in st.session_state]:
        st.session_state[key] = given.pop(key)
    st.switch_page(PAGES[page], query_params=given)


def link(page: str, label: str, *, icon: str | None = None, **params: str | None) -> None:
    """A link to another page that keeps the session."""
    st.page_link(
        PAGES[page], label=label, icon=icon, query_params={key: value for key, value in params.items() if value}
    )


def param(name: str, default: str = "") -> str:
    """One parameter of the URL."""
    return str(st.query_params.get(name, default))


def set_params(**params: str | None) -> None:
    """Change parameters of the URL in place; None or an empty text removes one."""
    for key, value in params.items():
        if value:
            if st.query_params.get(key) != value:
                st.query_params[key] = value
        elif key in st.query_params:
            del st.query_params[key]


def zone() -> tzinfo:
    """The viewer's time zone, UTC where the browser did not say."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else ZoneInfo("UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
