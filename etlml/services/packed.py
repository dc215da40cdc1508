"""What a pack's lines say, judged line by line: a pack may come from anybody, so nothing is used that is not as it must be."""

import re
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import ValidationError

from etlml.documents import Experiment, MetricPoint, Model, Run, Stored
from etlml.errors import DataUnreadable
from etlml.services.pack_file import PackReader

S = TypeVar("S", bound=Stored)
_CHECKPOINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,149}\.parquet")


def read_model(pack: PackReader, line: dict[str, Any]) -> tuple[Model, str]:
    """A version of a model, and its file's name in the pack; DataUnreadable if that is not its file."""
    model = valid_document(Model, line.get("document"), "model")
    packed = str(line.get("file", ""))
    if model.file_sha256 and pack.entry(packed).sha256 != model.file_sha256:
        raise DataUnreadable(
            f"The pack is damaged: the file of model {model.name} {model.version} is not the one that was registered."
        )
    return model, packed


def read_run(pack: PackReader, line: dict[str, Any], runs_dir: Path) -> tuple[Run, dict[Path, str]]:
    """An ended run, and for each place of a checkpoint its name in the pack; DataUnreadable if it is none."""
    run = valid_document(Run, line.get("document"), "run")
    if not run.is_final:
        raise DataUnreadable(f"The pack is damaged: run {run.id[:40]!r} has not ended.")
    packed = line.get("files")
    files = {
        checkpoint_place(str(path), runs_dir): str(name)
        for path, name in (packed if isinstance(packed, dict) else {}).items()
    }
    for name in files.values():
        pack.entry(name)
    for step in run.steps:
        if step.checkpoint is not None:
            checkpoint_place(step.checkpoint, runs_dir)
    return run, files


def read_experiment(line: dict[str, Any]) -> tuple[Experiment, list[MetricPoint]]:
    """An ended experiment of a pack, and its metrics' points; DataUnreadable if they are none."""
    experiment = valid_document(Experiment, line.get("document"), "experiment")
    if experiment.status == "running":
        raise DataUnreadable(f"The pack is damaged: experiment {experiment.name[:40]!r} has not ended.")
    series = line.get("series")
    try:
        points = [
            MetricPoint(experiment_id=experiment.id, key=str(key), step=step, value=value, ts=ts)
            for key, each in (series.items() if isinstance(series, dict) else ())
            for step, value, ts in each
        ]
    except (TypeError, ValueError):
        raise DataUnreadable(f"The pack has metrics of {experiment.name[:40]!r} that cannot be read.") from None
    return experiment, points


def valid_document(model: type[S], document: Any, kind: str) -> S:
    """The document in a pack; DataUnreadable if it is none."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataUnreadable(f"The pack has a {kind} that cannot be read: {place}: {first['msg']}.") from None


def checkpoint_place(path: str, runs_dir: Path) -> Path:
    """Where a checkpoint goes; DataUnreadable if that is not within the folder of runs."""
    target = runs_dir / PurePosixPath(path)
    inside = target.parent.parent.resolve() == runs_dir.resolve() and not target.parent.is_symlink()
    if not _CHECKPOINT.fullmatch(path) or ".." in path or not inside:
        raise DataUnreadable(
            f"The pack names a file {path[:80]!r}, which is no checkpoint's. It was not made by `etlml pack`."
        )
    return target
