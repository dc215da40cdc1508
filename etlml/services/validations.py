"""Validations: those of runs, and checks of any data at any time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from etlml.compute.scratch import scratch
from etlml.documents import Validation, ValidationStatus
from etlml.services.audit import AuditService
from etlml.services.principals import LOCAL_NAME
from etlml.services.tables import read_table, table_source
from etlml.settings import Settings
from etlml.store import Page, Store


class ValidationService:
    """Read validations, and run new ones."""

    def __init__(self, store: Store, audit: AuditService, environment: Settings) -> None:
        self._store = store
        self._audit = audit
        self._environment = environment

    def list(
        self,
        *,
        status: ValidationStatus | None = None,
        pipeline_id: str | None = None,
        run_id: str | None = None,
        q: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
        with_samples: bool = True,
    ) -> Page[Validation]:
        """Validations, newest first; profiles and sample rows can be left out."""
        return self._store.validations.list(
            status=status,
            pipeline_id=pipeline_id,
            run_id=run_id,
            q=q,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
            with_samples=with_samples,
        )

    def stats(self, since: datetime, *, timezone: str = "UTC") -> dict[str, Any]:
        """Counts by status, the mean score, and both by day."""
        return self._store.validations.stats(since, timezone=timezone)

    def get(self, validation_id: str) -> Validation:
        """The validation of that id; NotFound if there is none."""
        return self._store.validations.get(validation_id)

    def run(
        self,
        data: str | Path | Mapping[str, Sequence[Any]],
        rules: Sequence[Mapping[str, Any]],
        *,
        name: str | None = None,
        save: bool = True,
        author: str = LOCAL_NAME,
        document_id: str | None = None,
    ) -> Validation:
        """Check data against rules now; broken rules are its outcome, not an error.

        Args:
            data: A file's path (relative paths start at ETLML_HOME/data), or columns ``{"column": [values]}``.
            rules: As in a pipeline: ``[{"rule": "not_null", "column": "flight"}]``.
            name: What the validation is called; by default the file's name.
            save: Whether it is kept among the validations.
            author: Who asks.

        Raises:
            ConfigInvalid, ColumnMissing: A rule cannot be used on these data.
            DataUnreadable: The file cannot be read.
        """
        from etlml.validation.adhoc import validate_data

        source = self._path(data) if isinstance(data, str | Path) else dict(data)
        dataset = source.name if isinstance(source, Path) else "data"
        validation = validate_data(source, [dict(rule) for rule in rules])
        validation.id = document_id or validation.id
        validation.dataset = validation.dataset or dataset
        validation.name = name or validation.name or dataset
        if save:
            self._store.validations.add(validation)
            self._audit.record(
                author, "validated", "data", validation.dataset, validation_id=validation.id, status=validation.status
            )
        return validation

    def run_on_table(
        self,
        connection: str,
        table: str,
        rules: Sequence[Mapping[str, Any]],
        *,
        name: str | None = None,
        save: bool = True,
        author: str = LOCAL_NAME,
        document_id: str | None = None,
    ) -> Validation:
        """Check a table of a connection against rules; like ``run``.

        Raises:
            NotFound: There is no such connection.
            ConfigInvalid: It is of a kind that has no tables.
        """
        source = table_source(self._store.connections.find(connection), table)
        with scratch("table") as folder:
            path = read_table(source, folder, self._environment.data_dir)
            return self.run(path, rules, name=name or table, save=save, author=author, document_id=document_id)

    def delete(self, validation_id: str, *, author: str = LOCAL_NAME) -> None:
        """Forget a validation."""
        self.get(validation_id)
        self._store.validations.delete(validation_id)
        self._audit.record(author, "deleted", "validation", validation_id)

    def _path(self, path: str | Path) -> Path:
        return self._environment.data_dir / Path(path).expanduser()
