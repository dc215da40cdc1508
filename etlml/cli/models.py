"""Models: models, predict, train."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etlml.cli.options import Json, given, one_of, pairs, words
from etlml.cli.output import local, print_json, print_list

if TYPE_CHECKING:
    from etlml.cli.output import Columns
    from etlml.documents import Experiment, Model, Run

STATES = ["registered", "deployed", "archived"]
EXPERIMENTS: "Columns[Experiment]" = {
    "ID": lambda one: one.id,
    "EXPERIMENT": lambda one: one.name,
    "STATUS": lambda one: one.status,
    "METRICS": lambda one: metrics_line(one.metrics),
    "CREATED": lambda one: local(one.created_at),
}
MODELS: "Columns[Model]" = {
    "MODEL": lambda one: one.name,
    "VERSION": lambda one: one.version,
    "STATUS": lambda one: one.status,
    "ALIASES": lambda one: ", ".join(one.aliases),
    "ALGORITHM": lambda one: one.algorithm,
    "METRICS": lambda one: metrics_line(one.metrics),
    "CREATED": lambda one: local(one.created_at),
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (train, experiments, models, predict):
        app.command()(command)


def experiments(
    id: Annotated[str | None, typer.Argument(help="Show this one; without it, they are listed.")] = None,
    best: Annotated[str | None, typer.Option(help="Rank by this metric; newest first without it.")] = None,
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop the one that is named.")] = False,
    register_as: Annotated[
        str | None, typer.Option("--register-as", metavar="NAME", help="Register its model under this name.")
    ] = None,
    description: Annotated[str, typer.Option(help="With --register-as: what is worth knowing.")] = "",
    as_json: Json = False,
) -> None:
    """List experiments, the newest or the best first; show one, stop it, or register its model."""
    from etlml.cli.session import services

    if id is None and (cancel or register_as):
        raise typer.BadParameter("Name the experiment.", param_hint="ID")
    with services() as opened:
        if id is not None:
            one_experiment(opened, id, cancel=cancel, register_as=register_as, description=description)
            return
        found = (
            opened.experiments.best(best, project=project, limit=limit)
            if best
            else opened.experiments.list(project=project, limit=limit).items
        )
    empty = f"No experiment has the metric {best!r}." if best else "No experiments yet. A train step records them."
    print_list(found, EXPERIMENTS, as_json=as_json, empty=empty)


def one_experiment(opened: Any, id: str, *, cancel: bool, register_as: str | None, description: str) -> None:
    """Show an experiment as JSON, after it was stopped or its model registered."""
    if cancel:
        opened.experiments.cancel(id)
    if register_as:
        model = opened.experiments.register(id, register_as, description=description)
        typer.echo(f"Registered as {model.name} {model.version}", err=True)
    print_json(opened.experiments.get(id))


def models(
    name: Annotated[
        str | None, typer.Argument(help="All versions of this model; without it, the newest of each.")
    ] = None,
    version: Annotated[str | None, typer.Argument(help="One version, to change it: v1.0, an alias, or latest.")] = None,
    status: Annotated[str | None, typer.Option(help=f"Make it {', '.join(STATES)}.")] = None,
    alias: Annotated[
        list[str] | None, typer.Option(help="An alias in place of those it has; may be repeated. Empty: none.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What is worth knowing about it.")] = None,
    as_json: Json = False,
) -> None:
    """List registered models; with a version, change where it stands, its aliases or its description."""
    from etlml.cli.session import services

    aliases = alias and [one for one in alias if one]
    changes = given(status=one_of(STATES, status, "--status"), aliases=aliases, description=description)
    if changes and version is None:
        raise typer.BadParameter("Name the version, too.", param_hint="VERSION")
    with services() as opened:
        known = opened.models
        if name and version:
            print_json(known.update(name, version, **changes) if changes else known.get_version(name, version))
            return
        found = known.versions(name) if name else [known.get(each) for each in known.names()]
    empty = "No models yet. A train step with register_as makes one: etlml run flights --wait"
    print_list(found, MODELS, as_json=as_json, empty=empty)


def predict(
    name: Annotated[str, typer.Argument(help="Name of a registered model.")],
    data: Annotated[Path, typer.Argument(help="Rows to predict: CSV, TSV, JSON, JSON Lines, Parquet or Excel.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="CSV, JSON Lines or Parquet file to write; standard output otherwise."),
    ] = None,
    version: Annotated[str, typer.Option(help="A version (v1.0), an alias, or latest.")] = "latest",
    as_json: Json = False,
) -> None:
    """Predict a file's rows: its columns and the prediction, with a probability for each class."""
    from etlml.cli.session import services
    from etlml.cli.tables import checked_target, rows_of, write_csv, write_rows

    if output is not None:
        checked_target(output)
    with services() as opened, rows_of(data) as batches:
        model = opened.models.get_version(name, version)
        predicted = (
            with_predictions(opened.models.predict(name, rows, version=model.version), rows) for rows in batches
        )
        if output is not None:
            count = write_rows(predicted, output)
            typer.echo(f"Wrote {count:,} rows to {output}, predicted by {name} {model.version}", err=True)
        elif as_json:
            print_json({"model": name, "version": model.version, "rows": [row for batch in predicted for row in batch]})
        else:
            write_csv(predicted)


