"""The model registry, and predictions."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from api.bodies import StrictRoute
from api.deps import Operator, Paged, Search, Use, Viewer
from api.replies import List, Prediction, Request
from etlml.documents import Model, ModelStatus
from etlml.services.models import LATEST

router = APIRouter(prefix="/models", tags=["models"], route_class=StrictRoute)


class VersionRequest(Request):
    """What to change of a version; what is left out stays."""

    status: ModelStatus | None = None
    aliases: list[str] | None = Field(None, max_length=20)
    description: str | None = Field(None, max_length=10_000)


class PredictRequest(Request):
    """Rows to predict: one mapping a row, or one list a column."""

    rows: list[dict[str, Any]] | None = None
    data: dict[str, list[Any]] | None = None
    version: str = Field(LATEST, max_length=100, description="A version, an alias, or latest.")

    @model_validator(mode="after")
    def _has_one_of_both(self) -> "PredictRequest":
        if (self.rows is None) == (self.data is None):
            raise ValueError("give either rows (a list of mappings) or data (a list for each column)")
        return self


@router.get("")
def list_models(
    services: Use,
    _: Viewer,
    page: Paged,
    q: Search = None,
    status: ModelStatus | None = None,
    name: Annotated[str | None, Query(max_length=100)] = None,
) -> List[Model]:
    """Versions of all models, newest first."""
    return List.of(services.models.list(q=q, status=status, name=name, limit=page.limit, cursor=page.cursor))


@router.get("/{name}")
def get_model(services: Use, _: Viewer, name: str) -> List[Model]:
    """All versions of a model, newest first."""
    return List.model_construct(items=list(services.models.versions(name)), next_cursor=None)


@router.get("/{name}/versions/{version}")
def get_version(services: Use, _: Viewer, name: str, version: str) -> Model:
    """One version: v1.0, an alias, or latest."""
    return services.models.get_version(name, version)


@router.patch("/{name}/versions/{version}")
def update_version(services: Use, operator: Operator, name: str, version: str, body: VersionRequest) -> Model:
    """Change a version's status, aliases or description."""
    return services.models.update(
        name,
        version,
        status=body.status,
        aliases=body.aliases,
        description=body.description,
        author=operator.name,
    )


@router.post("/{name}/predict")
def predict(services: Use, _: Viewer, name: str, body: PredictRequest) -> Prediction:
    """What a model says of some rows."""
    rows: Any = body.rows if body.rows is not None else body.data
    return Prediction.model_validate(services.models.predict(name, rows, version=body.version))
