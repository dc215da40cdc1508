"""What stands above a pipeline whose unsaved changes began on a version that somebody has saved over."""

from collections.abc import Callable

import streamlit as st

from etlml.documents import Pipeline
from etlml.services import Services
from etlml.ui import drafts, place
from etlml.ui.drafts import Draft


def draw(services: Services, pipeline: Pipeline, draft: Draft, save: Callable[[Draft], bool]) -> None:
    """Say so and offer the ways on; nothing where the draft stands on the newest version."""
    if not drafts.is_behind(draft, pipeline):
        return
    author = services.pipelines.version(pipeline.id, pipeline.version).author
    by = f" by {author}" if author else ""
    st.warning(
        f"Version {pipeline.version} was saved{by} after you had begun on version {draft.version}. Your changes are kept. "
        "Look at what is new, then save yours over it, or discard yours. Every version stays in the list.",
        icon=":material/call_split:",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Save mine over it", icon=":material/save:", key="save_over"):
            drafts.catch_up(draft, pipeline)
            save(draft)
        place.link(
            "pipeline",
            "What is new",
            icon=":material/difference:",
            id=pipeline.id,
            tab="Versions",
            version=str(pipeline.version),
            against=str(draft.version),
        )
