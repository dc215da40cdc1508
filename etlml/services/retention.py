"""What may be forgotten, by the preferences: looked at first, removed when asked."""

from etlml.clock import utc_now
from etlml.engine.retention import Freed, Retention, RetentionPolicy
from etlml.services.audit import AuditService
from etlml.services.preferences import PreferenceService
from etlml.services.principals import LOCAL_NAME
from etlml.settings import Settings
from etlml.store import Store


class RetentionService:
    """Workers apply the policy every hour; here it is shown, and applied at once."""

    def __init__(
        self, store: Store, audit: AuditService, preferences: PreferenceService, environment: Settings
    ) -> None:
        self._audit = audit
        self._preferences = preferences
        self._retention = Retention(store, environment.runs_dir, utc_now)

    def policy(self) -> RetentionPolicy:
        """The policy in force."""
        return RetentionPolicy.model_validate(self._preferences.get().model_dump())

    def preview(self) -> Freed:
        """What the policy would free now; nothing is removed."""
        return self._retention.preview(self.policy())

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
            bytes=freed.bytes,
        )
        return freed
