"""The dialog that makes a pipeline: from nothing, from a template, from YAML."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.principals import Principal
from etlml.ui import parts, place

TEMPLATES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "File to file": (
        "Read a file, keep some rows, write Parquet.",
        {
            "steps": [
                {
                    "id": "read",
                    "type": "extract",
                    "config": {"source": {"kind": "file", "path": "examples/penguins.csv"}},
                },
                {"id": "tidy", "type": "transform", "config": {"ops": [{"op": "drop_null"}]}},
                {
                    "id": "save",
                    "type": "load",
                    "config": {"sink": {"kind": "file", "path": "out/result.parquet"}, "mode": "overwrite"},
                },
            ]
        },
    ),
    "Check a file": (
        "Read a file and check rules on it; rows that break one are set aside.",
        {
            "steps": [
                {
                    "id": "read",
                    "type": "extract",
                    "config": {"source": {"kind": "file", "path": "examples/penguins.csv"}},
                },
                {
                    "id": "check",
                    "type": "validate",
                    "config": {
                        "on_failure": "quarantine",
                        "rules": [
                            {"rule": "not_null", "column": "species"},
                            {"rule": "between", "column": "year", "min": 2000, "max": 2030},
                        ],
                    },
                },
                {
                    "id": "save",
                    "type": "load",
                    "config": {"sink": {"kind": "file", "path": "out/checked.parquet"}, "mode": "overwrite"},
                },
            ]
        },
    ),
    "Train a model": (
        "Read a file, train a classifier, register it.",
        {
            "steps": [
                {
                    "id": "read",
                    "type": "extract",
                    "config": {"source": {"kind": "file", "path": "examples/penguins.csv"}},
                },
                {
                    "id": "model",
                    "type": "train",
                    "config": {"target": "species", "algorithm": "random_forest_classifier", "register_as": "my-model"},
                },
            ]
        },
    ),
}
_YAML_HINT = """name: my-pipeline
steps:
  - {id: read, type: extract, config: {source: {kind: file, path: examples/penguins.csv}}}
"""


def ask(services: Services, user: Principal) -> None:
    """Open the dialog."""

    @st.dialog("New pipeline", width="medium")
    def dialog() -> None:
        way = st.segmented_control(
            "Start from", ["Empty canvas", "Template", "YAML"], default="Empty canvas", key="new_way", required=True
        )
        if way == "YAML":
            _from_yaml(services, user)
        else:
            _named(services, user, with_template=way == "Template")

    dialog()


def _named(services: Services, user: Principal, *, with_template: bool) -> None:
    name = st.text_input("Name", key="new_name", placeholder="orders-daily")
    chosen = (
        st.radio("Template", list(TEMPLATES), captions=[text for text, _ in TEMPLATES.values()], key="new_template")
        if with_template
        else None
    )
    if st.button("Create", type="primary", key="new_create", disabled=not name):
        document = {"name": name, **(TEMPLATES[chosen][1] if chosen else {})}
        with parts.shown_errors():
            pipeline = services.pipelines.create(document, author=user.name)
            parts.toast_later(f"Pipeline {pipeline.name} created.")
            place.go("pipeline", id=pipeline.id)


def _from_yaml(services: Services, user: Principal) -> None:
    file = st.file_uploader("A YAML file", type=["yaml", "yml", "json"], key="new_file")
    given = file.getvalue().decode("utf-8", "replace") if file else _YAML_HINT
    text = st.text_area("YAML", given, height=260, key=f"new_yaml_{file.file_id if file else ''}")
    if st.button("Create", type="primary", key="new_create"):
        try:
            pipeline = services.pipelines.create_from_yaml(text, author=user.name)
        except EtlmlError as error:
            for problem in error.details.get("problems") or [{"message": error.message}]:
                st.error(problem["message"])
            return
        parts.toast_later(f"Pipeline {pipeline.name} created.")
        place.go("pipeline", id=pipeline.id)
