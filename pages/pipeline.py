"""One pipeline: its canvas and the selected step, its runs, schedule, versions and YAML."""

import streamlit as st

from etlml.documents import Pipeline, Run
from etlml.errors import EtlmlError
from etlml.ui import (
    copy_as,
    draft_behind,
    draft_canvas,
    draft_windows,
    drafts,
    frame,
    lineage_view,
    lists,
    live_preview,
    parts,
    place,
    row_commands,
    run_form,
    run_rows,
    schedule_tab,
    script_dialog,
    step_panel,
    versions_tab,
    yaml_tab,
)
from etlml.ui.drafts import Draft

services, user = frame.services(), frame.current_user()
MAY_EDIT, MAY_RUN = user.permits("editor"), user.permits("operator")
LEAST = 420  # px of the panel; the style sheet makes it and the canvas as high as the window allows
WANTED = "wanted_of_the_pipeline"
TABS = ("Build", "Runs", "Schedule", "YAML", "Versions", "Lineage")


def load() -> Pipeline:
    try:
        return services.pipelines.get(place.param("id"))
    except EtlmlError as error:
        parts.head("Pipeline")
        st.error(error.message, icon=":material/search_off:")
        place.link("pipelines", "All pipelines", icon=":material/arrow_back:")
        st.stop()


def header(pipeline: Pipeline, draft: Draft) -> None:
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        parts.head(
            pipeline.name,
            status=pipeline.status,
            sub="unsaved changes" if draft.is_dirty else f"version {pipeline.version}",
        )
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if draft.is_dirty and MAY_EDIT:
            if st.button("Discard", key="discard", help="Go back to the saved version"):
                drafts.discard(services, pipeline, draft, user.name)
                st.rerun()
            st.button(
                "Save", key="save", icon=":material/save:", shortcut="Ctrl+S", on_click=want, args=(pipeline.id, "save")
            )
        more(pipeline, draft)
        st.button(
            "Run",
            type="primary",
            key="run",
            icon=":material/play_arrow:",
            shortcut="Ctrl+Enter",
            disabled=not MAY_RUN or not draft.document.steps,
            on_click=want,
            args=(pipeline.id, "run"),
        )


def want(pipeline_id: str, what: str) -> None:
    """Have the pipeline saved or run once the forms below have taken over what was typed before the button was pressed."""
    st.session_state[WANTED] = (pipeline_id, what)


def do_what_is_wanted(pipeline: Pipeline, draft: Draft) -> None:
    wanted = st.session_state.pop(WANTED, None)
    if wanted == (pipeline.id, "save") and MAY_EDIT:
        save(draft)
    elif wanted == (pipeline.id, "run") and (not (draft.is_dirty and MAY_EDIT) or save(draft, quietly=True)):
        run_form.ask_or_start(services, services.pipelines.get(pipeline.id), user)


