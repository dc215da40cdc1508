"""What can be done with one thing of a list or a page, as commands: by what its button says."""

from etlml.documents import Backfill, Channel, Experiment, Model, Pipeline, Run, User
from etlml.services.fires import ScheduleRow
from etlml.ui import copy_as
from etlml.ui.copy_as import Action

Commands = dict[str, Action]


def run(one: Run) -> Commands:
    """Follow it; stop it while it goes on, else run it again or delete it."""
    found = {"Follow": copy_as.runs.follow(one.id)}
    if not one.is_final:
        return found | {"Stop": copy_as.runs.cancel([one.id])}
    return found | run_again(one) | {"Delete": copy_as.runs.delete([one.id])}


def run_again(one: Run) -> Commands:
    """Run what did not succeed again, or everything."""
    failed = one.error.step if one.error and one.error.step else "failed"
    found = {"Run again": copy_as.runs.retry([one.id], failed)} if one.status != "success" else {}
    return found | {"Everything again": copy_as.runs.retry([one.id], "start")}


def pipeline(one: Pipeline) -> Commands:
    """Run, pause or resume, take along, delete."""
    found = {"Run": copy_as.runs.start(one.name, one.params)} if one.steps else {}
    found |= _paused(one.name, paused=one.options.paused)
    return found | {"Export": copy_as.pipelines.export(one.name), "Delete": copy_as.pipelines.delete([one.name])}


def schedule(one: ScheduleRow) -> Commands:
    """Pause or resume."""
    return _paused(one.pipeline, paused=one.paused)


def _paused(name: str, *, paused: bool) -> Commands:
    return {"Resume": copy_as.pipelines.resume([name])} if paused else {"Pause": copy_as.pipelines.pause([name])}


def backfill(one: Backfill) -> Commands:
    """Pause, resume, cancel; nothing once it is at its end."""
    change = copy_as.backfills.change
    if one.status not in ("running", "paused"):
        return {}
    found = {"Pause": change([one.id], "pause")} if one.status == "running" else {"Resume": change([one.id], "resume")}
    return found | {"Cancel": change([one.id], "cancel")}


def experiment(one: Experiment) -> Commands:
    """Stop it while it learns, else register its model or delete it."""
    if one.status == "running":
        return {"Stop": copy_as.experiments.cancel(one.id)}
    may_register = one.status == "completed" and not one.model_name
    found = {"Register model": copy_as.experiments.register(one.id, one.name)} if may_register else {}
    return found | {"Delete": copy_as.experiments.delete([one.id])}


def model(one: Model) -> Commands:
    """Deploy a version, take it back, archive it."""
    offered = {
        "registered": {"Deploy": "deployed", "Archive": "archived"},
        "deployed": {"Take back": "registered"},
        "archived": {"Deploy": "deployed"},
    }
    return {
        label: copy_as.models.set_status(one.name, one.version, status) for label, status in offered[one.status].items()
    }


def connection(name: str) -> Commands:
    """Test, delete."""
    return {"Test": copy_as.connections.test(name), "Delete": copy_as.connections.delete(name)}


def secret(name: str) -> Commands:
    """Replace, delete."""
    return {"Replace": copy_as.connections.set_secret(name), "Delete": copy_as.connections.delete_secret(name)}


def channel(one: Channel) -> Commands:
    """Test, switch off or on, delete."""
    switch = "Switch off" if one.enabled else "Switch on"
    return {
        "Test": copy_as.channels.test(one.name),
        switch: copy_as.channels.switch(one.name, on=not one.enabled),
        "Delete": copy_as.channels.delete(one.name),
    }


def person(one: User) -> Commands:
    """Shut out or let in, a new password, delete."""
    return {
        "Let in" if one.disabled else "Shut out": copy_as.people.shut_out(one.name, disabled=not one.disabled),
        "New password": copy_as.people.change(one.name, password=True),
        "Delete": copy_as.people.delete(one.name),
    }
