"""The dialog that makes a pipeline: from nothing, from a template, from YAML."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from etlml.services import Services
from etlml.services.principals import Principal
from etlml.services.starters import PipelineTemplate, templates
from etlml.services.yaml_lines import problems_with_lines
from etlml.ui import copy_as, parts, place, source_files
from etlml.ui.looks import TYPE_ICON

WAYS = ("Template", "Data file", "Empty canvas", "Import YAML")
_HINT = """name: my-pipeline
steps:
  - {id: read, type: extract, config: {source: {kind: file, path: examples/penguins.csv}}}
"""
_SHOWN = 12


def ask(services: Services, user: Principal, *, way: str = WAYS[0], key: str | None = None) -> None:
    """Open the dialog, at one way to begin and with one template chosen."""

    @st.dialog("New pipeline", width="large")
    def dialog() -> None:
        draw(services, user, way=way, key=key)

    dialog()


def draw(services: Services, user: Principal, *, way: str = WAYS[0], key: str | None = None) -> None:
    """What stands in the dialog."""
    chosen = st.segmented_control(
        "Start from", WAYS, default=way, key="new_way", required=True, label_visibility="collapsed"
    )
    if chosen == "Import YAML":
        _from_yaml(services, user)
    elif chosen == "Template":
        _from_template(services, user, key)
    elif chosen == "Data file":
        _from_data(services, user)
    else:
        _named(services, user, "", dict, copy_as.pipelines.new)


def _from_data(services: Services, user: Principal) -> None:
    beginning = source_files.begin(services)
    if beginning is None:
        st.caption("The pipeline begins with a step that reads it.")
    else:
        _named(services, user, *beginning)


def _from_template(services: Services, user: Principal, key: str | None) -> None:
    known = templates()
    keys = list(known)
    chosen = st.radio(
        "Template",
        keys,
        index=keys.index(key) if key and key in known else 0,
        format_func=lambda one: f"**{known[one].title}**  {icons(known[one])}",
        captions=[one.description for one in known.values()],
        key="new_template",
        label_visibility="collapsed",
    )
    _named(
        services,
        user,
        chosen,
        lambda: known[chosen].document(chosen),
        lambda name: copy_as.pipelines.from_template(name, chosen),
    )


def icons(template: PipelineTemplate) -> str:
    """The template's steps as icons, in their order."""
    return " ".join(TYPE_ICON[step] for step in template.steps)


def _named(
    services: Services,
    user: Principal,
    proposal: str,
    document: Callable[[], Mapping[str, Any]],
    commands: Callable[[str], copy_as.Action],
) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name", free_name(services, proposal), key=f"new_name_{proposal}", placeholder="orders-daily", live="300ms"
        )
        parts.command_lines(commands(name.strip() or "NAME"))
        pressed = st.button("Create", type="primary", key="new_create", disabled=not name, icon=":material/add:")
    if pressed:
        with parts.shown_errors():
            user.require("editor")
            pipeline = services.pipelines.create({**document(), "name": name.strip()}, author=user.name)
            parts.toast_later(f"Pipeline {pipeline.name} created.")
            place.go("pipeline", id=pipeline.id, step=pipeline.steps[0].id if len(pipeline.steps) == 1 else None)


def free_name(services: Services, proposal: str) -> str:
    """The name, or the name with the next free number."""
    taken = set(services.pipelines.names()) if proposal else set()
    name, number = proposal, 2
    while name in taken:
        name, number = f"{proposal}-{number}", number + 1
    return name


def _from_yaml(services: Services, user: Principal) -> None:
    file = st.file_uploader("A YAML or JSON file", type=["yaml", "yml", "json"], key="new_file", max_upload_size=1)
    given = file.getvalue().decode("utf-8", "replace") if file else _HINT
    with st.container(key="code-new-yaml"):
        text = st.text_area("Or its text", given, height=280, key=f"new_yaml_{file.file_id if file else ''}")
    with st.container(horizontal=True, horizontal_alignment="right"):
        name = file.name if file else copy_as.pipelines.FILE
        parts.command_lines({"Create": copy_as.pipelines.from_file(name), "Check": copy_as.pipelines.check(name)})
        check = st.button("Check", icon=":material/fact_check:", key="new_check")
        pressed = st.button("Create", type="primary", key="new_create", icon=":material/add:")
    if not check and not pressed:
        return
    problems = problems_with_lines(text)
    if problems:
        show_problems(problems)
        return
    if check:
        st.success("This pipeline can run.", icon=":material/check:")
        return
    with parts.shown_errors():
        user.require("editor")
        pipeline = services.pipelines.create_from_yaml(text, author=user.name)
        parts.toast_later(f"Pipeline {pipeline.name} created.")
        place.go("pipeline", id=pipeline.id)


def show_problems(problems: Sequence[Mapping[str, Any]]) -> None:
    """What is wrong with a YAML text, each with its line."""
    rows = "".join(_problem_html(problem) for problem in problems[:_SHOWN])
    more = len(problems) - _SHOWN
    rest = f"<tr><td></td><td>and {more} more</td></tr>" if more > 0 else ""
    st.html(f'<div class="error-card"><table class="yaml-problems">{rows}{rest}</table></div>')


def _problem_html(problem: Mapping[str, Any]) -> str:
    line = f"Line {problem['line']}" if problem.get("line") else ""
    return f"<tr><td>{line}</td><td>{parts.escaped(str(problem['message']))}</td></tr>"
