"""The first visit: what there is to try, and one button."""

import streamlit as st

from etlml.errors import EtlmlError, NotFound
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import parts, place

EXAMPLE = "flights"
_STEPS = (
    (
        "Run an example",
        "336,776 flights of 2013 are read, cleaned, joined, checked and saved, and a model learns which arrive late.",
    ),
    ("Look inside", "See each step's rows and times, the rules, the model's metrics. Change a step and run it again."),
    ("Build your own", "Start from a file of yours, drag steps onto the canvas, put it on a schedule."),
)


def draw(services: Services, user: Principal) -> None:
    """A short guide in place of empty charts."""
    parts.head("Welcome", sub="Nothing has run here yet.")
    guide = "".join(f"<div><em>{at}</em><b>{name}</b>{text}</div>" for at, (name, text) in enumerate(_STEPS, start=1))
    st.html(f'<div class="steps-guide">{guide}</div>')
    try:
        example = services.pipelines.get(EXAMPLE)
    except NotFound:
        example = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if example is not None and st.button(
            f"Run {EXAMPLE}", type="primary", icon=":material/play_arrow:", key="run_flights_big"
        ):
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
