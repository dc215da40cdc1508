"""What may be forgotten, by the preferences: looked at first, removed when asked."""

from dataclasses import dataclass

from etlml.clock import utc_now
from etlml.engine.retention import Freed, Retention, RetentionPolicy, folder_bytes
from etlml.services.audit import AuditService
from etlml.services.preferences import PreferenceService
from etlml.services.principals import LOCAL_NAME
from etlml.settings import Settings
from etlml.store import Store


@dataclass(frozen=True)
class Kept:
    """What is kept of one kind: how many, how large with indexes and files, and how many the policy would remove now.

    ``settings`` names the preferences that bound it; without any it is kept for good.
    """

    kind: str
    count: int
    bytes: int
    frees: int = 0
    settings: tuple[str, ...] = ()


class RetentionService:
    """Workers apply the policy every hour; here it is shown, and applied at once."""

    def __init__(
        self, store: Store, audit: AuditService, preferences: PreferenceService, environment: Settings
    ) -> None:
        self._store = store
        self._environment = environment
        self._audit = audit
        self._preferences = preferences
        self._retention = Retention(store, environment.runs_dir, utc_now)

    def policy(self) -> RetentionPolicy:
        """The policy in force."""
        return RetentionPolicy.model_validate(self._preferences.get().model_dump())

    def preview(self) -> Freed:
        """What the policy would free now; nothing is removed."""
        return self._retention.preview(self.policy())

    def kinds(self, freed: Freed) -> list[Kept]:
        """What is kept of each kind; ``freed`` is what ``preview`` found."""
        sizes = self._store.sizes()

        def documents(*names: str) -> tuple[int, int]:
            found = [sizes.get(name, {"documents": 0, "bytes": 0}) for name in names]
            return found[0]["documents"], sum(each["bytes"] for each in found)

        cached = self._store.checkpoints.total_bytes()
        model_files = folder_bytes(self._environment.models_dir)
        models, model_bytes = documents("models")
        return [
            Kept("Runs", *documents("pipeline_runs"), freed.runs, ("run_retention_days", "runs_per_pipeline")),
            Kept("Step cache", documents("checkpoints")[0], cached, freed.checkpoints, ("cache_max_bytes",)),
            Kept(
                "Log lines", *documents("logs", "log_minutes"), freed.log_lines, ("log_retention_days", "log_max_lines")
            ),
            Kept("Validations", *documents("data_validations"), freed.validations, ("validation_retention_days",)),
            Kept("Experiments", *documents("experiments", "metric_points")),
            Kept("Models", models, model_bytes + model_files),
            Kept("Pipeline versions", *documents("pipeline_versions")),
            Kept("Audit entries", *documents("audit"), freed.audit_entries, ("audit_retention_days",)),
        ]

    def apply(self, *, author: str = LOCAL_NAME) -> Freed:
        """Remove it now; what was freed."""
        freed = self._retention.apply(self.policy())
        self._audit.record(
            author,
            "applied",
            "retention",
            "policy",
            runs=freed.runs,
            checkpoints=freed.checkpoints,
            validations=freed.validations,
            log_lines=freed.log_lines,
            audit_entries=freed.audit_entries,
            bytes=freed.bytes,
        )
        return freed
