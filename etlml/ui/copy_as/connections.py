"""Connections and secrets; the value of a secret is never in what can be copied."""

import re
from collections.abc import Mapping
from typing import Any

from etlml.ui.copy_as.action import Action, FromEnvironment, Request, action, options, pair, path

_REFERENCE = "${secret."


def save(
    name: str,
    kind: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    description: str = "",
    *,
    written: Mapping[str, str] | None = None,
    stored: str | None = None,
) -> Action:
    """Add a connection, or change the one that is ``stored`` under a name.

    Args:
        secrets: Fields that are references such as ``${secret.NAME}``.
        written: Fields whose value is written now, by the name of the secret that it becomes.
    """
    fresh = dict(written or {})
    names = {field: text.removeprefix(_REFERENCE).rstrip("}") for field, text in secrets.items()} | fresh
    fields = {field: value for field, value in config.items() if value is not None}
    words = ["connections", stored or name, *options(kind=kind, set=[pair(*item) for item in fields.items()])]
    words += options(secret=[f"{field}={secret}" for field, secret in names.items()])
    words += options(description=description, rename=name if stored not in (None, name) else None)
    body = {
        "name": name,
        "kind": kind,
        "config": fields,
        "secrets": {field: f"{_REFERENCE}{secret}}}" for field, secret in names.items()},
        "description": description,
    }
    asked = Request("PUT", path("connections", stored), body) if stored else Request("POST", path("connections"), body)
    before = [set_secret(secret) for secret in fresh.values()]
    return Action(
        (*(words for each in before for words in each.commands), tuple(words)),
        (*(request for each in before for request in each.requests), asked),
    )


def test(name: str) -> Action:
    """Try to reach what is behind a connection."""
    return action(["connections", name, "--test"], Request("POST", path("connections", name, "test")))


def delete(name: str) -> Action:
    """Delete a connection."""
    return action(["delete", "connection", name], Request("DELETE", path("connections", name)))


def set_secret(name: str) -> Action:
    """Store a secret: the command asks for its value, REST takes it from the environment, e.g. ``SECRET_TOKEN``."""
    variable = FromEnvironment("SECRET_" + re.sub(r"\W", "_", name.upper(), flags=re.ASCII))
    return action(["secret", name], Request("PUT", path("secrets", name), {"value": variable}))


def delete_secret(name: str) -> Action:
    """Delete a secret."""
    return action(["secret", name, "--delete"], Request("DELETE", path("secrets", name)))
