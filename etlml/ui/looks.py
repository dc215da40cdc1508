"""Colours, icons and words for step types and states: the same on every screen."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Tone = Literal["ok", "bad", "run", "warn", "dull", "reuse"]


class Look(NamedTuple):
    """How one state or type is shown."""

    label: str
    tone: Tone
    icon: str


STATUS: Mapping[str, Look] = {
    "success": Look("Success", "ok", ":material/check_circle:"),
    "completed": Look("Completed", "ok", ":material/check_circle:"),
    "passed": Look("Passed", "ok", ":material/verified:"),
    "deployed": Look("Deployed", "ok", ":material/rocket_launch:"),
    "registered": Look("Registered", "dull", ":material/inventory_2:"),
    "archived": Look("Archived", "dull", ":material/archive:"),
    "failed": Look("Failed", "bad", ":material/error:"),
    "warning": Look("Warning", "warn", ":material/warning:"),
    "missed": Look("Missed", "warn", ":material/event_busy:"),
    "running": Look("Running", "run", ":material/progress_activity:"),
    "pending": Look("Waiting", "dull", ":material/schedule:"),
    "idle": Look("Never run", "dull", ":material/radio_button_unchecked:"),
    "cancelled": Look("Cancelled", "dull", ":material/cancel:"),
    "skipped": Look("Skipped", "dull", ":material/skip_next:"),
    "cached": Look("Cached", "reuse", ":material/bolt:"),
}
TYPE_LABEL: Mapping[str, str] = {
    "extract": "Extract",
    "transform": "Transform",
    "load": "Load",
    "validate": "Validate",
    "train": "Train",
}
TYPE_ICON: Mapping[str, str] = {
    "extract": ":material/database_upload:",
    "transform": ":material/tune:",
    "load": ":material/save:",
    "validate": ":material/verified_user:",
    "train": ":material/model_training:",
}
TRIGGER_LABEL: Mapping[str, str] = {
    "manual": "By hand",
    "schedule": "Schedule",
    "api": "API",
    "backfill": "Backfill",
    "retry": "Retry",
    "webhook": "Webhook",
    "file": "File arrived",
    "pipeline": "After pipeline",
}
COLOURS: Mapping[Tone, str] = {
    "ok": "#16a34a",
    "bad": "#dc2626",
    "run": "#3b82f6",
    "warn": "#d97706",
    "dull": "#94a3b8",
    "reuse": "#0891b2",
}
RUN_ORDER = ("success", "failed", "cancelled", "missed", "running", "pending")
FAMILIAR = (
    "accuracy",
    "f1_score",
    "f1",
    "roc_auc",
    "r2",
    "r2_score",
    "rmse",
    "mae",
    "silhouette",
)  # the metrics to show first
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LEVEL_TONE: Mapping[str, Tone] = {"DEBUG": "dull", "INFO": "run", "WARNING": "warn", "ERROR": "bad", "CRITICAL": "bad"}


def look(status: str | None) -> Look:
    """How a state is shown; an unknown one in grey by its own name."""
    return STATUS.get(status or "", Look((status or "Unknown").capitalize(), "dull", ":material/help:"))


def colour(status: str | None) -> str:
    """A state's colour."""
    return COLOURS[look(status).tone]


def score_tone(score: float | None) -> Tone:
    """The tone of a data-quality score of 0 to 1."""
    if score is None:
        return "dull"
    return "ok" if score >= 0.95 else "warn" if score >= 0.8 else "bad"
