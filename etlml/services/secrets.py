"""Secrets that are stored here: written, replaced, removed and used by ``${secret.NAME}``, never shown again.

Each is a file in ETLML_HOME that only its owner may read, like the key that signs sessions. A variable ETLML_SECRET_<NAME>
in the environment wins over it.
"""

import os
import secrets as randomness
from dataclasses import dataclass
from typing import Literal

from etlml.errors import ConfigInvalid, NotFound, Unavailable
from etlml.redaction import SHORTEST_SECRET, register_secrets
from etlml.services.audit import AuditService
from etlml.services.principals import LOCAL_NAME
from etlml.settings import SECRET_NAME, Settings, environment_secret_names, stored_secret, stored_secret_names

LONGEST = 64 * 1024


@dataclass(frozen=True)
class SecretInfo:
    """That a secret is there, and where; not what it is."""

    name: str
    kept: Literal["environment", "stored"]


class SecretService:
    """Write, list and remove secrets."""

    def __init__(self, audit: AuditService, environment: Settings) -> None:
        self._audit = audit
        self._environment = environment

    def list(self) -> list[SecretInfo]:
        """All secrets by name, without their values."""
        outside = set(environment_secret_names())
        stored = set(stored_secret_names(self._environment)) - outside
        found = [SecretInfo(name, "environment") for name in outside] + [SecretInfo(name, "stored") for name in stored]
        return sorted(found, key=lambda each: each.name)

    def set(self, name: str, value: str, *, author: str = LOCAL_NAME) -> SecretInfo:
        """Store a secret, in the place of the one of that name if there is one.

        Raises:
            ConfigInvalid: The name or the value cannot be used, or the environment has a secret of that name.
        """
        name = _checked_name(name)
        if name in environment_secret_names():
            raise ConfigInvalid(
                f"ETLML_SECRET_{name} is set in the environment, which wins. Change it there.", field="name"
            )
        if not SHORTEST_SECRET <= len(value) <= LONGEST or "\0" in value:
            raise ConfigInvalid(
                f"A secret has {SHORTEST_SECRET} to {LONGEST:,} characters. Give another value.", field="value"
            )
        register_secrets([value])
        self._write(name, value)
        self._audit.record(author, "set", "secret", name)
        return SecretInfo(name, "stored")

    def delete(self, name: str, *, author: str = LOCAL_NAME) -> None:
        """Remove a stored secret.

        Raises:
            NotFound: None of that name is stored.
        """
        name = _checked_name(name)
        try:
            (self._environment.secrets_dir / name).unlink()
        except FileNotFoundError:
            raise NotFound("stored secret", name, stored_secret_names(self._environment)) from None
        self._audit.record(author, "deleted", "secret", name)

    def forget(self, name: str) -> None:
        """Remove a stored secret whose user is gone, if it is there."""
        if SECRET_NAME.fullmatch(name):
            (self._environment.secrets_dir / name).unlink(missing_ok=True)

    def register_all(self) -> None:
        """Have every secret that is known here redacted from now on."""
        names = stored_secret_names(self._environment)
        register_secrets(value for name in names if (value := stored_secret(self._environment, name)))

    def _write(self, name: str, value: str) -> None:
        folder = self._environment.secrets_dir
        fresh = folder / f".{name}.{randomness.token_hex(6)}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(folder / name)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise Unavailable(f"The secret cannot be written to ETLML_HOME: {error.strerror}.") from None


def _checked_name(name: str) -> str:
    upper = name.strip().upper()
    if not SECRET_NAME.fullmatch(upper):
        raise ConfigInvalid(
            f"{name[:40]!r} is no name of a secret. Use letters, digits and _, like WAREHOUSE_PASSWORD.", field="name"
        )
    return upper
