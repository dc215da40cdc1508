"""Two versions of a graph in one drawing: what was added, removed, changed, renamed, moved. Pure functions."""

import base64
import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from etlml.documents import Step
from etlml.services.version_diff import StepChange
from etlml.steps.graph import resolved_needs
from etlml.ui.looks import COLOURS, TYPE_LABEL, Tone

WIDTH, HEIGHT, GAP_X, GAP_Y = 176, 48, 64, 22
TONES: Mapping[str, Tone] = {"added": "ok", "removed": "bad", "changed": "warn", "renamed": "run", "moved": "dull"}
_MARK = {"added": "+", "removed": "−", "changed": "~", "renamed": "↷", "moved": "↔"}


class _Box(NamedTuple):
    x: int
    y: int


def graph_svg(
    before: Sequence[Step], after: Sequence[Step], changes: Sequence[StepChange], *, dark: bool = False
) -> str:
    """Both graphs as one SVG: the new one, with the steps and edges that are gone drawn dashed. Empty without steps."""
    kinds = {change.step: change.kind for change in changes}
    was = {change.was: change.step for change in changes if change.was}
    gone = [step for step in before if kinds.get(step.id) == "removed"]
    shown = [*after, *gone]
    if not shown:
        return ""
    new_edges = _edges(after, {})
    old_edges = {edge for edge in _edges(before, was) if all(any(step.id == end for step in shown) for end in edge)}
    every = sorted(new_edges | old_edges)
    boxes = _places(shown, every)
    lines = "".join(_line(boxes[a], boxes[b], _edge_kind((a, b), new_edges, old_edges)) for a, b in every)
    nodes = "".join(_node(step, boxes[step.id], kinds.get(step.id, "same")) for step in shown)
    width = max(box.x for box in boxes.values()) + WIDTH + 2
    height = max(box.y for box in boxes.values()) + HEIGHT + 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {width + 4} {height + 4}" width="{width + 4}" '
        f'height="{height + 4}"><style>{_style(dark)}</style>{lines}{nodes}</svg>'
    )


def graph_html(svg: str) -> str:
    """The drawing as an image, which a page shows as it is: SVG within HTML would be stripped."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<div class="vgraph"><img alt="What changed in the graph" src="data:image/svg+xml;base64,{data}"></div>'


def _style(dark: bool) -> str:
    ink, faint, line, paper = (
        ("#e6e9ef", "#98a1b0", "#3a4250", "#10141b") if dark else ("#1b1f27", "#6a7280", "#c9ced8", "#fff")
    )
    kinds = "".join(f".is-{kind}{{--c:{COLOURS[tone]}}}" for kind, tone in TONES.items())
    return (
        f"{kinds}.is-same{{--c:{line}}}path{{fill:none;stroke:var(--c);stroke-width:1.6}}"
        f"path.is-removed,.is-removed rect{{stroke-dasharray:5 4}}rect{{fill:{paper};stroke:var(--c);stroke-width:1.6}}"
        f"text{{fill:{ink};font:550 13px Inter,system-ui,sans-serif}}.sub{{fill:{faint};font-size:11.5px;font-weight:400}}"
        ".mark{fill:var(--c);font-size:16px;font-weight:700}"
    )


def _edges(steps: Sequence[Step], names: Mapping[str, str]) -> set[tuple[str, str]]:
    known = {step.id for step in steps}
    needs = resolved_needs(steps)
    return {
        (names.get(need, need), names.get(step.id, step.id))
        for step in steps
        for need in needs[step.id]
        if need in known
    }


def _edge_kind(edge: tuple[str, str], new: set[tuple[str, str]], old: set[tuple[str, str]]) -> str:
    return "same" if edge in new and edge in old else "added" if edge in new else "removed"


def _places(steps: Sequence[Step], edges: Sequence[tuple[str, str]]) -> dict[str, _Box]:
    """A column for each depth, steps below each other in their order."""
    depth = {step.id: 0 for step in steps}
    for _ in steps:  # at most as many rounds as a path is long, whatever the edges are
        deeper = {b: depth[a] + 1 for a, b in edges if depth[b] <= depth[a] < len(steps)}
        if not deeper:
            break
        depth |= deeper
    rows: dict[int, int] = {}
    places: dict[str, _Box] = {}
    for step in steps:
        column = min(depth[step.id], len(steps))
        at = rows.get(column, 0)
        rows[column] = at + 1
        places[step.id] = _Box(column * (WIDTH + GAP_X), at * (HEIGHT + GAP_Y))
    return places


def _line(a: _Box, b: _Box, kind: str) -> str:
    x1, y1, x2, y2 = a.x + WIDTH, a.y + HEIGHT // 2, b.x, b.y + HEIGHT // 2
    bend = max(30, abs(x2 - x1) // 2)
    return f'<path class="is-{kind}" d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'


def _node(step: Step, box: _Box, kind: str) -> str:
    name = step.name if len(step.name) <= 20 else step.name[:19] + "…"
    mark = f'<text class="mark" x="{WIDTH - 12}" y="20" text-anchor="end">{_MARK[kind]}</text>' if kind in _MARK else ""
    return (
        f'<g class="is-{kind}" transform="translate({box.x} {box.y})"><title>{html.escape(step.id)}: {kind}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="9"/>'
        f'<text x="14" y="20">{html.escape(name)}</text>'
        f'<text class="sub" x="14" y="37">{TYPE_LABEL[step.type]}{"" if kind == "same" else f" · {kind}"}</text>{mark}</g>'
    )


def yaml_diff_html(lines: Sequence[str]) -> str:
    """The lines of a unified diff, added ones green, removed ones red."""
    shown = "".join(f'<div class="{_line_class(line)}">{html.escape(line) or " "}</div>' for line in lines)
    return f'<div class="ydiff">{shown}</div>'


def _line_class(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "at"}.get(line[:1], "")