def train(
    data: Annotated[Path, typer.Argument(help="Rows to learn from: CSV, TSV, JSON, JSON Lines, Parquet or Excel.")],
    target: Annotated[str | None, typer.Option(help="Column to learn; left out for a clusterer.")] = None,
    algorithm: Annotated[
        str, typer.Option(help="scikit-learn class, also in snake_case.")
    ] = "random_forest_classifier",
    features: Annotated[
        str | None, typer.Option(help="Columns to learn from, separated by commas; all others otherwise.")
    ] = None,
    param: Annotated[
        list[str], typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the algorithm.")
    ] = [],  # noqa: B006
    test_size: Annotated[
        float, typer.Option(help="Share of the rows that the model is tested on.", min=0.01, max=0.99)
    ] = 0.2,
    register_as: Annotated[
        str | None, typer.Option("--register-as", help="Register the model under this name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on a file: makes the pipeline train-<file>, runs it and prints the metrics."""
    from etlml.cli.session import services
    from etlml.cli.watching import watch

    config = {"algorithm": algorithm, "test_size": test_size, "parameters": pairs(param)}
    config |= given(target=target or None, register_as=register_as or None)
    config |= {"features": words(features)} if features else {}
    with services() as opened:
        pipeline, _ = opened.pipelines.apply(training_pipeline(data, config))
        run = watch(opened, opened.runs.start(pipeline.id).id, quiet=as_json)
        experiment = next(iter(opened.experiments.list(run_id=run.id, limit=1).items), None)
    print_json({"run": run, "experiment": experiment}) if as_json else print_training(run, experiment)
    if run.status != "success":
        raise typer.Exit(1)


def training_pipeline(data: Path, config: dict[str, Any]) -> dict[str, Any]:
    """The pipeline that reads a file and trains on it."""
    path = data.expanduser().resolve() if data.exists() else data  # else it may lie in ETLML_HOME/data
    name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in data.name.partition(".")[0])
    return {
        "name": f"train-{name}",
        "description": f"Made by `etlml train {data.name}`.",
        "steps": [
            {"id": "data", "type": "extract", "config": {"source": {"kind": "file", "path": str(path)}}},
            {"id": "model", "type": "train", "config": config},
        ],
    }


def print_training(run: "Run", experiment: "Experiment | None") -> None:
    """How a training ended, what it measured, and the model that came of it."""
    from etlml.cli.watching import print_end

    print_end(run)
    if experiment is None:
        return
    typer.echo(metrics_line(experiment.metrics))
    if experiment.model_version:
        typer.echo(f"Registered as {experiment.model_name} {experiment.model_version}")


def metrics_line(metrics: dict[str, float | None], most: int = 4) -> str:
    """The first few metrics in one line; those of the training rows only if there are no others."""
    known = {name: value for name, value in metrics.items() if value is not None}
    tested = {name: value for name, value in known.items() if not name.startswith("train_")} or known
    return "  ".join(f"{name} {value:.4g}" for name, value in list(tested.items())[:most])


def with_predictions(predicted: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with ``prediction`` and, from a classifier, ``probability_<class>``."""
    probabilities = predicted.get("probabilities") or [{}] * len(rows)
    return [
        {**row, "prediction": value, **{f"probability_{label}": share for label, share in shares.items()}}
        for row, value, shares in zip(rows, predicted["predictions"], probabilities, strict=True)
    ]
