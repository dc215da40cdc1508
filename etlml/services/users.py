"""People who sign in."""

import secrets

from pwdlib import PasswordHash
from pydantic import ValidationError

from etlml.clock import new_id
from etlml.documents import Role, User
from etlml.errors import ConfigInvalid, NameTaken, NotFound, NotSignedIn, StateConflict
from etlml.invalid import config_invalid
from etlml.services.audit import AuditService
from etlml.services.principals import LOCAL_NAME, Principal
from etlml.store import Page, Store

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1024  # hashing costs time by length
FIRST_ADMIN = "admin"
_hasher = PasswordHash.recommended()
_nobody_hash = ""


class UserService:
    """Create, change, delete and sign in users."""

    def __init__(self, store: Store, audit: AuditService) -> None:
        self._store = store
        self._audit = audit

    def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[User]:
        """Users, newest first."""
        return self._store.users.list(limit=limit, cursor=cursor)

    def get(self, name_or_id: str) -> User:
        """The user of that id or name; NotFound if there is none."""
        return self._store.users.find(name_or_id)

    def create(
        self,
        name: str,
        password: str,
        *,
        role: Role = "editor",
        author: str = LOCAL_NAME,
        document_id: str | None = None,
    ) -> User:
        """Add a user.

        Raises:
            ConfigInvalid: The name, role or password cannot be used.
            NameTaken: There is a user of that name.
        """
        _check_password(password)
        try:
            user = User(id=document_id or new_id(), name=name, role=role, password_hash=_hasher.hash(password))
        except ValidationError as error:
            raise config_invalid(error, User, where="The user") from None
        self._store.users.add(user)
        self._audit.record(author, "created", "user", user.id, name=name, role=role)
        return user

    def update(
        self,
        name_or_id: str,
        *,
        role: Role | None = None,
        disabled: bool | None = None,
        password: str | None = None,
        author: str = LOCAL_NAME,
    ) -> User:
        """Change a user's role or password, or shut them out.

        Raises:
            StateConflict: It is the last admin, who would be one no more.
        """
        user = self.get(name_or_id)
        if (role is not None and role != "admin") or disabled:
            self._keep_an_admin(user)
        changes: dict[str, object] = {}
        if role is not None:
            changes["role"] = role
        if disabled is not None:
            changes["disabled"] = disabled
        noted = dict(changes)
        if password is not None:
            _check_password(password)
            changes["password_hash"] = _hasher.hash(password)
            noted["password_changed"] = True
        if changes:
            self._store.users.update(user.id, changes)
            if disabled or password is not None:
                self._store.sessions.delete_of(user.name)
            self._audit.record(author, "changed", "user", user.id, name=user.name, **noted)
        return self.get(user.id)

    def delete(self, name_or_id: str, *, author: str = LOCAL_NAME) -> None:
        """Delete a user; their tokens stop working at once.

        Raises:
            StateConflict: It is the last admin.
        """
        user = self.get(name_or_id)
        self._keep_an_admin(user)
        self._store.users.delete(user.id)
        self._store.sessions.delete_of(user.name)
        self._audit.record(author, "deleted", "user", user.id, name=user.name)

    def sign_in(self, name: str, password: str) -> Principal:
        """Who that name and password belong to.

        Raises:
            NotSignedIn: No such user, a wrong password, or the user is shut out; the message does not say which.
        """
        user = self._by_name(name)
        # A hash is checked even for a name that is not there, so that the time taken does not tell.
        matches = _verified(password, user.password_hash if user else _hash_of_nobody())
        if user is None or not matches or user.disabled:
            self._audit.record(name[:100], "failed to sign in", "user", name[:100])
            raise NotSignedIn("The name or the password is wrong.")
        self._audit.record(user.name, "signed in", "user", user.id)
        return Principal(user.name, user.role)

    def principal(self, name: str) -> Principal:
        """The user of that name with the role that they have now; NotSignedIn if they are gone or shut out."""
        user = self._by_name(name)
        if user is None or user.disabled:
            raise NotSignedIn("The user of this token is gone or shut out. Sign in again.")
        return Principal(user.name, user.role)

    def ensure_admin(self) -> str | None:
        """Where there is no user yet, create ``admin``; its new password, to be shown once, or None.

        Safe to call from several processes at once: only one creates the user.
        """
        if self._store.users.list(limit=1).items:
            return None
        password = secrets.token_urlsafe(12)
        try:
            self.create(FIRST_ADMIN, password, role="admin", author="system")
        except NameTaken:
            return None
        return password

    def _by_name(self, name: str) -> User | None:
        try:
            user = self._store.users.find(name)
        except NotFound:
            return None
        return user if user.name == name else None

    def _keep_an_admin(self, user: User) -> None:
        if user.role != "admin" or user.disabled:
            return
        cursor: str | None = None
        while True:
            page = self._store.users.list(limit=200, cursor=cursor)
            if any(other.role == "admin" and not other.disabled and other.id != user.id for other in page.items):
                return
            cursor = page.next_cursor
            if cursor is None:
                raise StateConflict(f"{user.name!r} is the last admin. Make somebody else admin first.")


def _check_password(password: str) -> None:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise ConfigInvalid(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters. Choose another one.",
            field="password",
        )


def _verified(password: str, password_hash: str) -> bool:
    try:
        return len(password) <= LONGEST_PASSWORD and _hasher.verify(password, password_hash)
    except (ValueError, UnicodeEncodeError):
        return False


def _hash_of_nobody() -> str:
    global _nobody_hash
    if not _nobody_hash:
        _nobody_hash = _hasher.hash(secrets.token_urlsafe(16))
    return _nobody_hash
