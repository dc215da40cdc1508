"""What people have set up and done in a seeded database: users, keys, connections, channels, the audit log."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from etlml.documents import ApiKey, AuditEntry, Channel, Connection, Notice, User
from etlml.store import Store

_PEOPLE = (("ada", "admin", 61), ("grace", "operator", 54), ("linus", "editor", 40), ("margaret", "viewer", 12))
_CONNECTIONS = (
    ("airport-api", "http", {"url": "https://api.example.org/v2"}, "Arrivals and departures, by the minute"),
    ("archive", "folder", {"path": "archive"}, "Monthly files of the years before"),
    ("warehouse", "duckdb", {"path": "out/warehouse.duckdb"}, "What the reports read"),
)
_DEEDS: tuple[tuple[str, str, str, dict[str, Any], float], ...] = (
    ("ada", "started", "run", {"pipeline": "flights"}, 0.1),
    ("grace", "paused", "schedule", {"pipeline": "fleet-report"}, 25),
    ("grace", "changed", "pipeline", {"name": "penguins"}, 42),
    ("ada", "changed", "model", {"name": "late-flight v1.2"}, 180),
    ("ada", "registered", "model", {"name": "late-flight v1.2"}, 185),
    ("linus", "cancelled", "run", {"pipeline": "weather"}, 300),
    ("grace", "started", "backfill", {"pipeline": "daily-summary"}, 420),
    ("grace", "created", "connection", {"name": "warehouse"}, 1500),
    ("linus", "deleted", "validation", {"name": "check"}, 2100),
    ("ada", "changed", "settings", {"name": "retention"}, 2900),
    ("ada", "created", "user", {"name": "margaret"}, 17_000),
    ("ada", "created", "api_key", {"name": "nightly export"}, 18_000),
    ("examples", "created", "pipeline", {"name": "daily-summary"}, 30_000),
)


def seed_people(store: Store, now: datetime) -> None:
    """Fill in what people did."""
    for name, role, days in _PEOPLE:
        store.users.add(User(name=name, role=role, created_at=now - timedelta(days=days)))
    for name, role, used in (("nightly export", "viewer", 7), ("deploy", "operator", 90)):
        digest = hashlib.sha256(name.encode()).hexdigest()
        key = ApiKey(name=name, role=role, key_hash=digest, prefix=f"etl_{digest[:4]}", created_by="ada")
        key.created_at, key.last_used_at = now - timedelta(days=12), now - timedelta(hours=used)
        store.api_keys.add(key)
    for name, kind, config, text in _CONNECTIONS:
        secrets = {"token": "${secret.AIRPORT_API_TOKEN}"} if kind == "http" else {}
        store.connections.add(Connection(name=name, kind=kind, config=config, secrets=secrets, description=text))
    _channels(store, now)
    for actor, action, kind, details, minutes in _DEEDS:
        entry = AuditEntry(
            actor=actor, action=action, kind=kind, key=str(next(iter(details.values()))), details=details
        )
        entry.ts = now - timedelta(minutes=minutes)
        store.audit.add(entry)


def _channels(store: Store, now: datetime) -> None:
    team = Channel(
        name="data-team", target="${secret.TEAM_HOOK}", service="Slack", last_sent_at=now - timedelta(hours=5)
    )
    mail = Channel(
        name="on-call",
        target="${secret.ON_CALL}",
        service="E-mail",
        events=["run_failed", "schedule_missed", "validation_failed"],
        enabled=False,
    )
    for channel in (team, mail):
        store.channels.add(channel)
    for number, title in enumerate(("flights failed", "flights runs again", "flights failed"), 1):
        sent = now - timedelta(hours=5 * number)
        notice = Notice(id=f"{team.id}-{number}", channel_id=team.id, event="run_failed", title=title, status="sent")
        notice.pipeline_name, notice.created_at, notice.sent_at = "flights", sent, sent
        store.notices.add(notice)
