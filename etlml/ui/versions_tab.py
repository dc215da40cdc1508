"""A pipeline's tab of versions: who saved what when, what changed between two, the way back."""

from collections.abc import Sequence

import streamlit as st

from etlml.documents import Pipeline, PipelineDraft, PipelineVersion
from etlml.services import Services
from etlml.services.pipelines import VersionDiff
from etlml.services.principals import Principal
from etlml.services.version_diff import FieldChange, StepChange
from etlml.services.version_words import noun_of
from etlml.services.version_words import place as place_of
from etlml.services.version_words import shown as worded
from etlml.ui import canvas, copy_as, drafts, lists, parts, place, version_graph
from etlml.ui import format as words
from etlml.ui.drafts import Draft

COLUMNS = (lists.Column("name", "Version", "name"), lists.Column("at", "Saved", "time"))
HEIGHT = "clamp(300px, 42vh, 720px)"


def draw(services: Services, pipeline: Pipeline, draft: Draft, user: Principal, *, may_edit: bool) -> None:
    """Draw the tab; the two versions that are compared stand in the URL."""
    found = services.pipelines.versions(pipeline.id)
    numbers = [version.version for version in found]
    after = _number(place.param("version"), numbers, pipeline.version)
    before = _number(place.param("against"), numbers, max((n for n in numbers if n < after), default=after))
    left, right = st.columns([1.1, 2.9], gap="medium")
    with left:
        _list(found, after, pipeline.version)
    with right:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Version {after}** compared with", width="content")
            before = _against(numbers, before, after)
            may_restore = may_edit and after != pipeline.version
            if may_restore and st.button(f"Restore version {after} …", icon=":material/history:", key="restore"):
                _ask_restore(services, pipeline, draft, user, after)
            parts.command_lines(
                {
                    "Compare": copy_as.pipelines.compare_versions(pipeline.name, before, after),
                    "Restore": copy_as.pipelines.restore(pipeline.name, after),
                }
            )
        if before == after:
            st.caption("This is the first version." if len(numbers) == 1 else "Choose two different versions.")
            st.code(services.pipelines.to_yaml(_document(found, after)), language="yaml", height=500)
            return
        _compared(services.pipelines.diff(pipeline.id, before, after), found, pipeline.id)


def _number(text: str, known: Sequence[int], default: int) -> int:
    return int(text) if text.isdecimal() and int(text) in known else default


def _document(found: Sequence[PipelineVersion], number: int) -> PipelineDraft:
    return next(version.document for version in found if version.version == number)


def _list(found: Sequence[PipelineVersion], chosen: int, newest: int) -> None:
    rows = [
        lists.row(
            str(one.version),
            name={
                "text": f"Version {one.version}" + (", the newest" if one.version == newest else ""),
                "sub": f"by {one.author or 'nobody'}, {words.plural(len(one.document.steps), 'step')}",
            },
            at=lists.when(one.created_at),
        )
        for one in found
    ]
    happened = lists.draw("versions", COLUMNS, rows, current=str(chosen), height=560)
    if happened.opened and happened.opened != str(chosen):
        place.set_params(version=happened.opened, against=None)
        st.session_state.pop("versions_against", None)
        st.rerun()


def _against(numbers: Sequence[int], before: int, after: int) -> int:
    """The version that is compared with; another choice goes into the URL."""
    chosen = st.selectbox(
        "Compared with",
        numbers,
        index=numbers.index(before),
        format_func=lambda number: f"version {number}",
        key=f"versions_against_{after}",
        label_visibility="collapsed",
        width=150,
    )
    if chosen != before:
        place.set_params(version=str(after), against=str(chosen))
    return chosen


def _ask_restore(services: Services, pipeline: Pipeline, draft: Draft, user: Principal, number: int) -> None:
    """Ask before an earlier version is saved as the newest one."""
    fresh = pipeline.version + 1
    parts.confirm(
        f"Restore version {number}?",
        f"It is saved as version {fresh}. Nothing is lost: version {pipeline.version} stays in the list."
        + (" Your unsaved changes are discarded." if draft.is_dirty else ""),
        "Restore",
        lambda: _restore(services, pipeline, draft, user, number),
        f"Version {number} is back, as version {fresh}.",
        then=lambda: place.set_params(version=None, against=None),
        commands=copy_as.pipelines.restore(pipeline.name, number),
    )


def _restore(services: Services, pipeline: Pipeline, draft: Draft, user: Principal, number: int) -> None:
    restored = services.pipelines.restore(pipeline.id, number, author=user.name)
    drafts.discard(services, restored, draft, user.name)


def _compared(diff: VersionDiff, found: Sequence[PipelineVersion], key: str) -> None:
    changes = version_graph.counted(diff.steps)
    if not diff.settings and not changes:
        moved = "but where steps stand on the canvas " if diff.steps else ""
        st.caption(f"Nothing {moved}differs between these versions.")
        return
    view = st.segmented_control(
        "View", ["Steps", "YAML"], default="Steps", key="versions_view", label_visibility="collapsed", required=True
    )
    if view == "YAML":
        if diff.yaml:
            st.html(version_graph.yaml_diff_html(diff.yaml))
        else:
            st.caption("Their YAML is the same.")
        return
    nodes, edges = version_graph.both(_document(found, diff.before).steps, _document(found, diff.after).steps, changes)
    if nodes:
        canvas.draw(f"versions_{key}_{diff.before}_{diff.after}", nodes, edges, readonly=True, height=HEIGHT)
        st.caption("Point at a marked step, or select it, to read what changed in it.")
    if diff.settings:
        st.html(_change_html("Pipeline", "changed", diff.settings))
    for change in changes:
        st.html(_step_html(change))


def _step_html(change: StepChange) -> str:
    title = change.step if change.was is None else f"{change.was} → {change.step}"
    return _change_html(title, change.kind, change.fields)


def _change_html(title: str, kind: str, fields: Sequence[FieldChange]) -> str:
    rows = "".join(
        f"<tr><th>{parts.escaped(place_words(field))}</th>"
        f'<td class="removed">{parts.escaped(worded(field.before, 300)) if field.kind != "added" else ""}</td>'
        f'<td class="added">{parts.escaped(worded(field.after, 300)) if field.kind != "removed" else ""}</td></tr>'
        for field in fields
    )
    table = f"<table>{rows}</table>" if rows else ""
    pill = parts.tone_pill(kind.capitalize(), version_graph.TONES[kind])
    return f'<div class="vchange"><div><b>{parts.escaped(title)}</b>{pill}</div>{table}</div>'


def place_words(field: FieldChange) -> str:
    """Where a change is, and what is changed there: ``Op 2 (derive) › late, formula``."""
    noun = noun_of(field)
    return f"{place_of(field)}, {noun}" if noun else place_of(field)
