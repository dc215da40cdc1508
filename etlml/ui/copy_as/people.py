"""People and keys of programs; passwords are asked for, or come from the environment."""

from datetime import datetime

from etlml.ui.copy_as.action import Action, FromEnvironment, Request, action, options, path

PASSWORD = FromEnvironment("NEW_PASSWORD")


def add(name: str, role: str) -> Action:
    """Add a person."""
    body = {"name": name, "role": role, "password": PASSWORD}
    return action(["users", name, "--add", *options(role=role)], Request("POST", path("users"), body))


def change(name: str, role: str | None = None, *, password: bool = False) -> Action:
    """Give a person another role, a new password, or both."""
    body = ({"role": role} if role else {}) | ({"password": PASSWORD} if password else {})
    return action(["users", name, *options(role=role, password=password)], Request("PATCH", path("users", name), body))


def shut_out(name: str, *, disabled: bool) -> Action:
    """Shut a person out, or let them in again."""
    word = "--disable" if disabled else "--enable"
    return action(["users", name, word], Request("PATCH", path("users", name), {"disabled": disabled}))


def delete(name: str) -> Action:
    """Delete a person."""
    return action(["delete", "user", name], Request("DELETE", path("users", name)))


def create_key(name: str, role: str, days: int | None = None, expires_at: datetime | None = None) -> Action:
    """Create a key for a program, which may expire after some days, at that moment."""
    body = {"name": name, "role": role} | ({"expires_at": expires_at.isoformat()} if expires_at else {})
    return action(["keys", name, *options(role=role, days=days)], Request("POST", path("api-keys"), body))


def revoke_key(key_id: str) -> Action:
    """Revoke a key."""
    return action(["delete", "key", key_id], Request("DELETE", path("api-keys", key_id)))
