"""A pipeline's tab for when it runs: schedule, policies, triggers, webhook; parameters and limits."""

from functools import lru_cache
from typing import Any

import streamlit as st

from etlml.clock import utc_now
from etlml.cron import next_fires
from etlml.cron_words import cron_words
from etlml.documents import Pipeline, PipelineDraft
from etlml.engine.fire_policy import FirePolicy
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import drafts, general_form, parts, place, schedule_detail, schedule_policies, trigger_form
from etlml.ui.drafts import Draft

PRESETS = {
    "Every hour": "0 * * * *",
    "Every day": "0 6 * * *",
    "Weekdays": "0 6 * * 1-5",
    "Every week": "0 6 * * 1",
    "Every month": "0 6 1 * *",
}


def draw(services: Services, pipeline: Pipeline, draft: Draft, user: Principal, *, may_edit: bool) -> None:
    """Draw the tab; edits go into the draft, the webhook works at once."""
    document, key, off = draft.document, f"{draft.pipeline_id}.{draft.form}.general", not may_edit
    left, right = st.columns(2, gap="large")
    with left:
        parts.section("Schedule")
        changes = _schedule(document, services.settings.get(), key, off)
        if pipeline.schedule:
            place.link("schedules", "History of this schedule", icon=":material/event_note:", schedule=pipeline.id)
        parts.section("Parameters", "used as ${params.name}")
        changes["params"] = general_form.params(document, key, off)
    with right:
        parts.section("Triggers")
        changes["triggers"] = trigger_form.draw(services, draft, may_edit=may_edit)
        parts.section("Webhook")
        trigger_form.webhook(services, pipeline, draft, user)
        parts.section("About")
        changes |= general_form.about(document, key, off)
    new = draft.document.model_copy(update=changes)
    if may_edit and new != draft.document:
        draft.change(**{name: getattr(new, name) for name in PipelineDraft.model_fields})
        drafts.keep(services, draft, user.name)
        st.rerun()


def _schedule(document: PipelineDraft, default: FirePolicy, key: str, off: bool) -> dict[str, Any]:
    """When it runs, as it stands in the form."""
    schedule = _cron(document, key, off)
    timezone = _zone(document.timezone, key, off)
    paused = st.toggle(
        "Paused", document.options.paused, key=f"{key}.paused", disabled=off, help="Neither the schedule nor triggers."
    )
    _next(schedule, timezone, paused)
    with st.expander("Missed, late and overlapping fires", icon=":material/rule:"):
        options = schedule_policies.draw(document.options, default, key, off)
    return {
        "schedule": schedule.strip() or None,
        "timezone": timezone,
        "options": options.model_copy(update={"paused": paused}),
    }


def _cron(document: PipelineDraft, key: str, off: bool) -> str:
    """The schedule, written or chosen from presets, with what it means."""
    cron_key, preset_key = f"{key}.cron", f"{key}.preset"
    schedule = st.text_input(
        "Cron",
        document.schedule or "",
        key=cron_key,
        placeholder="0 6 * * 1-5",
        disabled=off,
        live="300ms",
        help="Minute, hour, day of month, month, day of week; or @daily, @hourly. Empty: no schedule.",
    )
    _complaint(schedule, document.timezone)

    def choose() -> None:
        if preset := st.session_state.get(preset_key):
            st.session_state[cron_key] = PRESETS[preset]
            st.session_state[preset_key] = None

    if not off:
        st.pills("Presets", list(PRESETS), key=preset_key, label_visibility="collapsed", on_change=choose)
    return schedule


def _zone(timezone: str, key: str, off: bool) -> str:
    zones = _zones()
    return st.selectbox(
        "Time zone",
        zones,
        index=zones.index(timezone) if timezone in zones else zones.index("UTC"),
        key=f"{key}.zone",
        disabled=off,
        help="Daylight saving follows it: a daily schedule runs once on both changes.",
    )


def _complaint(schedule: str, timezone: str) -> None:
    """What the schedule means, or what is wrong with it, right below its field."""
    if not schedule.strip():
        st.caption("Without a schedule it runs when somebody, or a trigger, starts it.")
        return
    try:
        next_fires(schedule, timezone, utc_now(), 1)
    except EtlmlError as error:
        st.caption(f":red[{error.message}]")
        return
    words = cron_words(schedule)
    st.caption(f"Runs {words}." if words != " ".join(schedule.split()) else "The next fires are below.")


def _next(schedule: str, timezone: str, paused: bool) -> None:
    if not schedule.strip():
        return
    try:
        moments = next_fires(schedule, timezone, utc_now())
    except EtlmlError:
        return
    st.caption("Paused; it would fire next:" if paused else "Next fires:")
    schedule_detail.next_fires(moments)


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    from zoneinfo import available_timezones

    return sorted(available_timezones())
