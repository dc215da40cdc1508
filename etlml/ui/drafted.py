"""Reads configurations of drafts, which may hold anything: somebody wrote them as YAML and has not saved yet."""

from collections.abc import Mapping
from typing import Any


def items(config: Mapping[str, Any], name: str) -> list[Any]:
    """What is in a list; nothing where something else stands there."""
    found = config.get(name)
    return found if isinstance(found, list) else []


def part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A mapping within the configuration; an empty one where something else stands there."""
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}
