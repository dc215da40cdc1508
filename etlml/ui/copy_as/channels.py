"""Where messages go; a channel's URL is a secret, which is asked for or comes from the environment."""

from collections.abc import Sequence
from typing import Any

from etlml.ui.copy_as.action import Action, FromEnvironment, Request, action, options, path


def save(
    name: str,
    events: Sequence[str],
    pipelines: Sequence[str] = (),
    tags: Sequence[str] = (),
    *,
    url: bool = True,
    stored: str | None = None,
) -> Action:
    """Add a channel, or change the one that is ``stored`` under a name; ``url`` says whether its URL is given anew."""
    words = ["notify", stored or name, *(["--url", "-"] if url else [])]
    for flag, values in (("--events", events), ("--pipelines", pipelines), ("--tags", tags)):
        words += [flag, ",".join(values)] if values or stored else []
    words += options(rename=name if stored not in (None, name) else None)
    body: dict[str, Any] = {"name": name, "events": list(events), "pipelines": list(pipelines), "tags": list(tags)}
    body |= {"url": FromEnvironment("CHANNEL_URL")} if url else {}
    place = path("notifications", stored) if stored else path("notifications")
    return action(words, Request("PUT" if stored else "POST", place, body))


def test(name: str) -> Action:
    """Send a message now."""
    return action(["notify", name], Request("POST", path("notifications", name, "test")))


def switch(name: str, *, on: bool) -> Action:
    """Switch a channel on or off."""
    word = "--enable" if on else "--disable"
    return action(["notify", name, word], Request("PUT", path("notifications", name), {"enabled": on}))


def delete(name: str) -> Action:
    """Delete a channel with its URL."""
    return action(["notify", name, *options(delete=True)], Request("DELETE", path("notifications", name)))
