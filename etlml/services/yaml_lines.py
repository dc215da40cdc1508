"""Where in a YAML text a complaint belongs: pure functions."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from etlml.errors import EtlmlError
from etlml.services.drafts import problems_of
from etlml.services.yaml_text import from_yaml

_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def problems_with_lines(text: str) -> list[dict[str, Any]]:
    """Everything that is wrong with a pipeline's YAML, each with its ``line`` (from 1; None where it has none), in order."""
    try:
        document = from_yaml(text)
    except EtlmlError as error:
        message = error.message.splitlines()[0]
        return [{"step": None, "field": None, "message": message, "line": error.details.get("line")}]
    root = yaml.compose(text.removeprefix("\ufeff"), Loader=yaml.SafeLoader)
    found = [{**problem, "line": _line(root, problem)} for problem in problems_of(document)]
    return sorted(found, key=lambda problem: problem["line"] or 0)


def _line(root: Any, problem: Mapping[str, Any]) -> int | None:
    """The line of the deepest part of the field's path that is in the text."""
    node, path = root, str(problem.get("field") or "")
    step = problem.get("step")
    if step and not path.startswith("steps"):
        node = _step_node(root, str(step)) or root
    best: int | None = None if node is root else node.start_mark.line + 1
    for index, name in _PART.findall(path):
        node, line = _inside(node, int(index) if index else name)
        if node is None:
            break
        best = line
    return best


def _inside(node: Any, key: int | str) -> tuple[Any, int]:
    """The part of a node under a key or a place, and its line; None if there is none."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return value, name.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key].start_mark.line + 1
    return None, 0


def _step_node(root: Any, step: str) -> Any:
    steps, _ = _inside(root, "steps")
    for node in steps.value if isinstance(steps, yaml.SequenceNode) else ():
        name, _ = _inside(node, "id")
        if name is not None and name.value == step:
            return node
    return None
