"""The script of a pipeline, shown before it is saved."""

import streamlit as st

from etlml.documents import Pipeline
from etlml.services import Services
from etlml.ui import parts

_HEIGHT = 520


@st.dialog("Export as Python script", width="large")
def show(services: Services, pipeline: Pipeline) -> None:
    """Show the script of a saved pipeline, with a button that downloads it."""
    st.html(parts.NO_MENU)
    with parts.shown_errors():
        text = services.scripts.of(pipeline)
        name = f"{pipeline.name.replace(' ', '-')}.py"
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.caption(
            f"Does what version {pipeline.version} does, with DuckDB and scikit-learn alone: `python {name} --data FOLDER`. "
            f"{text.count(chr(10)):,} lines; the pipeline comes first, what it is made with below."
        )
        right.download_button(
            "Download",
            text,
            name,
            "text/x-python",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
            width="stretch",
        )
        st.code(text, language="python", height=_HEIGHT)
