"""Experiments: stopped, registered, deleted."""

from collections.abc import Sequence

from etlml.ui.copy_as.action import EACH, Action, Request, action, of_each, options, path


def cancel(experiment_id: str) -> Action:
    """Stop a training."""
    return action(
        ["experiments", experiment_id, "--cancel"], Request("POST", path("experiments", experiment_id, "cancel"))
    )


def register(experiment_id: str, name: str, description: str = "") -> Action:
    """Make its model the next version of a registered one."""
    body = {"name": name} | ({"description": description} if description else {})
    words = ["experiments", experiment_id, *options(register_as=name, description=description)]
    return action(words, Request("POST", path("experiments", experiment_id, "register"), body))


def delete(ids: Sequence[str]) -> Action:
    """Delete experiments."""
    return of_each(["delete", "experiment"], ids, "DELETE", "experiments", EACH)
