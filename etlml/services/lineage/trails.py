"""The way of one column through a pipeline, up to the files that it comes from and down to where it ends."""

from collections import deque
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from etlml.errors import ColumnMissing, NotFound
from etlml.services.lineage.graph import ColumnNode, LineageGraph, Origin, StepNode

Place = tuple[str, str]
_END_WORDS = {"rule": "checked by ", "sink": "saved to ", "filter": "filters rows: ", "order": ""}


class Leg(BaseModel):
    """One change on the way: a column of a step, and the words for how it came about."""

    step: str
    column: str
    text: str


class Trail(BaseModel):
    """Where a column comes from, through what, and where it goes."""

    step: str
    column: str
    type: str = ""
    upstream: list[Origin] = Field(default_factory=list, description="Every column that it is made of.")
    downstream: list[Origin] = Field(default_factory=list, description="Every column that is made of it.")
    sources: list[Leg] = Field(default_factory=list, description="The columns of files and tables at its beginning.")
    through: list[Leg] = Field(default_factory=list, description="What was done on the way, first things first.")
    rows: list[Leg] = Field(default_factory=list, description="What chose the rows on the way: filters and joins.")
    goes: list[Leg] = Field(
        default_factory=list, description="Rules, sinks and models that get it, or what is made of it."
    )
    unknown: list[str] = Field(default_factory=list, description="Steps beyond which nothing can be told.")


def trail(graph: LineageGraph, step: str, column: str) -> Trail:
    """The way of one column.

    Raises:
        NotFound: There is no such step.
        ColumnMissing: The step has no such column.
    """
    nodes = {node.id: node for node in graph.steps}
    if step not in nodes:
        raise NotFound("step", step, list(nodes))
    found = {each.name.lower(): each for each in nodes[step].columns}.get(column.lower())
    if found is None:
        raise ColumnMissing(column, [each.name for each in nodes[step].columns], where=f"step {step!r}")
    start = (step, found.name)
    above = _reached(start, _upward(nodes))
    below = _reached(start, _downward(graph))
    return Trail(
        step=step,
        column=found.name,
        type=found.type,
        upstream=_origins(place for place in above if place != start),
        downstream=_origins(place for place in below if place != start),
        sources=list(_sources(graph, above)),
        through=list(_changes(graph, above)),
        rows=list(_choices(graph, above)),
        goes=list(_ends(graph, below)),
        unknown=[
            node.id
            for node in graph.steps
            if (node.unknown and any(need in {place[0] for place in below} for need in node.needs))
            or any((node.id, each.name) in above and each.how == "unknown" for each in node.columns)
        ],
    )


def _upward(nodes: dict[str, StepNode]) -> dict[Place, list[Place]]:
    return {
        (node.id, column.name): [
            (origin.step, _spelled(nodes.get(origin.step), origin.column)) for origin in column.origins
        ]
        for node in nodes.values()
        for column in node.columns
    }


def _downward(graph: LineageGraph) -> dict[Place, list[Place]]:
    found: dict[Place, list[Place]] = {}
    for place, origins in _upward({node.id: node for node in graph.steps}).items():
        for origin in origins:
            found.setdefault(origin, []).append(place)
    return found


def _spelled(node: StepNode | None, column: str) -> str:
    names = [each.name for each in node.columns] if node is not None else []
    return next((name for name in names if name.lower() == column.lower()), column)


def _reached(start: Place, edges: dict[Place, list[Place]]) -> set[Place]:
    seen, frontier = {start}, deque([start])
    while frontier:
        for place in edges.get(frontier.popleft(), ()):
            if place not in seen:
                seen.add(place)
                frontier.append(place)
    return seen


def _columns(graph: LineageGraph, places: set[Place]) -> Iterator[tuple[StepNode, ColumnNode]]:
    return ((node, column) for node in graph.steps for column in node.columns if (node.id, column.name) in places)


def _sources(graph: LineageGraph, above: set[Place]) -> Iterator[Leg]:
    for node, column in _columns(graph, above):
        if column.how == "source":
            yield Leg(step=node.id, column=column.name, text=node.place)
        elif column.how == "unknown":
            yield Leg(step=node.id, column=column.name, text=node.unknown)


def _changes(graph: LineageGraph, above: set[Place]) -> Iterator[Leg]:
    for node, column in _columns(graph, above):
        for text in column.texts:
            yield Leg(step=node.id, column=column.name, text=text)


def _choices(graph: LineageGraph, above: set[Place]) -> Iterator[Leg]:
    on_the_way = {place[0] for place in above}
    for node in graph.steps:
        for use in node.uses if node.id in on_the_way else ():
            if use.purpose in ("filter", "join key") and node.type == "transform":
                yield Leg(step=node.id, column="", text=use.text)


def _ends(graph: LineageGraph, below: set[Place]) -> Iterator[Leg]:
    for node in graph.steps:
        for use in node.uses:
            hit = next((origin for origin in use.origins if (origin.step, origin.column) in below), None)
            if hit is not None:
                yield Leg(step=node.id, column=hit.column, text=_END_WORDS.get(use.purpose, "") + use.text)


def _origins(places: Iterable[Place]) -> list[Origin]:
    return [Origin(step=step, column=column) for step, column in sorted(places)]
