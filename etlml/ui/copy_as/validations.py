"""Data quality: a file checked now, an outcome deleted."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from etlml.ui.copy_as.action import EACH, Action, Request, action, of_each, path


def run(file: str, rules: Sequence[Mapping[str, Any]]) -> Action:
    """Check a file against rules, and keep the outcome."""
    given = [dict(rule) for rule in rules]
    words = ["validate", file, "--rules", json.dumps(given, ensure_ascii=False), "--save"]
    return action(words, Request("POST", path("validations", "run"), {"path": file, "rules": given}))


def delete(ids: Sequence[str]) -> Action:
    """Forget outcomes."""
    return of_each(["delete", "validation"], ids, "DELETE", "validations", EACH)
