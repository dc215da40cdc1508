"""Connections: named access to outside systems; a secret is only ever a reference such as ``${secret.NAME}``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from etlml.clock import utc_now
from etlml.documents import Connection, Pipeline
from etlml.errors import ConfigInvalid, StateConflict
from etlml.invalid import valid
from etlml.services.audit import AuditService
from etlml.services.etags import check_etag
from etlml.services.plain import checked_plain
from etlml.services.principals import LOCAL_NAME
from etlml.services.probes import PROBES, tried
from etlml.settings import SECRET_REFERENCE, Settings, with_secrets
from etlml.store import Page, Store

_SECRET_FIELD = re.compile(r"(?i)passw|secret|token|api_?key|private_?key|credential")
_URI_PASSWORD = re.compile(r"://[^\s:/@]*:(?!\$\{)[^\s@/]+@")


class ConnectionService:
    """Create, change, read, test and delete connections."""

    def __init__(self, store: Store, audit: AuditService, environment: Settings) -> None:
        self._store = store
        self._audit = audit
        self._environment = environment

    def list(
        self, *, q: str | None = None, kind: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Connection]:
        """Connections, newest first."""
        return self._store.connections.list(q=q, kind=kind, limit=limit, cursor=cursor)

    def get(self, name_or_id: str) -> Connection:
        """The connection of that name or id; NotFound (did you mean) if there is none."""
        return self._store.connections.find(name_or_id)

    def create(
        self, document: Mapping[str, Any], *, author: str = LOCAL_NAME, document_id: str | None = None
    ) -> Connection:
        """Save a new connection: ``{name, kind, config{}, secrets{field: "${secret.NAME}"}, description}``.

        Raises:
            ConfigInvalid: A field is wrong, or a secret is given in plain text.
            NameTaken: There is a connection of that name.
        """
        connection = _checked(document)
        connection.id = document_id or connection.id
        self._store.connections.add(connection)
        self._audit.record(author, "created", "connection", connection.id, name=connection.name)
        return connection

    def update(
        self,
        name_or_id: str,
        document: Mapping[str, Any],
        *,
        expected_etag: str | None = None,
        author: str = LOCAL_NAME,
    ) -> Connection:
        """Replace a connection's document."""
        stored = self.get(name_or_id)
        check_etag(stored, expected_etag)
        changed = _checked(document)
        changed.id, changed.created_at, changed.updated_at = stored.id, stored.created_at, utc_now()
        self._store.connections.replace(changed)
        self._audit.record(author, "changed", "connection", changed.id, name=changed.name)
        return changed

    def delete(self, name_or_id: str, *, author: str = LOCAL_NAME) -> None:
        """Delete a connection that no pipeline uses.

        Raises:
            StateConflict: Pipelines use it.
        """
        connection = self.get(name_or_id)
        if users := self.used_by(connection.name):
            raise StateConflict(
                f"Connection {connection.name!r} is used by {', '.join(users[:5])}. Change these first.",
                pipelines=list(users),
            )
        self._store.connections.delete(connection.id)
        self._audit.record(author, "deleted", "connection", connection.id, name=connection.name)

    def uses(self) -> dict[str, Sequence[tuple[str, str]]]:
        """For each connection that steps name, the pipelines with such steps: (id, name), by name."""
        found = {
            (name, pipeline.name, pipeline.id)
            for pipeline in self._pipelines()
            for step in pipeline.steps
            for name in _connections_in(step.config)
        }
        return {
            name: [(pipeline_id, title) for _, title, pipeline_id in group]
            for name, group in groupby(sorted(found), key=itemgetter(0))
        }

    def used_by(self, name: str) -> Sequence[str]:
        """The names of the pipelines whose steps name this connection."""
        return [pipeline for _, pipeline in self.uses().get(name, ())]

    def _pipelines(self) -> Iterator[Pipeline]:
        cursor = None
        while True:
            page = self._store.pipelines.list(limit=200, cursor=cursor)
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return

    def test(self, name_or_id: str) -> dict[str, Any]:
        """Try to reach what is behind a connection: ``{"ok", "message", "duration_ms"}``."""
        connection = self.get(name_or_id)
        probe = PROBES[connection.kind]
        return tried(lambda: probe(self._with_secrets(connection), self._environment.data_dir))

    @staticmethod
    def _with_secrets(connection: Connection) -> dict[str, Any]:
        values = dict(connection.config)
        for field, reference in connection.secrets.items():
            values[field] = with_secrets(reference)
        return values


def _checked(document: Mapping[str, Any]) -> Connection:
    allowed = ("name", "kind", "config", "secrets", "description")
    given = checked_plain(
        {key: value for key, value in document.items() if key not in ("id", "created_at", "updated_at")}
    )
    for key in given:
        if key not in allowed:
            raise ConfigInvalid(f"A connection has no field {key!r}. It has: {', '.join(allowed)}.", field=key)
    connection = valid(Connection, given, where="The connection")
    if connection.kind not in PROBES:
        raise ConfigInvalid(
            f"There is no connection kind {connection.kind!r}. Known: {', '.join(sorted(PROBES))}.", field="kind"
        )
    _refuse_plain_secrets(connection)
    return connection


def without_plain_secrets(connection: Connection) -> tuple[Connection, list[str]]:
    """The connection with references to secrets only, and the fields that it lost."""
    secrets = {field: value for field, value in connection.secrets.items() if SECRET_REFERENCE.fullmatch(value)}
    config = {field: value for field, value in connection.config.items() if not _is_plain_secret(field, value)}
    dropped = [f"secrets.{field}" for field in connection.secrets if field not in secrets]
    dropped += [f"config.{field}" for field in connection.config if field not in config]
    return connection.model_copy(update={"secrets": secrets, "config": config}), dropped


def _refuse_plain_secrets(connection: Connection) -> None:
    if dropped := without_plain_secrets(connection)[1]:
        raise _plain_secret(dropped[0])


def _is_plain_secret(field: str, value: Any) -> bool:
    """Whether a value of a config gives a secret away, at any depth."""
    if isinstance(value, Mapping):
        return any(_is_plain_secret(str(key), item) for key, item in value.items())
    if isinstance(value, list):
        return any(_is_plain_secret(field, item) for item in value)
    return (
        isinstance(value, str)
        and bool(value)
        and not SECRET_REFERENCE.search(value)
        and bool(_SECRET_FIELD.search(field) or _URI_PASSWORD.search(value))
    )


def _plain_secret(field: str) -> ConfigInvalid:
    name = re.sub(r"\W", "_", field.split(".")[-1]).upper()
    return ConfigInvalid(
        f"Field {field!r} holds a secret in plain text. Put it into the environment as ETLML_SECRET_{name} "
        f"and write ${{secret.{name}}} here.",
        field=field,
    )


def _connections_in(config: Any) -> Iterator[str]:
    """The names of connections in a configuration, at any depth."""
    if isinstance(config, Mapping):
        if isinstance(name := config.get("connection"), str):
            yield name
        for value in config.values():
            yield from _connections_in(value)
    elif isinstance(config, list):
        for item in config:
            yield from _connections_in(item)
