"""The model registry: versions, aliases, predictions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from re import fullmatch
from typing import Any

from etlml.documents import Model, ModelStatus
from etlml.errors import DataUnreadable, InvalidInput
from etlml.services.audit import AuditService
from etlml.services.principals import LOCAL_NAME
from etlml.services.rows import json_value
from etlml.settings import Settings
from etlml.store import Page, Store
from etlml.store.models import RegistryEntry

LATEST = "latest"
MOST_PREDICTED_ROWS = 100_000


class ModelService:
    """Read, deploy and call registered models."""

    def __init__(self, store: Store, audit: AuditService, environment: Settings) -> None:
        self._store = store
        self._audit = audit
        self._environment = environment

    def list(
        self,
        *,
        q: str | None = None,
        status: ModelStatus | None = None,
        name: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Model]:
        """Versions of all models, newest first."""
        return self._store.models.list(q=q, status=status, name=name, limit=limit, cursor=cursor)

    def registry(self, *, q: str | None = None, after: str | None = None, limit: int = 50) -> Page[RegistryEntry]:
        """The models by name with their newest versions; the cursor is the name of the last one shown."""
        found = self._store.models.registry(q=q, after=after, limit=limit + 1)
        return Page(list(found[:limit]), found[limit - 1].newest.name if len(found) > limit else None)

    def names(self) -> Sequence[str]:
        """The names of all models."""
        return self._store.models.names()

    def get(self, name: str) -> Model:
        """The newest version of a model; NotFound (did you mean) if there is no such model."""
        return self.get_version(name, LATEST)

    def versions(self, name: str) -> Sequence[Model]:
        """All versions of a model, newest first; NotFound (did you mean) if there is no such model."""
        return self._store.models.versions(name)

    def get_version(self, name: str, version: str = LATEST) -> Model:
        """One version: ``v1.0``, an alias, or ``latest``; NotFound (did you mean) if there is none such."""
        return self._store.models.find(name, version)

    def update(
        self,
        name: str,
        version: str,
        *,
        status: ModelStatus | None = None,
        aliases: Sequence[str] | None = None,
        description: str | None = None,
        author: str = LOCAL_NAME,
    ) -> Model:
        """Change a version's status, aliases or description; an alias that another version has moves over."""
        model = self.get_version(name, version)
        changes: dict[str, Any] = {}
        if aliases is not None:
            changes["aliases"] = _checked_aliases(aliases)
            self._store.models.set_aliases(name, model.version, changes["aliases"])
        if status is not None:
            changes["status"] = status
            self._store.models.set_status(name, model.version, status)
        if description is not None:
            changes["description"] = description
            self._store.models.change_version(name, model.version, {"description": description})
        if changes:
            self._audit.record(author, "changed", "model", f"{name} {model.version}", **changes)
        return self.get_version(name, model.version)

    def predict(
        self, name: str, rows: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]], *, version: str = LATEST
    ) -> dict[str, Any]:
        """What a model says of some rows.

        Args:
            name: The model's name.
            rows: ``[{"column": value}]``, or by column ``{"column": [values]}``.
            version: A version, an alias, or ``latest``.

        Returns:
            ``{"model", "version", "predictions": [...], "probabilities": [{class: share}] | None, "warnings": [...]}``

        Raises:
            InvalidInput: A feature is missing or a value is of the wrong kind.
            DataUnreadable: The model's file is gone or damaged.
        """
        model = self.get_version(name, version)
        from etlml.ml.prediction import load  # scikit-learn takes a second to import

        predictor = load(self.file(model), sha256=model.file_sha256 or None)
        found = predictor.predict(_by_row(rows))
        return {
            "model": model.name,
            "version": model.version,
            "predictions": json_value(found.predictions),
            "probabilities": found.probabilities,
            "warnings": found.warnings,
        }

    def file(self, model: Model) -> Path:
        """Where a version's file lies; DataUnreadable if it is gone."""
        path = (self._environment.home / model.file_path).resolve()
        if not path.is_file():
            path = (self._environment.models_dir / model.file_path).resolve()
        if not path.is_relative_to(self._environment.home) or not path.is_file():
            raise DataUnreadable(
                f"The file of model {model.name!r} {model.version} is gone. Train it again, or restore ETLML_HOME/models."
            )
        return path


def _by_row(rows: Any) -> list[dict[str, Any]]:
    if isinstance(rows, Mapping):
        lengths = {len(values) for values in rows.values()}
        if len(lengths) > 1:
            counts = ", ".join(f"{column}: {len(values)}" for column, values in list(rows.items())[:8])
            raise InvalidInput(f"The columns are of different lengths ({counts}). Give each as many values.")
        rows = [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
    if not rows:
        raise InvalidInput("There are no rows to predict. Give at least one.")
    if len(rows) > MOST_PREDICTED_ROWS:
        raise InvalidInput(
            f"{len(rows):,} rows are too many for one call; at most {MOST_PREDICTED_ROWS:,}. Split them, or use a pipeline."
        )
    return [dict(row) for row in rows]


def _checked_aliases(aliases: Sequence[str]) -> list[str]:
    for alias in aliases:
        if alias == LATEST or not fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", alias) or fullmatch(r"v\d+\.\d+", alias):
            raise InvalidInput(
                f"{alias!r} cannot be an alias. Use letters, digits, - and _, starting with a letter; not 'latest'.",
                field="aliases",
            )
    return sorted(set(aliases))
