"""Runs: started, followed, stopped, tried again, compared, deleted."""

from collections.abc import Mapping, Sequence
from typing import Any

from etlml.ui.copy_as.action import EACH, Action, Request, action, of_each, options, pair, path, query


def start(pipeline: str, params: Mapping[str, Any] | None = None, until: str | None = None) -> Action:
    """Run a pipeline, or its steps up to one, with these values of its parameters."""
    given = dict(params or {})
    body = ({"params": given} if given else {}) | ({"until": until} if until else {})
    words = ["run", pipeline, *options(param=[pair(name, value) for name, value in given.items()], until=until)]
    return action([*words, "--wait"], Request("POST", path("pipelines", pipeline, "run"), body or None))


def start_all(pipelines: Sequence[str]) -> Action:
    """Run some pipelines with the values that their parameters have."""
    asked = of_each([], pipelines, "POST", "pipelines", EACH, "run").requests
    return Action(tuple(("run", name) for name in pipelines), asked)


def follow(run_id: str) -> Action:
    """Look at a run, and follow what it logs."""
    return action(["logs", run_id, "-f"], Request("GET", path("runs", run_id)))


def cancel(ids: Sequence[str]) -> Action:
    """Stop runs."""
    return of_each(["cancel"], ids, "POST", "runs", EACH, "cancel")


def retry(ids: Sequence[str], from_: str = "failed") -> Action:
    """Run again from a step, from what failed, or from the start."""
    begin = options(from_=None if from_ == "failed" else from_)
    return of_each(["retry", *begin], ids, "POST", "runs", EACH, "retry", body={"from": from_})


def delete(ids: Sequence[str]) -> Action:
    """Delete runs."""
    return of_each(["delete", "run"], ids, "DELETE", "runs", EACH)


def rows(run_id: str, step: str) -> Action:
    """Look at the rows that a step gave."""
    return action(["rows", run_id, step], Request("GET", path("runs", run_id, "steps", step, "preview")))


def compare(before: str, after: str) -> Action:
    """Compare two runs."""
    return action(["compare", before, after], Request("GET", path("runs", before, "compare", after)))


def compare_rows(before: str, after: str, step: str, keys: Sequence[str]) -> Action:
    """Compare the rows of a step in two runs."""
    names = ",".join(keys)
    asked = Request("GET", path("runs", before, "compare", after, "steps", step), query=query(keys=names))
    return action(["compare", before, after, *options(step=step, keys=names)], asked)
