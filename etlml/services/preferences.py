"""Settings that people change while everything runs; kept in the store, the same for all processes."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator

from etlml.cron import zone
from etlml.documents import Document
from etlml.engine.fire_policy import FirePolicy
from etlml.engine.limits import WorkerLimits
from etlml.engine.preferences import KEY, preferences
from etlml.engine.retention import RetentionPolicy
from etlml.invalid import valid
from etlml.services.audit import AuditService
from etlml.services.etags import check_etag
from etlml.services.plain import checked_plain
from etlml.services.principals import LOCAL_NAME
from etlml.store import Store

COLOUR = r"^(#[0-9a-fA-F]{6})?$"
Mode = Literal["system", "light", "dark"]


class Preferences(RetentionPolicy, FirePolicy, WorkerLimits):
    """What can be set on the settings page and over REST."""

    model_config = ConfigDict(extra="forbid")

    timezone: str = Field("UTC", description="Time zone offered for new schedules.")
    environment_name: str = Field("", max_length=40, description="Shown in the frame of every page, e.g. Production.")
    environment_color: str = Field("", pattern=COLOUR, description="Colour of that name, like #d62728.")
    appearance: Mode = Field("system", description="Colours of the pages for those who chose none of their own.")
    accent: str = Field(
        "", pattern=COLOUR, description="Accent colour for those who chose none of their own, like #0f766e."
    )
    public_url: str = Field(
        "",
        max_length=300,
        pattern=r"^(https?://[^\s?#@]+)?$",
        description="Address of the studio as people reach it, for links in messages, like https://etl.example.org.",
    )
    log_retention_days: int = Field(30, ge=1, le=3650, description="Log lines older than this are deleted.")
    cors_origins: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Web origins that may call the REST API from a browser, like https://example.org.",
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return str(zone(name))

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            if not re.fullmatch(r"https?://[^/\s*?#@]+", origin):
                raise ValueError(
                    f"{origin!r} is no web origin; write it like https://example.org, without a path and without *."
                )
        return sorted(set(origins))


class Appearance(Document):
    """How the pages look to one person; None is what the preferences say."""

    mode: Mode | None = Field(None, description="system follows the browser.")
    accent: str | None = Field(None, pattern=COLOUR, description="Like #0f766e; an empty text is the default colour.")


class PreferencesChange(Document):
    """Some of the preferences; what is left out stays as it is."""

    timezone: str | None = None
    environment_name: str | None = None
    environment_color: str | None = None
    appearance: str | None = None
    accent: str | None = None
    public_url: str | None = None
    log_retention_days: int | None = None
    cors_origins: list[str] | None = None
    run_retention_days: float | None = None
    runs_per_pipeline: int | None = None
    validation_retention_days: float | None = None
    audit_retention_days: float | None = None
    log_max_lines: int | None = None
    cache_max_bytes: int | None = None
    schedule_missed: str | None = None
    schedule_missed_limit: int | None = None
    schedule_overlap: str | None = None
    worker_slots: int | None = None
    run_memory: int | str | None = None


class PreferenceService:
    """Read and change the preferences."""

    def __init__(self, store: Store, audit: AuditService) -> None:
        self._store = store
        self._audit = audit

    def get(self) -> Preferences:
        """The preferences; what nobody set has its default."""
        return preferences(self._store, Preferences)

    def update(
        self, changes: Mapping[str, Any], *, expected_etag: str | None = None, author: str = LOCAL_NAME
    ) -> Preferences:
        """Change some preferences, leave the others alone.

        Raises:
            ConfigInvalid: A name is not known (did you mean), or a value cannot be used.
            VersionConflict: They are no longer as ``expected_etag`` says.
        """
        current = self.get()
        check_etag(current, expected_etag)
        given = checked_plain(dict(changes), where="the settings")
        changed = valid(Preferences, current.model_dump() | given, where="The settings")
        if changed == current:
            return current
        self._store.settings.set(KEY, changed.model_dump(mode="json"))
        if changed.log_retention_days != current.log_retention_days:
            self._store.logs.keep_days(changed.log_retention_days)
        self._audit.record(author, "changed", "settings", KEY, **dict(changes))
        return changed

    def appearance(self, person: str) -> Appearance:
        """What a person chose; nothing where they did not."""
        try:
            return Appearance.model_validate(self._store.settings.get(_appearance_key(person), {}) or {})
        except ValidationError:
            return Appearance()

    def look(self, person: str) -> tuple[Mode, str]:
        """How the pages look to a person: light or dark, and the accent (empty: the default)."""
        stored = self._store.settings.some([KEY, _appearance_key(person)])
        general, own = stored.get(KEY) or {}, stored.get(_appearance_key(person)) or {}
        mode: Mode = own.get("mode") or general.get("appearance") or "system"
        accent = own.get("accent") if own.get("accent") is not None else general.get("accent")
        return mode, str(accent or "")

    def set_appearance(self, person: str, changes: Mapping[str, Any]) -> Appearance:
        """Change what a person chose; what is left out stays.

        Raises:
            ConfigInvalid: A name is not known, or a value cannot be used.
        """
        given = self.appearance(person).model_dump() | checked_plain(dict(changes), where="the appearance")
        changed = valid(Appearance, given, where="The appearance")
        self._store.settings.set(_appearance_key(person), changed.model_dump(mode="json"))
        return changed


def _appearance_key(person: str) -> str:
    return f"appearance:{person}"
