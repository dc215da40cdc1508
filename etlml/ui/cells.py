"""HTML of ours whose cells can be clicked: calendars, grids."""

from etlml.ui.assets_route import loader


def draw(key: str, html: str) -> str | None:
    """Draw escaped HTML; the ``data-open`` of the element that was clicked, None otherwise."""
    result = loader("cells", isolated=False)(key=key, data={"html": html}, on_open_change=_nothing)
    return getattr(result, "open", None)


def _nothing() -> None:
    """Streamlit learns by a callback's name which values a component sends."""
