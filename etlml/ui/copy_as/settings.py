"""Settings: those of all, one's own look, what retention frees."""

from collections.abc import Mapping
from typing import Any

from etlml.ui.copy_as.action import Action, Request, action, options, pair, path

_TEXTS = ("name", "color", "accent", "url")  # `etlml settings` takes these as they are written


def change(changes: Mapping[str, Any]) -> Action:
    """Change some settings."""
    given = {name: _whole(value) for name, value in changes.items()}
    words = [f"{name}={value}" if name.endswith(_TEXTS) else pair(name, value) for name, value in given.items()]
    return action(["settings", *words], Request("PUT", path("settings"), given))


def look(mode: str, accent: str, user: str = "local") -> Action:
    """Change how the pages look to a person."""
    person = [] if user == "local" else options(user=user)
    words = ["appearance", *options(mode=mode), "--accent", accent, *person]
    return action(words, Request("PUT", path("settings", "appearance"), {"mode": mode, "accent": accent}))


def free_now() -> Action:
    """Remove what the retention settings no longer keep."""
    return action(["retention", "--apply"], Request("POST", path("settings", "retention")))


def _whole(value: Any) -> Any:
    """A number of a form without its ``.0``."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
