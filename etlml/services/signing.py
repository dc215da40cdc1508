"""Signed tokens of people who signed in, and the key that signs them."""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt

from etlml.clock import new_id, utc_now
from etlml.errors import NotSignedIn, Unavailable
from etlml.services.principals import Principal
from etlml.settings import Settings

if TYPE_CHECKING:
    from etlml.services.users import UserService

KEY_FILE = "secret.key"
LIFETIME = timedelta(hours=12)
_ALGORITHM = "HS256"
_ISSUER = "etlml"


def signing_key(environment: Settings, *, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose (``token``, ``session``), the same in all processes of this ETLML_HOME.

    It comes from ETLML_SECRET_KEY or, where that is not set, from a file in ETLML_HOME, made once and readable by
    its owner only.
    """
    given = environment.secret_key.get_secret_value().encode() if environment.secret_key else _kept_key(environment)
    return hashlib.blake2b(given, digest_size=32, person=purpose.encode()[:16]).digest()


def _kept_key(environment: Settings) -> bytes:
    path = environment.home / KEY_FILE
    try:
        if not path.exists():
            environment.home.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{KEY_FILE}.{secrets.token_hex(6)}")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(32).encode())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)  # fails if another process was faster: its key is then everybody's
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"The key file {KEY_FILE} in ETLML_HOME cannot be used: {error.strerror}. Set ETLML_SECRET_KEY."
        ) from None


class Tokens:
    """Issues and checks tokens; a user's role is looked up at each check, so that changes count at once."""

    def __init__(self, users: UserService, environment: Settings) -> None:
        self._users = users
        self._key = signing_key(environment, purpose="token")

    def issue(self, principal: Principal) -> dict[str, Any]:
        """``{"access_token", "token_type": "bearer", "expires_in": seconds}``"""
        now = utc_now()
        claims = {"iss": _ISSUER, "sub": principal.name, "iat": now, "exp": now + LIFETIME, "jti": new_id()}
        token = jwt.encode(claims, self._key, algorithm=_ALGORITHM)
        return {"access_token": token, "token_type": "bearer", "expires_in": int(LIFETIME.total_seconds())}

    def principal(self, token: str) -> Principal:
        """Whom a token stands for; NotSignedIn if it is forged, expired, or its user is gone."""
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], issuer=_ISSUER, options={"require": ["exp", "sub", "iss"]}
            )
        except jwt.ExpiredSignatureError:
            raise NotSignedIn("The token has expired. Sign in again.") from None
        except (jwt.InvalidTokenError, UnicodeError, ValueError):
            raise NotSignedIn("The token cannot be used. Sign in again.") from None
        return self._users.principal(str(claims["sub"]))
