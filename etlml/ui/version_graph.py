"""Two versions of a graph as one: what was added, removed, changed, renamed. Pure functions."""

import html
from collections.abc import Mapping, Sequence

from etlml.documents import Position, Step
from etlml.services.version_diff import StepChange
from etlml.services.version_words import field_words
from etlml.steps.graph import resolved_needs
from etlml.ui import graph
from etlml.ui.graph import Edge, Node
from etlml.ui.looks import Tone

TONES: Mapping[str, Tone] = {"added": "ok", "removed": "bad", "changed": "warn", "renamed": "run"}
_WIDTH, _HEIGHT = 220, 84  # of a step's card with a gap


def counted(changes: Sequence[StepChange]) -> list[StepChange]:
    """The changes that matter: a step that only stands elsewhere is none."""
    return [change for change in changes if change.kind != "moved"]


def both(before: Sequence[Step], after: Sequence[Step], changes: Sequence[StepChange]) -> tuple[list[Node], list[Edge]]:
    """The canvas's nodes and edges: the new graph, with the steps and edges that are gone marked as removed.

    A node of a changed step has its ``change`` (its kind) and ``changes`` (a line for each field); an edge that is not in
    both has a ``change`` too.
    """
    told = {change.step: change for change in counted(changes)}
    was = {change.was: change.step for change in changes if change.was}
    gone = [step for step in before if step.id in told and told[step.id].kind == "removed"]
    shown = [*after, *gone]
    places = _places(after, gone)
    nodes = graph.nodes_of([step.model_copy(update={"position": places.get(step.id)}) for step in shown])
    for node in nodes:
        if (change := told.get(node["id"])) is not None:
            node |= {"change": change.kind, "changes": lines(change)}
    known = {step.id for step in shown}
    new, old = _edges(after, {}), [edge for edge in _edges(before, was) if known.issuperset(edge)]
    marks = {**dict.fromkeys(old, "removed"), **{edge: "" if edge in old else "added" for edge in new}}
    edges = [
        {"source": source, "target": target} | ({"change": mark} if mark else {})
        for (source, target), mark in marks.items()
    ]
    return nodes, edges


def lines(change: StepChange) -> list[str]:
    """What became of a step, a line for each of its fields."""
    first = [f"Was called {change.was}"] if change.was else []
    return [*first, *(field_words(field) for field in change.fields)]


def _edges(steps: Sequence[Step], names: Mapping[str, str]) -> list[tuple[str, str]]:
    known = {step.id for step in steps}
    needs = resolved_needs(steps)
    return [
        (names.get(need, need), names.get(step.id, step.id))
        for step in steps
        for need in needs[step.id]
        if need in known
    ]


def _places(after: Sequence[Step], gone: Sequence[Step]) -> dict[str, Position]:
    """Where each step stands; one that is gone gives way to one that is there. Empty where a place is not known."""
    places: dict[str, Position] = {}
    for step in [*after, *gone]:
        if step.position is None:
            return {}
        x, y = step.position.x, step.position.y
        while step in gone and any(abs(p.x - x) < _WIDTH and abs(p.y - y) < _HEIGHT for p in places.values()):
            y += _HEIGHT
        places[step.id] = Position(x=x, y=y)
    return places


def yaml_diff_html(lines: Sequence[str]) -> str:
    """The lines of a unified diff, added ones green, removed ones red."""
    shown = "".join(f'<div class="{_line_class(line)}">{html.escape(line) or " "}</div>' for line in lines)
    return f'<div class="ydiff">{shown}</div>'


def _line_class(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "at"}.get(line[:1], "")
