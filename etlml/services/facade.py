"""All use cases on one store."""

from functools import cached_property

from etlml.services.api_keys import ApiKeyService
from etlml.services.audit import AuditService
from etlml.services.backfills import BackfillService
from etlml.services.comparing import ComparisonService
from etlml.services.connections import ConnectionService
from etlml.services.data_files import DataFileService
from etlml.services.database import DatabaseService
from etlml.services.diagnostics import DiagnosticsService
from etlml.services.doctor import Doctor
from etlml.services.experiments import ExperimentService
from etlml.services.guide import GuideService
from etlml.services.health import HealthService
from etlml.services.lineage import LineageService
from etlml.services.logs import LogService
from etlml.services.models import ModelService
from etlml.services.notifications import NotificationService
from etlml.services.once import OnceService
from etlml.services.packing import PackService
from etlml.services.pipelines import PipelineService
from etlml.services.preferences import PreferenceService
from etlml.services.preview import PreviewService
from etlml.services.quarantined import QuarantineService
from etlml.services.retention import RetentionService
from etlml.services.run_rows import RunRows
from etlml.services.run_views import RunViews
from etlml.services.runs import RunService
from etlml.services.schedules import ScheduleService
from etlml.services.script import ScriptService
from etlml.services.search import SearchService
from etlml.services.secrets import SecretService
from etlml.services.sessions import SessionService
from etlml.services.signing import Tokens
from etlml.services.stats import StatsService
from etlml.services.step_files import StepFiles
from etlml.services.throttle import Throttle
from etlml.services.users import UserService
from etlml.services.validations import ValidationService
from etlml.services.webhooks import WebhookService
from etlml.services.workspace import WorkspaceService
from etlml.settings import Settings
from etlml.store import Store


class Services:
    """Everything that can be done, by noun; safe to use from many threads, as cheap to build as to keep.

    Args:
        store: An open store; it is not closed here.
        environment: The process's settings.
    """

    def __init__(self, store: Store, environment: Settings) -> None:
        self.store = store
        self.environment = environment
        self.audit = AuditService(store)
        self.pipelines = PipelineService(store, self.audit)
        self.runs = RunService(store, self.audit)
        self.run_rows = RunRows(store, environment)
        self.previews = PreviewService(environment)
        self.run_views = RunViews(store)
        self.comparing = ComparisonService(store, self.run_rows, environment)
        self.step_files = StepFiles(self.run_rows, self.comparing)
        self.backfills = BackfillService(store, self.audit, self.runs)
        self.lineage = LineageService(store, self.pipelines, environment)
        self.scripts = ScriptService(store, self.pipelines, environment)
        self.schedules = ScheduleService(store, self.audit, self.pipelines)
        self.webhooks = WebhookService(store, self.audit, self.pipelines, self.runs)
        self.experiments = ExperimentService(store, self.audit, environment)
        self.models = ModelService(store, self.audit, environment)
        self.validations = ValidationService(store, self.audit, environment)
        self.quarantine = QuarantineService(store, environment)
        self.logs = LogService(store)
        self.stats = StatsService(store)
        self.connections = ConnectionService(store, self.audit, environment)
        self.data_files = DataFileService(self.audit, environment)
        self.settings = PreferenceService(store, self.audit)
        self.retention = RetentionService(store, self.audit, self.settings, environment)
        self.secrets = SecretService(self.audit, environment)
        self.notifications = NotificationService(store, self.audit, self.secrets)
        self.users = UserService(store, self.audit)
        self.sessions = SessionService(store, self.users)
        self.throttle = Throttle()
        self.api_keys = ApiKeyService(store, self.audit)
        self.workspace = WorkspaceService(store, self.pipelines, environment)
        self.database = DatabaseService(store, self.audit)
        self.health = HealthService(store, environment)
        self.guide = GuideService(store)
        self.packing = PackService(store, self.audit, environment, self.connections, self.settings, self.models)
        self.once = OnceService(store)
        self.search = SearchService(store)
        self.doctor = Doctor(environment, store)
        self.diagnostics = DiagnosticsService(
            store,
            self.audit,
            environment,
            doctor=self.doctor,
            health=self.health,
            preferences=self.settings,
            secrets=self.secrets,
        )

    @cached_property
    def tokens(self) -> Tokens:
        """Signs and checks the tokens of people who signed in."""
        return Tokens(self.users, self.environment)
