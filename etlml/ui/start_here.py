"""The first visit: what there is to try, and one button."""

import streamlit as st

from etlml.errors import EtlmlError, NotFound
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import parts, place

EXAMPLE = "flights"
_STEPS = (
    "<div><em>1</em><b>Run an example</b>336,776 flights of 2013 are read, cleaned, joined, checked, saved, and a model learns which arrive late.</div>"
    "<div><em>2</em><b>Look inside</b>See each step's rows and times, the rules that were checked, the model's metrics. Change a step and run it again.</div>"
    "<div><em>3</em><b>Build your own</b>Start from a file of yours, drag steps onto the canvas, put it on a schedule.</div>"
)


def draw(services: Services, user: Principal) -> None:
    """A short guide in place of empty charts."""
    parts.head("Welcome", sub="Nothing has run here yet.")
    st.html(f'<div class="steps-guide">{_STEPS}</div>')
    try:
        example = services.pipelines.get(EXAMPLE)
    except NotFound:
        example = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if example is not None and st.button(f"Run {EXAMPLE}", type="primary", icon=":material/play_arrow:", key="run_flights_big"):
            _run(services, example.id, user)
        if st.button("Build a pipeline", icon=":material/add:", key="build_first"):
            place.go("pipelines", new="1")
    shown = services.pipelines.list(limit=6).items
    if shown:
        parts.section("Ready to run")
        for column, pipeline in zip(st.columns(3), [*shown, None, None, None], strict=False):
            if pipeline is None:
                continue
            with column, st.container(border=True, height="stretch"):
                place.link("pipeline", f"**{pipeline.name}**", icon=":material/account_tree:", id=pipeline.id)
                st.caption(pipeline.description or f"{len(pipeline.steps)} steps")


def _run(services: Services, pipeline_id: str, user: Principal) -> None:
    try:
        run = services.runs.start(pipeline_id, author=user.name)
    except EtlmlError as error:
        st.error(error.message, icon=":material/error:")
        return
    place.go("run", id=run.id)
