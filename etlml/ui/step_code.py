"""The selected step as YAML."""

import streamlit as st
from pydantic import TypeAdapter, ValidationError

from etlml.documents import Step
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.ui.drafts import Draft


def draw(services: Services, draft: Draft, step: Step, *, may_edit: bool) -> None:
    """The step as YAML, to read, copy and change."""
    import yaml

    document = step.model_dump(mode="json", exclude_defaults=True)
    document.pop("position", None)
    shown = services.pipelines.to_yaml(
        draft.document.model_copy(update={"steps": [step.model_copy(update={"position": None})], "name": "x"})
    )
    body = shown.partition("steps:\n")[2]
    text = st.text_area(
        "YAML",
        _dedented(body),
        height=380,
        key=f"{draft.pipeline_id}.{step.id}.{draft.form}.yaml",
        disabled=not may_edit,
        label_visibility="collapsed",
    )
    if may_edit and st.button("Apply", key="apply_step_yaml", icon=":material/check:"):
        try:
            given = services.pipelines.from_yaml(text)
            new = TypeAdapter(Step).validate_python(
                {**given, "id": given.get("id", step.id), "position": step.position}
            )
        except EtlmlError as error:
            st.error(f"```\n{error.message}\n```")
            return
        except (ValidationError, yaml.YAMLError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
            st.error(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")
            return
        draft.change_step(new, old_id=step.id)
        draft.form += 1
        draft.rev += 1
        st.rerun()


def _dedented(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(line[4:] if line.startswith("    ") else line.removeprefix("  - ") for line in lines)
