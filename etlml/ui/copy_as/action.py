"""An action as data: the words of its commands, and its requests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import yaml

EACH = "{each}"
"""In a path: each of a request's ``each``."""
YAML_TYPE = "application/yaml"


class FromEnvironment(str):
    """The name of an environment variable whose value stands here, e.g. that of a secret, which is never shown."""

    __slots__ = ()


@dataclass(frozen=True)
class Request:
    """One request to REST.

    Attributes:
        method: GET, POST and so on.
        path: Below ``/api``, ready for a URL.
        body: What is sent as JSON; None for nothing.
        query: What stands behind the question mark.
        accept: The kind of answer that is wanted, where there is a choice.
        sends: A file whose content is the body, as YAML.
        uploads: A file that is sent as a form's field ``file``.
        saves: A file that the answer is written to.
        each: With ``EACH`` in the path, the request is sent for each of these.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = ""
    sends: str = ""
    uploads: str = ""
    saves: str = ""
    each: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """The commands and the requests that do the same; each command is its words, without ``etlml``."""

    commands: tuple[tuple[str, ...], ...]
    requests: tuple[Request, ...]

    def then(self, other: "Action") -> "Action":
        """This one, and after it another one."""
        return Action(self.commands + other.commands, self.requests + other.requests)


def action(words: Sequence[str], *requests: Request) -> Action:
    """An action of one command."""
    return Action((tuple(words),), requests)


def of_each(words: Sequence[str], names: Sequence[str], method: str, *parts: str, body: Any = None) -> Action:
    """An action on several things: their names end the command, and stand in the path at ``EACH``."""
    if len(names) == 1:
        found = Request(method, path(*(names[0] if part == EACH else part for part in parts)), body)
    else:
        found = Request(method, path(*parts), body, each=tuple(quote(name, safe="") for name in names))
    return action([*words, *names], found)


def path(*parts: object) -> str:
    """A path whose parts may hold any letters."""
    return "".join("/" + (EACH if part == EACH else quote(str(part), safe="")) for part in parts)


def query(**values: Any) -> dict[str, str]:
    """What stands behind the question mark; what is empty is left out."""
    return {
        name: "true" if value is True else value.isoformat() if hasattr(value, "isoformat") else str(value)
        for name, value in values.items()
        if value not in (None, "", False)
    }


def pair(name: str, value: Any) -> str:
    """``NAME=VALUE`` as the command line reads it, whose values are YAML; a text that is read as itself stays bare."""
    if not isinstance(value, str):
        return f"{name}={'' if value is None else json.dumps(value, ensure_ascii=False)}"
    try:
        bare = not value or yaml.safe_load(value) == value
    except yaml.YAMLError:
        bare = False
    return f"{name}={value if bare else json.dumps(value, ensure_ascii=False)}"


def options(**values: Any) -> list[str]:
    """``--name value`` for each; lists repeat it, True stands alone, what is None, empty or False is left out."""
    found: list[str] = []
    for name, value in values.items():
        flag = f"--{name.rstrip('_').replace('_', '-')}"
        if value is True:
            found.append(flag)
        elif isinstance(value, list | tuple):
            found += [word for each in value for word in (flag, str(each))]
        elif value not in (None, "", False):
            found += [flag, str(value)]
    return found
