"""Log lines: searched, counted, grouped, saved as a file."""

from collections.abc import Mapping
from typing import Any

from etlml.ui.copy_as.action import Action, Request, action, options, path, query


def search(filters: Mapping[str, Any]) -> Action:
    """The lines that fit."""
    return action(_words(filters), Request("GET", path("logs"), query=query(**filters)))


def groups(filters: Mapping[str, Any]) -> Action:
    """Equal warnings and errors among them."""
    return action([*_words(filters), "--groups"], Request("GET", path("logs", "groups"), query=query(**filters)))


def volume(filters: Mapping[str, Any]) -> Action:
    """How many there are over time, by level."""
    return action([*_words(filters), "--histogram"], Request("GET", path("logs", "volume"), query=query(**filters)))


def export(filters: Mapping[str, Any], *, packed: bool = False) -> Action:
    """Every line that fits as a file."""
    file = "etlml.log.gz" if packed else "etlml.log"
    asked = Request("GET", path("logs", "export"), query=query(**filters, gzip=packed), saves=file)
    return action([*_words(filters), "--output", file], asked)


def _words(filters: Mapping[str, Any]) -> list[str]:
    """``etlml logs``: of one run where the filters name it, else of everything."""
    given = query(**filters)
    known = {name: given.get(name) for name in ("level", "source", "q", "since", "until")}
    named = options(pipeline=given.get("pipeline_id"), step=given.get("step_id"), regex=bool(filters.get("regex")))
    return ["logs", given.get("run_id", "--all"), *options(**known), *named]
