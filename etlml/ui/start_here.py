"""The first visit: three steps with how far one has come. It goes away once done or dismissed, and can be asked for again."""

from collections.abc import Callable

import streamlit as st

from etlml.errors import EtlmlError, NotFound
from etlml.services import Services
from etlml.services.guide import GuideState
from etlml.services.principals import Principal
from etlml.ui import copy_as, parts, place

EXAMPLE = "flights"
PARAM = "guide"
_STEPS = (
    (
        "Run an example",
        "336,776 flights of 2013 are read, cleaned, joined, checked and saved, and a model learns which arrive late.",
    ),
    ("Look at the result", "See each step's rows and times, the rules, the log lines, the model's metrics."),
    ("Build your own", "Start from a file of yours or a template, drag steps onto the canvas, put it on a schedule."),
)


def is_wanted(state: GuideState) -> bool:
    """Whether the guide stands on the dashboard: until it is done or dismissed, or when it is asked for."""
    return place.param(PARAM) == "1" or not (state.is_done or state.dismissed)


def draw(services: Services, user: Principal, state: GuideState, *, fresh: bool) -> None:
    """The guide; ``fresh`` where it stands in place of empty charts."""
    if fresh:
        parts.head("Welcome", sub="Nothing has run here yet.")
    with st.container(border=not fresh):
        if not fresh:
            _head(services, user, state)
        st.html(guide_html(state.steps))
        _buttons(services, user, state, fresh=fresh)
    if fresh:
        _examples(services)


def guide_html(done: tuple[bool, bool, bool]) -> str:
    """The three steps; those that are done have a tick."""
    cells = "".join(
        f'<div class="{"done" if is_done else ""}"><em>{"✓" if is_done else at}</em><b>{name}</b>{text}</div>'
        for at, ((name, text), is_done) in enumerate(zip(_STEPS, done, strict=True), start=1)
    )
    return f'<div class="steps-guide">{cells}</div>'


def _head(services: Services, user: Principal, state: GuideState) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        parts.section("First steps", f"{sum(state.steps)} of 3 done")
        st.space("stretch")
        if st.button("Hide", icon=":material/close:", type="tertiary", key="guide_hide", help="Hide the first steps"):
            services.guide.note(user.name, dismissed=True)
            place.set_params(**{PARAM: None})
            st.rerun()


def _buttons(services: Services, user: Principal, state: GuideState, *, fresh: bool) -> None:
    example = _example(services)
    ran, looked, built = state.steps
    with st.container(horizontal=True, vertical_alignment="center"):
        may_run = example is not None and user.permits("operator")
        if may_run and example and _offered(f"Run {EXAMPLE}", "run_flights_big", ":material/play_arrow:", main=not ran):
            _run(services, example, user)
        if state.run_id and _offered("Look at the result", "guide_look", ":material/search:", main=ran and not looked):
            services.guide.note(user.name, looked=True)
            place.go("run", id=state.run_id)
        main = not fresh and ran and looked and not built
        if user.permits("editor") and _offered("Build a pipeline", "build_first", ":material/add:", main=main):
            place.go("pipelines", new="1")
        if may_run:
            parts.command_lines({f"Run {EXAMPLE}": copy_as.runs.start(EXAMPLE)}, quiet=True)


def _offered(label: str, key: str, icon: str, *, main: bool) -> bool:
    return st.button(label, type="primary" if main else "secondary", icon=icon, key=key)


def _example(services: Services) -> str | None:
    try:
        return services.pipelines.get(EXAMPLE).id
    except NotFound:
        return None


def _examples(services: Services) -> None:
    shown = services.pipelines.list(limit=6).items
    if not shown:
        return
    parts.section("Ready to run")
    for at in range(0, len(shown), 3):
        for column, pipeline in zip(st.columns(3), shown[at : at + 3], strict=False):
            with column, st.container(border=True, height="stretch"):
                place.link("pipeline", f"**{pipeline.name}**", icon=":material/account_tree:", id=pipeline.id)
                st.caption(pipeline.description or f"{len(pipeline.steps)} steps")


def _run(services: Services, pipeline_id: str, user: Principal) -> None:
    _shown(lambda: place.go("run", id=services.runs.start(pipeline_id, author=user.name).id))


def _shown(action: Callable[[], None]) -> None:
    try:
        action()
    except EtlmlError as error:
        st.error(error.message, icon=":material/error:")
