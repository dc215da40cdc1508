"""The other tabs of a pipeline: schedule and parameters, YAML, versions."""

import difflib
from datetime import datetime, tzinfo

import streamlit as st

from etlml.clock import utc_now
from etlml.cron import next_fires
from etlml.documents import Pipeline, PipelineDraft, ScheduleOptions
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.drafts import draft_from
from etlml.services.principals import Principal
from etlml.ui import drafts, forms, lists, parts, place
from etlml.ui import format as words
from etlml.ui.drafts import Draft
from etlml.ui.fields import parsed_scalar, shown_scalar

PRESETS = {
    "Every hour": "0 * * * *",
    "Every day": "0 6 * * *",
    "Workdays": "0 6 * * 1-5",
    "Every week": "0 6 * * 1",
    "Every month": "0 6 1 * *",
}


def draw(services: Services, draft: Draft, user: Principal, *, may_edit: bool) -> None:
    """Description, tags, schedule, parameters, limits."""
    document, key, off = draft.document, f"{draft.pipeline_id}.{draft.form}.general", not may_edit
    left, right = st.columns(2, gap="large")
    with left:
        parts.section("Schedule")
        schedule = st.text_input(
            "Cron",
            document.schedule or "",
            key=f"{key}.cron",
            placeholder="0 6 * * 1-5",
            disabled=off,
            help="Minute, hour, day of month, month, day of week; or @daily, @hourly.",
        )
        st.caption("  ·  ".join(f"{name}: `{text}`" for name, text in PRESETS.items()))
        zones = sorted(_zones())
        timezone = st.selectbox(
            "Time zone",
            zones,
            index=zones.index(document.timezone) if document.timezone in zones else 0,
            key=f"{key}.zone",
            disabled=off,
        )
        paused = st.toggle("Paused", document.options.paused, key=f"{key}.paused", disabled=off)
        with st.expander("Missed and overlapping fires"):
            missed = st.segmented_control(
                "Missed fires",
                ["latest", "all", "none"],
                default=document.options.missed,
                key=f"{key}.missed",
                required=True,
                disabled=off,
                help="Which fires that nobody was there for are made up.",
            )
            overlap = st.segmented_control(
                "While a run goes on",
                ["skip", "queue", "cancel"],
                default=document.options.overlap,
                key=f"{key}.overlap",
                required=True,
                disabled=off,
            )
        fires(schedule, timezone, paused)
    with right:
        parts.section("Parameters", "used as ${params.name}")
        params = _params(document, key, off)
        parts.section("About")
        description = st.text_area("Description", document.description, key=f"{key}.text", height=80, disabled=off)
        tags = st.multiselect(
            "Tags", document.tags, default=document.tags, accept_new_options=True, key=f"{key}.tags", disabled=off
        )
        a, b, c = st.columns(3)
        most = a.number_input("Runs at once", 1, 100, document.max_running, key=f"{key}.most", disabled=off)
        priority = b.number_input("Priority", -100, 100, document.priority, key=f"{key}.priority", disabled=off)
        limit = c.number_input(
            "Time limit (s)", 0.0, None, document.timeout_s, key=f"{key}.limit", placeholder="none", disabled=off
        )
    options = ScheduleOptions(
        **{**document.options.model_dump(), "paused": paused, "missed": missed, "overlap": overlap}
    )
    new = document.model_copy(
        update={
            "schedule": schedule.strip() or None,
            "timezone": timezone,
            "options": options,
            "params": params,
            "description": description,
            "tags": tags,
            "max_running": int(most),
            "priority": int(priority),
            "timeout_s": limit or None,
        }
    )
    if may_edit and new != document:
        draft.change(**{name: getattr(new, name) for name in PipelineDraft.model_fields})
        drafts.keep(services, draft, user.name)
        st.rerun()


@st.cache_data(show_spinner=False)
def _zones() -> set[str]:
    from zoneinfo import available_timezones

    return available_timezones()


def fires(schedule: str, timezone: str, paused: bool) -> None:
    """The next five fires, in the schedule's zone."""
    if not schedule.strip():
        st.caption("Without a schedule it runs when somebody starts it.")
        return
    try:
        moments = next_fires(schedule, timezone, utc_now())
    except EtlmlError as error:
        st.error(error.message)
        return
    st.caption("Paused; it would fire next:" if paused else "Next fires:")
    lists.draw(
        "next_five",
        (lists.Column("at", "", "text"), lists.Column("in", "", "time", align="right")),
        fire_rows(moments, place.zone()),
        head=False,
        opens=False,
    )


