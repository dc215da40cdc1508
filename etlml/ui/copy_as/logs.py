"""Log lines: searched, grouped, saved as a file."""

from collections.abc import Mapping
from typing import Any

from etlml.ui.copy_as.action import Action, Request, action, options, path, query

ON_THE_COMMAND_LINE = ("level", "q", "since")


def search(filters: Mapping[str, Any]) -> Action:
    """The lines that fit; the command line knows level, text and since when, REST every filter of GET /logs."""
    return action(_words(filters), Request("GET", path("logs"), query=query(**filters)))


def groups(filters: Mapping[str, Any]) -> Action:
    """Equal warnings and errors among them."""
    return action([*_words(filters), "--groups"], Request("GET", path("logs", "groups"), query=query(**filters)))


def export(filters: Mapping[str, Any], *, packed: bool = False) -> Action:
    """Every line that fits as a file; on the command line, the newest thousand."""
    file = "etlml.log.gz" if packed else "etlml.log"
    asked = Request("GET", path("logs", "export"), query=query(**filters, gzip=packed), saves=file)
    return action([*_words(filters), "--limit", "1000"], asked)


def _words(filters: Mapping[str, Any]) -> list[str]:
    """``etlml logs``: of one run where the filters name it, else of everything."""
    if run := filters.get("run_id"):
        return ["logs", str(run), *options(level=filters.get("level"), step=filters.get("step_id"))]
    known = {name: value for name, value in query(**filters).items() if name in ON_THE_COMMAND_LINE}
    return ["logs", "--all", *options(**known)]
