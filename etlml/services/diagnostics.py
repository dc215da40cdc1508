"""The diagnostics bundle: one zip file that says how an installation is, and holds no secret."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import SecretStr

from etlml.clock import utc_now
from etlml.errors import EtlmlError, InvalidInput
from etlml.redaction import MASK, redacted, redacted_document
from etlml.services.audit import AuditService
from etlml.services.doctor import Doctor
from etlml.services.health import HealthService
from etlml.services.preferences import PreferenceService
from etlml.services.principals import LOCAL_NAME
from etlml.services.secrets import SecretService
from etlml.settings import Settings
from etlml.store import Store

LOG_LINES = 5000
_PAGE = 1000


class DiagnosticsService:
    """Writes the bundle. A part that cannot be had says why in its place."""

    def __init__(
        self,
        store: Store,
        audit: AuditService,
        environment: Settings,
        *,
        doctor: Doctor,
        health: HealthService,
        preferences: PreferenceService,
        secrets: SecretService,
    ) -> None:
        self._store, self._audit, self._environment = store, audit, environment
        self._doctor, self._health = doctor, health
        self._preferences, self._secrets = preferences, secrets

    def write(self, target: Path | BinaryIO, *, author: str = LOCAL_NAME) -> int:
        """Write the bundle to a file or a stream; how many files it has.

        Raises:
            InvalidInput: The file cannot be written.
        """
        self._secrets.register_all()
        try:
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, part in self._parts().items():
                    archive.writestr(name, _as_text(part))
                with archive.open("log.jsonl", "w") as log:
                    for line in self._log_lines():
                        log.write(line.encode(errors="replace") + b"\n")
                number = len(archive.namelist())
        except OSError as error:
            raise InvalidInput(f"{target} cannot be written: {error.strerror}. Choose another place.") from None
        self._audit.record(author, "made", "diagnostics", "bundle")
        return number

    def content(self, *, author: str = LOCAL_NAME) -> bytes:
        """The bundle as bytes: a few hundred kilobytes."""
        buffer = io.BytesIO()
        self.write(buffer, author=author)
        return buffer.getvalue()

    def _parts(self) -> dict[str, Callable[[], Any]]:
        return {
            "versions.json": lambda: {"made_at": utc_now(), **self._health.check()["versions"]},
            "health.json": self._health.check,
            "doctor.json": lambda: [check.as_json() for check in self._doctor.run()],
            "settings.json": self._settings,
            "preferences.json": lambda: self._preferences.get().model_dump(mode="json"),
            "secrets.json": lambda: [{"name": one.name, "kept": one.kept} for one in self._secrets.list()],
            "collections.json": self._store.sizes,
            "indexes.json": lambda: [vars(fact) for fact in self._store.indexes()],
            "workers.json": lambda: [
                one.model_dump(mode="json") for one in self._store.workers.list_alive(utc_now(), within_s=3600)
            ],
            "runs.json": lambda: self._store.runs.counts_by_status(),
        }

    def _settings(self) -> dict[str, Any]:
        """The environment's settings, each secret as a mask."""
        return {
            name: MASK if isinstance(value, SecretStr) else value
            for name, value in self._environment.model_dump().items()
        }

    def _log_lines(self) -> Iterator[str]:
        """The last lines, newest first."""
        cursor, left = None, LOG_LINES
        while left > 0:
            try:
                page = self._store.logs.query(limit=min(_PAGE, left), cursor=cursor)
            except EtlmlError as error:
                yield json.dumps({"not to be had": redacted(error.message)})
                return
            for entry in page.items:
                line = redacted_document(entry.model_dump(mode="json", exclude_none=True))
                yield redacted(json.dumps(line, ensure_ascii=False, default=str))
            left -= len(page.items)
            cursor = page.next_cursor
            if cursor is None or not page.items:
                return


def _as_text(part: Callable[[], Any]) -> str:
    try:
        value = part()
    except EtlmlError as error:
        value = {"not to be had": error.message}
    return redacted(json.dumps(redacted_document(value), indent=1, ensure_ascii=False, default=str))