def fire_rows(moments: list[datetime], zone: tzinfo) -> list[dict[str, object]]:
    """Fires as rows."""
    return [
        lists.row(moment.isoformat(), at=f"{moment.astimezone(zone):%a %-d %b %Y, %H:%M}", **{"in": lists.when(moment)})
        for moment in moments
    ]


def _params(document: PipelineDraft, key: str, off: bool) -> dict[str, object]:
    import pandas as pd

    base = st.session_state.setdefault(f"{key}.params.base", dict(document.params))
    plain = {name: value for name, value in base.items() if not isinstance(value, dict | list)}
    frame = pd.DataFrame(
        {"name": list(plain), "value": [shown_scalar(value) for value in plain.values()]}, dtype="string"
    )
    config = {
        "name": st.column_config.TextColumn("Name", required=True),
        "value": st.column_config.TextColumn("Default"),
    }
    edited = st.data_editor(
        frame,
        num_rows="dynamic",
        hide_index=True,
        key=f"{key}.params",
        disabled=off,
        column_config=config,
        height="content",
    )
    pairs = ((row.name, row.value) for row in edited.itertuples(index=False))
    given = {
        str(name): None if forms.missing(value) else parsed_scalar(str(value))
        for name, value in pairs
        if not forms.missing(name) and str(name).strip()
    }
    texts = {
        name: str(base[name])
        for name in given
        if isinstance(base.get(name), str) and shown_scalar(base[name]) == shown_scalar(given[name])
    }
    return {**{name: value for name, value in base.items() if isinstance(value, dict | list)}, **given, **texts}


def yaml_tab(services: Services, draft: Draft, user: Principal, *, may_edit: bool) -> None:
    """The whole pipeline as YAML."""
    text = st.text_area(
        "YAML",
        services.pipelines.to_yaml(draft.document),
        height=560,
        key=f"{draft.pipeline_id}.{draft.form}.{hash(draft.document.model_dump_json())}.yaml",
        disabled=not may_edit,
        label_visibility="collapsed",
    )
    if may_edit and st.button("Apply to the draft", icon=":material/check:", key="apply_yaml"):
        try:
            draft.replace(draft_from(services.pipelines.from_yaml(text)))
        except EtlmlError as error:
            for problem in (error.details.get("problems") or [{"message": error.message}])[:6]:
                st.error(f"```\n{problem['message']}\n```" if "\n" in problem["message"] else problem["message"])
            return
        drafts.keep(services, draft, user.name)
        parts.toast_later("Applied. Save to make it a version.")
        st.rerun()


def versions(services: Services, pipeline: Pipeline, draft: Draft, user: Principal, *, may_edit: bool) -> None:
    """Saved versions, what each changed, and the way back."""
    found = services.pipelines.versions(pipeline.id)
    numbers = [version.version for version in found]
    left, right = st.columns([1, 2], gap="medium")
    columns = (lists.Column("name", "Version", "name"), lists.Column("at", "Saved", "time"))
    chosen = int(place.param("version") or pipeline.version)
    with left:
        rows = [
            lists.row(
                str(v.version),
                name={"text": f"Version {v.version}", "sub": f"by {v.author or 'nobody'}"},
                at=lists.when(v.created_at),
            )
            for v in found
        ]
        happened = lists.draw("versions", columns, rows, current=str(chosen), height=560)
        if happened.opened and happened.opened != str(chosen):
            place.set_params(version=happened.opened)
            st.rerun()
    with right:
        if chosen not in numbers:
            return
        document = next(v.document for v in found if v.version == chosen)
        before = next((v.document for v in found if v.version == chosen - 1), None)
        st.caption(f"What version {chosen} changed" if before else f"Version {chosen}")
        text = changes(services.pipelines.to_yaml(before) if before else "", services.pipelines.to_yaml(document))
        st.code(text or "Only the places of steps.", language="diff" if before else "yaml", height=500)
        if (
            may_edit
            and chosen != pipeline.version
            and st.button(f"Restore version {chosen}", icon=":material/history:", key="restore")
        ):
            with parts.shown_errors():
                services.pipelines.restore(pipeline.id, chosen, author=user.name)
                drafts.discard(services, services.pipelines.get(pipeline.id), draft, user.name)
                parts.toast_later(f"Version {chosen} is the newest again.")
                st.rerun()


def changes(before: str, after: str) -> str:
    """A unified diff of two YAML texts; the whole text where there was nothing before."""
    if not before:
        return after
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return "\n".join(list(lines)[2:])


def saved_when(moment: datetime | None) -> str:
    """When something was saved, in the viewer's zone."""
    return words.exact(moment, place.zone())
