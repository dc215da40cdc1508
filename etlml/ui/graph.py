"""Between a pipeline's steps and the canvas's graph: pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

from etlml.documents import Position, Run, Step, StepRun
from etlml.steps.graph import resolved_needs
from etlml.ui import drafted
from etlml.ui import format as words
from etlml.ui.templates import StepTemplate

Node = dict[str, Any]
Edge = dict[str, str]


def nodes_of(
    steps: Sequence[Step],
    *,
    run: Run | None = None,
    problems: Mapping[str, Sequence[str]] | None = None,
    progress: Mapping[str, float] | None = None,
) -> list[Node]:
    """The canvas's nodes: names, places, and what the run and the check say of each step."""
    states = {step.id: step for step in run.steps} if run is not None else {}
    return [
        {
            "id": step.id,
            "name": step.name,
            "type": step.type,
            "summary": summary(step),
            "inputs": 0 if step.type == "extract" else 1,
            "x": step.position.x if step.position else None,
            "y": step.position.y if step.position else None,
            "problems": list((problems or {}).get(step.id, ())),
            **_state(states.get(step.id), (progress or {}).get(step.id)),
        }
        for step in steps
    ]


def _state(step: StepRun | None, progress: float | None) -> Node:
    if step is None:
        return {"status": None, "rows": "", "time": "", "progress": None, "hint": ""}
    took = words.duration(step.duration_s) if step.duration_s is not None and not step.fused_into else ""
    hint = (
        f"Computed together with {step.fused_into}"
        if step.fused_into
        else (words.first_line(step.error.message) if step.error else step.reason or "")
    )
    return {"status": step.status, "rows": words.rows(step.rows_out), "time": took, "progress": progress, "hint": hint}


def edges_of(steps: Sequence[Step]) -> list[Edge]:
    """An edge for each need that names a step; the order of a step's edges is the order of its inputs."""
    known = {step.id for step in steps}
    needs = resolved_needs(steps)
    return [{"source": need, "target": step.id} for step in steps for need in needs[step.id] if need in known]


def summary(step: Step) -> str:
    """What a step does, in a few words from its configuration."""
    config = step.config
    if step.type == "extract":
        source = drafted.part(config, "source")
        return _short(
            source.get("path") or source.get("table") or source.get("url") or source.get("kind") or "no source yet"
        )
    if step.type == "transform":
        ops = [op for op in drafted.items(config, "ops") if isinstance(op, Mapping)]
        return (
            ", ".join(str(op.get("op", "?")) for op in ops[:4]) + ("…" if len(ops) > 4 else "") if ops else "no ops yet"
        )
    if step.type == "load":
        sink = drafted.part(config, "sink")
        return _short(sink.get("table") or sink.get("path") or sink.get("kind") or "no sink yet")
    if step.type == "validate":
        rules = [rule for rule in drafted.items(config, "rules") if isinstance(rule, Mapping)]
        on = sum(rule.get("enabled", True) is not False for rule in rules)
        return (
            words.plural(on, "rule") + (f", {len(rules) - on} off" if on < len(rules) else "")
            if rules
            else "no rules yet"
        )
    algorithm = str(config.get("algorithm") or "")
    return algorithm.replace("_", " ") if algorithm else "no algorithm yet"


def _short(path: Any) -> str:
    return str(path).replace("\\", "/").rstrip("/").rpartition("/")[2] or str(path)


def problems_by_step(problems: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The messages of a check, by step id; what belongs to no step is under the empty id."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        found.setdefault(str(problem.get("step") or ""), []).append(str(problem["message"]))
    return found


def merged(
    steps: Sequence[Step], kept: Mapping[str, Step], event: Mapping[str, Any], templates: Mapping[str, StepTemplate]
) -> list[Step]:
    """The steps after what somebody did on the canvas.

    Args:
        steps: The steps as they were.
        kept: Every step that was ever here, by id: undo brings back one that was deleted.
        event: ``{"nodes": [{id, x, y, from?}], "edges": [{source, target}]}``, where ``from`` is ``{"template": key}`` or
            ``{"copy_of": id}``.
        templates: What the palette offers, by key.

    Returns:
        Known steps in their old order, new ones after them; an unknown node without origin is passed over.
    """
    places = {str(node["id"]): node for node in event["nodes"]}
    now = {step.id: step for step in steps}
    order = [step.id for step in steps if step.id in places] + [id for id in places if id not in now]
    needs: dict[str, list[str]] = {id: [] for id in order}
    for edge in event["edges"]:
        source, target = str(edge["source"]), str(edge["target"])
        if source in needs and target in needs and source not in needs[target]:
            needs[target].append(source)
    before = resolved_needs(steps)
    result = list[Step]()
    for id in order:
        step = now.get(id) or kept.get(id) or _new(id, places[id].get("from") or {}, {**kept, **now}, templates)
        if step is None:
            continue
        place = Position(x=float(places[id]["x"]), y=float(places[id]["y"]))
        wanted = _in_order(needs[id], before.get(id, ()))
        result.append(step.model_copy(update={"position": place, "needs": wanted}))
    present = {step.id for step in result}
    return [
        step.model_copy(update={"needs": [need for need in step.needs or [] if need in present]}) for step in result
    ]


def _in_order(needs: Sequence[str], before: Sequence[str]) -> list[str]:
    """The inputs in the order that they had; new ones last. The first is the step's main input."""
    return [need for need in before if need in needs] + [need for need in needs if need not in before]


def _new(
    id: str, origin: Mapping[str, str], known: Mapping[str, Step], templates: Mapping[str, StepTemplate]
) -> Step | None:
    if (copied := known.get(origin.get("copy_of", ""))) is not None:
        return copied.model_copy(update={"id": id, "name": id}, deep=True)
    if (template := templates.get(origin.get("template", ""))) is not None:
        return template.step(id)
    return None


def renamed(steps: Sequence[Step], old: str, new: str) -> list[Step]:
    """The steps with one id changed, wherever it stands: the step itself and the needs of others."""
    explicit = resolved_needs(steps)
    return [
        step.model_copy(
            update={
                "id": new if step.id == old else step.id,
                "name": new if step.id == old and step.name == old else step.name,
                "needs": [new if need == old else need for need in explicit[step.id]],
            }
        )
        for step in steps
    ]
