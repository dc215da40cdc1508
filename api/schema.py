"""What FastAPI cannot tell by itself goes into the OpenAPI document here."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from etlml.documents import PipelineDraft

_PUBLIC = frozenset({"/api/health", "/api/auth/token"})


def complete_schema(app: FastAPI) -> None:
    """Have ``app.openapi()`` also describe bodies of YAML, and who may call without credentials."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    draft = PipelineDraft.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, definition in draft.pop("$defs", {}).items():
        components.setdefault(name, definition)
    components["PipelineDraft"] = draft
    for path in _PUBLIC:
        for operation in schema["paths"].get(path, {}).values():
            operation.pop("security", None)
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    return schema
