"""The canvas component: draws a graph, says what somebody did on it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from etlml.ui import theme
from etlml.ui.assets_route import loader
from etlml.ui.graph import Edge, Node
from etlml.ui.templates import palette


class Drawn(NamedTuple):
    """What the canvas holds now."""

    selected: str | None
    opened: str | None


def draw(
    key: str,
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    *,
    rev: int = 0,
    selected: str | None = None,
    choice: int = 0,
    readonly: bool = False,
    height: int | str = 480,
    on_graph: Callable[[], None] | None = None,
    menu: Mapping[str, Any] | None = None,
    on_selected: Callable[[], None] | None = None,
    on_asked: Callable[[], None] | None = None,
) -> Drawn:
    """Draw a graph.

    The browser owns places and edges while somebody edits. A higher ``rev`` replaces its graph by this one; with the same
    ``rev`` only names, states and problems are taken over. A changed ``choice`` selects ``selected``.

    Args:
        edges: One that has a ``change``, as a node may have, is drawn so: added or removed between two versions.
        height: In pixels, or as CSS says it.
        menu: What a step's menu offers besides editing: ``to``, whether runs may be started, and ``from``, the steps from
            which they may be.
        on_asked: Called when an entry of it is chosen, or a step is renamed: ``asked`` is
            ``{"what": "to" | "from" | "rename", "id": step, "name": new name}``.
    """
    data: Mapping[str, Any] = {
        "nodes": list(nodes),
        "edges": list(edges),
        "rev": rev,
        "selected": selected,
        "choice": choice,
        "readonly": readonly,
        "height": height,
        "dark": theme.is_dark(),
        "palette": [] if readonly else palette(),
        "fit": True,
        "menu": None if menu is None else dict(menu),
    }
    result = loader("canvas")(
        key=key,
        data=data,
        on_graph_change=on_graph or _nothing,
        on_selected_change=on_selected or _nothing,
        on_opened_change=_nothing,
        on_asked_change=on_asked or _nothing,
    )
    return Drawn(getattr(result, "selected", None), getattr(result, "opened", None))


def _nothing() -> None:
    """Streamlit learns by a callback's name which values a component sends."""
