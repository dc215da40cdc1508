"""A pipeline's tab with the whole of it as YAML."""

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.drafts import draft_from
from etlml.services.principals import Principal
from etlml.services.yaml_lines import problems_with_lines
from etlml.ui import copy_as, drafts, new_pipeline, parts
from etlml.ui.drafts import Draft


def draw(services: Services, draft: Draft, user: Principal, *, may_edit: bool) -> None:
    """The draft as text; applied, it becomes the draft."""
    written = services.pipelines.to_yaml(draft.document)
    with st.container(key="code-whole-yaml"):
        text = st.text_area(
            "YAML",
            written,
            height=560,
            key=f"{draft.pipeline_id}.{draft.form}.{hash(written)}.yaml",
            disabled=not may_edit,
            label_visibility="collapsed",
        )
    if not may_edit:
        return
    with st.container(horizontal=True):
        pressed = st.button("Apply to the draft", icon=":material/check:", key="apply_yaml")
        file = copy_as.pipelines.FILE
        save = copy_as.pipelines.save(draft.document.name)
        parts.command_lines({"Check": copy_as.pipelines.check(file), "Save": save})
    if pressed:
        try:
            document = draft_from(services.pipelines.from_yaml(text))
        except EtlmlError:
            new_pipeline.show_problems(problems_with_lines(text))
            return
        hooks = [each for each in draft.document.triggers if each.kind == "webhook"]  # no document speaks of them
        draft.replace(document.model_copy(update={"triggers": [*document.triggers, *hooks]}))
        drafts.keep(services, draft, user.name)
        parts.toast_later("Applied. Save to make it a version.")
        st.rerun()
