"""Models: moved on, described, asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from etlml.ui.copy_as.action import Action, Request, action, options, path


def set_status(name: str, version: str, status: str) -> Action:
    """Deploy a version, take it back, or archive it."""
    return action(["models", name, version, *options(status=status)], _change(name, version, {"status": status}))


def describe(name: str, version: str, aliases: Sequence[str], description: str) -> Action:
    """Give a version these aliases and this description."""
    words = ["models", name, version, *options(alias=list(aliases) or [""]), "--description", description]
    return action(words, _change(name, version, {"aliases": list(aliases), "description": description}))


def predict(name: str, version: str, row: Mapping[str, Any]) -> Action:
    """Ask a version for its prediction of a row; on the command line, of the rows of a file."""
    asked = Request("POST", path("models", name, "predict"), {"rows": [dict(row)], "version": version})
    return action(["predict", name, "data.csv", *options(version=version)], asked)


def _change(name: str, version: str, changes: Mapping[str, Any]) -> Request:
    return Request("PATCH", path("models", name, "versions", version), changes)