def more(pipeline: Pipeline, draft: Draft) -> None:
    with st.popover("", icon=":material/more_horiz:", help="More"):
        st.download_button(
            "Export YAML",
            services.pipelines.to_yaml(pipeline),
            f"{pipeline.name}.yaml",
            "text/yaml",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
        if st.button("Export as Python script", icon=":material/code:", type="tertiary", key="as_script"):
            script_dialog.show(services, pipeline)
        if MAY_EDIT and st.button("Duplicate", icon=":material/content_copy:", type="tertiary", key="duplicate"):
            duplicate(pipeline)
        if MAY_EDIT and st.button("Delete …", icon=":material/delete:", type="tertiary", key="delete"):
            parts.confirm(
                f"Delete {pipeline.name}?",
                f"The pipeline and its {pipeline.version} versions are deleted. Its runs, models and validations stay.",
                "Delete",
                lambda: services.pipelines.delete(pipeline.id, author=user.name),
                f"Pipeline {pipeline.name} deleted.",
                then=lambda: place.go("pipelines"),
                commands=copy_as.pipelines.delete([pipeline.name]),
            )
    copies(pipeline, draft)


def copies(pipeline: Pipeline, draft: Draft) -> None:
    """Each action of this page's head as commands."""
    name = pipeline.name
    actions = {"Run": copy_as.runs.start(name, pipeline.params)}
    actions |= {"Save": copy_as.pipelines.save(name)} if draft.is_dirty else {}
    actions |= {"Export": copy_as.pipelines.export(name), "Script": copy_as.pipelines.script(name)}
    actions |= {"Duplicate": copy_as.pipelines.copy(name, f"{name} copy"), "Delete": copy_as.pipelines.delete([name])}
    parts.command_lines(actions)


def duplicate(pipeline: Pipeline) -> None:
    with parts.shown_errors():
        copy = services.pipelines.copy(pipeline.id, f"{pipeline.name} copy", author=user.name)
        place.go("pipeline", id=copy.id)


def save(draft: Draft, *, quietly: bool = False) -> bool:
    try:
        saved = drafts.save(services, draft, user.name)
    except EtlmlError as error:
        for problem in (error.details.get("problems") or [{"message": error.message}])[:4]:
            st.toast(problem["message"], icon=":material/error:", duration="long")
        return False
    parts.toast_later(f"Saved as version {saved.version}.")
    if not quietly:
        st.rerun()
    return True


def last_run(pipeline: Pipeline) -> Run | None:
    found = services.runs.list(pipeline=pipeline.id, limit=1).items
    return found[0] if found else None


def build(pipeline: Pipeline, draft: Draft) -> None:
    run = last_run(pipeline)
    live = run is not None and not run.is_final
    in_header = shown_above(draft)
    is_alone = False  # as a fragment, without the rest of the page

    @parts.fragment(run_every="1s" if live else None, key="build", about={"id": place.param("id")})
    def editor() -> None:
        left, right = st.columns([2.1, 1])
        shown = last_run(pipeline) if live else run
        if live and shown is not None and shown.is_final:
            st.rerun()
        tall = "build_short" if live_preview.is_below() else "build_tall"
        with right, st.container(key="step_panel", height=LEAST, border=True), st.container(key=tall):
            running = part_runs(pipeline, draft, shown)
            later = step_panel.draw(services, draft, run=shown, may_edit=MAY_EDIT, runs=running)
        step_panel.run_what_is_wanted(running)
        with left:
            problems, _ = draft.looked_into(services)
            draft_canvas.draw(services, draft, user, run=shown, problems=problems)
        drafts.keep(services, draft, user.name)
        if shown_above(draft) != in_header or (is_alone and WANTED in st.session_state):
            st.rerun()
        # What has to be computed comes last: the form, the canvas and the header do not wait for it.
        step = draft.step(draft.selected)
        if step is not None and live_preview.is_below():
            with st.container(key="preview_below", border=True):
                live_preview.draw(services, draft, step, run=shown, height=420, key="below")
                live_preview.place_switch("below")
        later()

    editor()
    is_alone = True


def shown_above(draft: Draft) -> tuple[bool, ...]:
    """What the head of the page shows of a draft: once it changes, the whole page is drawn anew."""
    return draft.is_dirty, draft.is_apart, bool(draft.document.steps)


def part_runs(pipeline: Pipeline, draft: Draft, run: Run | None) -> step_panel.Runs:
    """Running to and from a step: what is edited is saved first, as with Run."""

    def is_saved() -> bool:
        return not (draft.is_dirty and MAY_EDIT) or save(draft, quietly=True)

    def to(step_id: str) -> None:
        if is_saved():
            run_form.ask_or_start(services, services.pipelines.get(pipeline.id), user, until=step_id)

    def from_(step_id: str) -> None:
        if run is not None and is_saved():
            with parts.shown_errors():
                fresh = services.runs.retry(run.id, step_id, author=user.name)
                parts.toast_later(f"Run from {step_id} started.", ":material/play_arrow:")
                place.go("run", id=fresh.id)

    def copies(step_id: str) -> dict[str, copy_as.Action]:
        found = {"To here": copy_as.runs.start(pipeline.name, pipeline.params, step_id)}
        began = run is not None and step_id in step_panel.began(run)
        return found | ({"From here": copy_as.runs.retry([run.id], step_id)} if run is not None and began else {})

    return step_panel.Runs(MAY_RUN, to, from_, copies)


@parts.fragment(run_every="2s", about={"id": place.param("id")})
def runs(pipeline: Pipeline) -> None:
    with parts.shown_errors():
        page = services.runs.list(pipeline=pipeline.id, limit=50)
        happened = lists.draw(
            "pipeline_runs",
            run_rows.RUN_COLUMNS,
            [run_rows.run_row(run, named=False) for run in page.items],
            empty="It has never run.",
            copies={run.id: row_commands.run(run) for run in page.items},
        )
        if happened.opened:
            place.go("run", id=happened.opened)


pipeline = load()
draft = drafts.opened(services, pipeline, user.name)
if place.param("step") and draft.selected is None and draft.step(place.param("step")):
    draft.selected = place.param("step")
place.link("pipelines", "Pipelines", icon=":material/chevron_left:")
header(pipeline, draft)
if MAY_EDIT:
    draft_windows.draw(services, draft, user.name)
    draft_behind.draw(services, pipeline, draft, save)
tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
with tabs[0]:
    if tabs[0].open:
        build(pipeline, draft)
with tabs[1]:
    if tabs[1].open:
        runs(pipeline)
with tabs[2]:
    if tabs[2].open:
        schedule_tab.draw(services, pipeline, draft, user, may_edit=MAY_EDIT)
with tabs[3]:
    if tabs[3].open:
        yaml_tab.draw(services, draft, user, may_edit=MAY_EDIT)
with tabs[4]:
    if tabs[4].open:
        versions_tab.draw(services, pipeline, draft, user, may_edit=MAY_EDIT)
with tabs[5]:
    if tabs[5].open:
        lineage_view.draw(services, draft.document, key=f"lineage_{pipeline.id}")
do_what_is_wanted(pipeline, draft)
