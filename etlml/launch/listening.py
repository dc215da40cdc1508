"""Where the servers listen, and whether they may."""

from etlml.errors import ConfigInvalid
from etlml.settings import Settings

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # asked, not listened on


def check_listening(settings: Settings) -> None:
    """Refuse to serve other machines without sign-in.

    Raises:
        ConfigInvalid: ``host`` can be reached from outside and ``auth`` is off.
    """
    if settings.is_loopback or settings.auth_required:
        return
    raise ConfigInvalid(
        f"Other machines can reach {settings.host!r}, so visitors must sign in: leave ETLML_AUTH unset or set it to "
        "required, or listen on this machine only (--host 127.0.0.1).",
        field="auth",
    )


def url(host: str, port: int, path: str = "") -> str:
    """The address at which a browser on this machine reaches a server that listens on ``host``."""
    name = ANY_ADDRESS.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}{path}"
