"""Experiments: recorded from outside or by pipelines."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field, FiniteFloat

from api.bodies import StrictRoute
from api.deps import Editor, Moment, Operator, Paged, Repeatable, Search, Use, Viewer
from api.replies import List, Request
from etlml.documents import Experiment, ExperimentStatus, MetricPoint, Model
from etlml.store import Page

router = APIRouter(prefix="/experiments", tags=["experiments"], route_class=StrictRoute)
MOST_POINTS = 10_000
Number = Annotated[FiniteFloat, Field(strict=True)]


class ExperimentRequest(Request):
    """A training that goes on outside the platform."""

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    project: str = Field("default", min_length=1, max_length=100)
    parameters: dict[str, Any] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list, max_length=50)
    pipeline_id: str | None = None


class PointRequest(Request):
    """One value of one metric."""

    key: str = Field(min_length=1, max_length=200)
    value: Number
    step: int = Field(0, ge=0, le=2**62)
    ts: Moment | None = None


class PointsRequest(Request):
    """Values of metrics."""

    points: list[PointRequest] = Field(min_length=1, max_length=MOST_POINTS)


class CompleteRequest(Request):
    """The outcome of a training."""

    metrics: dict[str, Number | None] = Field(default_factory=dict)
    artifacts: dict[str, Any] = Field(default_factory=dict)


class RegisterRequest(Request):
    """As what to register the experiment's model."""

    name: str = Field(min_length=1, max_length=100)
    model_file: str | None = Field(
        None, max_length=1000, description="A skops file under ETLML_HOME, if not the training's own."
    )
    description: str = ""


class PointsReply(Request):
    """How many points were recorded."""

    recorded: int


@router.get("")
def list_experiments(
    services: Use,
    _: Viewer,
    page: Paged,
    q: Search = None,
    project: Annotated[str | None, Query(max_length=100)] = None,
    status: ExperimentStatus | None = None,
    pipeline_id: Annotated[str | None, Query(max_length=100)] = None,
    run_id: Annotated[str | None, Query(max_length=100)] = None,
    best: Annotated[
        str | None,
        Query(max_length=200, description="A metric: the best by it, in one page; by q, project and status only."),
    ] = None,
) -> List[Experiment]:
    """Experiments, newest first; or the best by a metric, without their artifacts."""
    if best is not None:
        ranked = services.experiments.best(best, q=q, project=project, status=status, limit=page.limit)
        return List.of(Page(list(ranked), None))
    found = services.experiments.list(
        q=q,
        project=project,
        status=status,
        pipeline_id=pipeline_id,
        run_id=run_id,
        limit=page.limit,
        cursor=page.cursor,
    )
    return List.of(found)


@router.post("", status_code=201)
def create_experiment(services: Use, editor: Editor, body: ExperimentRequest, once: Repeatable) -> Experiment:
    """Record a training as running."""
    return once.create_at(
        "experiments",
        get=services.experiments.get,
        create=lambda new_id: services.experiments.create(**body.model_dump(), author=editor.name, document_id=new_id),
    )


@router.get("/{experiment_id}")
def get_experiment(services: Use, _: Viewer, experiment_id: str) -> Experiment:
    """One experiment."""
    return services.experiments.get(experiment_id)


@router.delete("/{experiment_id}", status_code=204)
def delete_experiment(services: Use, operator: Operator, experiment_id: str) -> None:
    """Delete an experiment with its points; models made of it stay."""
    services.experiments.delete(experiment_id, author=operator.name)


@router.post("/{experiment_id}/metrics")
def add_metrics(services: Use, _: Editor, experiment_id: str, body: PointsRequest) -> PointsReply:
    """Record values of metrics of a running experiment."""
    points = [point.model_dump(exclude_none=True) for point in body.points]
    return PointsReply(recorded=services.experiments.add_metrics(experiment_id, points))


@router.get("/{experiment_id}/metrics")
def list_metric_keys(services: Use, _: Viewer, experiment_id: str) -> list[str]:
    """The names of the metrics that have points."""
    services.experiments.get(experiment_id)
    return list(services.experiments.metric_keys(experiment_id))


@router.get("/{experiment_id}/metrics/{key:path}")
def get_metric(services: Use, _: Viewer, experiment_id: str, key: str) -> list[MetricPoint]:
    """The points of one metric, by step."""
    return list(services.experiments.metrics(experiment_id, key))


@router.post("/{experiment_id}/complete")
def complete_experiment(
    services: Use, editor: Editor, experiment_id: str, body: CompleteRequest | None = None
) -> Experiment:
    """Finish a running experiment."""
    outcome = body or CompleteRequest()
    return services.experiments.complete(
        experiment_id, metrics=outcome.metrics, artifacts=outcome.artifacts, author=editor.name
    )


@router.post("/{experiment_id}/cancel")
def cancel_experiment(services: Use, editor: Editor, experiment_id: str) -> Experiment:
    """Mark a running experiment as cancelled; a run that trains it is stopped."""
    return services.experiments.cancel(experiment_id, author=editor.name)


@router.post("/{experiment_id}/register", status_code=201)
def register_model(
    services: Use, editor: Editor, experiment_id: str, body: RegisterRequest, response: Response
) -> Model:
    """Make the experiment's model the next version of a registered one; repeated, it is the version that it was."""
    model = services.experiments.register(
        experiment_id, body.name, model_file=body.model_file, description=body.description, author=editor.name
    )
    response.headers["Location"] = f"/api/models/{model.name}/versions/{model.version}"
    return model
