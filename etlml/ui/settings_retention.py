"""Settings: what is stored, how large it is, how long it stays, and what could go now."""

from typing import NamedTuple

import streamlit as st

from etlml.engine.retention import Freed
from etlml.services import Services
from etlml.services.preferences import Preferences
from etlml.services.principals import Principal
from etlml.ui import copy_as, lists, parts, settings_form
from etlml.ui import format as words


class Policy(NamedTuple):
    """One limit as people write it: in days, in millions of lines, in GB."""

    name: str
    label: str
    unit: str
    factor: int = 1


POLICIES = (
    Policy("run_retention_days", "Runs", "days"),
    Policy("runs_per_pipeline", "Runs of each pipeline", "newest"),
    Policy("validation_retention_days", "Validations", "days"),
    Policy("audit_retention_days", "Audit entries", "days"),
    Policy("log_retention_days", "Log lines", "days"),
    Policy("log_max_lines", "Log lines", "million at most", 1_000_000),
    Policy("cache_max_bytes", "Step cache", "GB at most", 10**9),
)
COLUMNS = (
    lists.Column("name", "What", "name"),
    lists.Column("count", "Number", "number", "right"),
    lists.Column("size", "Size", "number", "right"),
    lists.Column("policy", "Stays", "dim"),
    lists.Column("frees", "Goes now", "number", "right"),
)


def draw(services: Services, user: Principal) -> None:
    """Sizes on the left, limits on the right."""
    current = services.settings.get()
    left, right = st.columns([2, 1], gap="medium")
    with left:
        freed = services.retention.preview()
        rows = [
            lists.row(
                one.kind,
                name={"text": one.kind},
                count=words.count(one.count),
                size=words.size(one.bytes),
                policy=stays(current, one.settings),
                frees=words.count(one.frees) if one.frees else words.MISSING,
            )
            for one in services.retention.kinds(freed)
        ]
        lists.draw("kept", COLUMNS, rows, opens=False)
        st.caption(
            "Sizes are on disk, with indexes. Nothing that a run in progress or a registered model needs is removed. "
            "Workers remove what may go every hour."
        )
        _free_now(services, user, freed)
    with right, st.container(border=True):
        parts.section("How long things stay", "empty: without limit")
        _limits(services, user, current)


def _free_now(services: Services, user: Principal, freed: Freed) -> None:
    anything = any((freed.runs, freed.checkpoints, freed.validations, freed.log_lines, freed.audit_entries))
    if not anything:
        st.caption("Nothing would go now.")
        return
    told = freed_text(freed)
    if user.permits("admin") and st.button(f"Free {words.size(freed.bytes)} now …", icon=":material/delete_sweep:"):
        parts.confirm(
            "Free space now?",
            f"This removes {told}. It can't be undone.",
            "Free now",
            lambda: services.retention.apply(author=user.name),
            f"Removed {told}.",
            commands=copy_as.settings.free_now(),
        )


def freed_text(freed: Freed) -> str:
    """What goes, in words: ``3 runs, 12 cached results, 1.2 GB of files``."""
    counts = {
        "run": freed.runs,
        "cached result": freed.checkpoints,
        "validation": freed.validations,
        "log line": freed.log_lines,
    }
    found = [words.plural(number, noun) for noun, number in counts.items() if number]
    if freed.audit_entries:
        found.append(words.plural(freed.audit_entries, "audit entry", "audit entries"))
    return ", ".join([*found, f"{words.size(freed.bytes)} of files"])


def stays(current: Preferences, names: tuple[str, ...]) -> str:
    """The limits of a kind in words; for good where there are none."""
    by_name = {policy.name: policy for policy in POLICIES}
    limits = [
        f"{getattr(current, name) / by_name[name].factor:,.4g} {by_name[name].unit}"
        for name in names
        if getattr(current, name) is not None
    ]
    return ", ".join(limits) or "for good"


def _limits(services: Services, user: Principal, current: Preferences) -> None:
    changed: dict[str, float | int | None] = {}
    for policy in POLICIES:
        stored = getattr(current, policy.name)
        shown = None if stored is None else stored / policy.factor
        help_ = Preferences.model_fields[policy.name].description
        now = st.number_input(
            f"{policy.label} ({policy.unit})",
            min_value=0.0,
            value=shown,
            step=1.0,
            format="%.6g",
            placeholder="no limit",
            help=help_,
            key=f"limit_{policy.name}",
            disabled=not user.permits("admin"),
        )
        value = None if now is None else now * policy.factor
        if (
            policy.name not in ("run_retention_days", "validation_retention_days", "audit_retention_days")
            and value is not None
        ):
            value = round(value)
        if value != stored:
            changed[policy.name] = value
    settings_form.save(services, user, changed, key="save_retention")
