"""Sends one message to one service. What it needs to know of services is apprise's; nothing here says the URL again."""

import io
import logging
import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from etlml.errors import ConfigInvalid, Unavailable
from etlml.redaction import MASK, redacted, register_secrets
from etlml.settings import with_secrets

if TYPE_CHECKING:
    from apprise import Apprise

SHORTEST_TOKEN = 8
LONGEST_REASON = 300
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*(?=://)", re.I)
_REFUSED = frozenset({"dbus", "file", "gnome", "glib", "kde", "macosx", "qt", "syslog", "windows"})
"""Services of the machine itself, which nobody looks at on a server."""
_lock = threading.Lock()  # apprise's logger is one for all


def service_of(url: str) -> str:
    """The kind of service that a URL names, e.g. ``slack``; empty if it names none."""
    found = _SCHEME.match(url.strip())
    return found[0].lower() if found else ""


def checked_target(url: str) -> str:
    """The name of the service that a URL sends to, e.g. ``Slack``.

    Raises:
        ConfigInvalid: It is no URL of a known service.
    """
    name = str(getattr(_target(url)[0], "service_name", "") or service_of(url))
    return name.replace("E-Mail", "E-mail")


def address(target: str) -> str:
    """The URL behind a channel's target: a secret, which may name other secrets; NotFound if one is not there."""
    return with_secrets(with_secrets(target))


def send(url: str, title: str, text: str) -> None:
    """Send a message; it returns when the service has taken it.

    Raises:
        ConfigInvalid: It is no URL of a known service.
        Unavailable: The service did not take it; the message says why, and never names the URL.
    """
    register_secrets([url, *_tokens(url)])
    target = _target(url)
    log = logging.getLogger("apprise")
    with _lock:
        heard = io.StringIO()
        handler = logging.StreamHandler(heard)
        propagate, level, log.propagate = log.propagate, log.level, False  # its lines may hold parts of the URL
        log.setLevel(logging.WARNING)
        log.addHandler(handler)
        try:
            sent = target.notify(title=title, body=text)
        finally:
            log.removeHandler(handler)
            log.propagate = propagate
            log.setLevel(level)
    if not sent:
        reason = _without_url(heard.getvalue().strip().splitlines(), url)
        raise Unavailable(f"The service did not take the message{reason}. Check the channel's URL and the network.")


def _target(url: str) -> "Apprise":
    import apprise  # takes a second to load, which most processes never need

    logging.getLogger("apprise").setLevel(logging.WARNING)  # its debug lines hold whole URLs
    service = service_of(url)
    if not service:
        raise ConfigInvalid(
            "The channel's URL has no service in front. Write it like json://host/path, slack://... or mailtos://...",
            field="url",
        )
    if service in _REFUSED:
        raise ConfigInvalid(f"Messages cannot be sent to {service}:// from here. Choose another service.", field="url")
    asset = apprise.AppriseAsset(app_id="etlml", app_desc="etlml", async_mode=False)
    target = apprise.Apprise(asset=asset)
    if not target.add(url):
        raise ConfigInvalid(
            f"The URL of the service {service!r} is incomplete or not known. Check it against its preset.", field="url"
        )
    return target


def _tokens(url: str) -> list[str]:
    """The parts of a URL that look like secrets: its password, and long parts with digits, which are no words."""
    parts = urlsplit(url)
    pieces = re.split(r"[/?&=]", f"{parts.path}?{parts.query}")
    found = [each for each in pieces if len(each) >= SHORTEST_TOKEN and re.search(r"\d", each)]
    return [*found, *([parts.password] if parts.password else [])]


def _without_url(lines: list[str], url: str) -> str:
    """The reason that the service's last complaint gives, without any part of the URL."""
    if not lines:
        return ""
    reason = redacted(lines[-1])
    parts = urlsplit(url)
    pieces = {parts.username, parts.password, *re.split(r"[/?&=@:]", f"{parts.netloc}/{parts.path}?{parts.query}")}
    for piece in sorted((unquote(each) for each in pieces if each), key=len, reverse=True):
        if len(piece) > 2:
            reason = reason.replace(piece, MASK)
    return f": {reason[:LONGEST_REASON].rstrip('.')}"
