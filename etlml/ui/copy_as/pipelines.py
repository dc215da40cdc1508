"""Pipelines: made, saved, taken along, paused, deleted; their webhooks and versions."""

from collections.abc import Sequence

from etlml.ui.copy_as.action import EACH, YAML_TYPE, Action, Request, action, of_each, options, path

FILE = "pipeline.yaml"


def new(name: str) -> Action:
    """Make a pipeline without steps."""
    return action(["new", name], Request("POST", path("pipelines"), {"name": name}))


def from_template(name: str, key: str) -> Action:
    """Make a pipeline of a template."""
    asked = Request("POST", path("pipelines", "from-template", key), {"name": name})
    return action(["new", name, *options(template=key)], asked)


def from_file(file: str = FILE) -> Action:
    """Make a pipeline of a YAML file."""
    return action(["apply", file], Request("POST", path("pipelines"), sends=file))


def check(file: str = FILE) -> Action:
    """Say what is wrong with a YAML file, and save nothing."""
    return action(["apply", "--check", file], Request("POST", path("pipelines", "validate"), sends=file))


def reading(name: str, file: str, *, adds: bool = False) -> Action:
    """Make a pipeline that reads a data file.

    Args:
        file: Its path; with ``adds`` the name of a file that is added first.
    """
    taken = f"uploads/{file}" if adds else file
    made = action(
        ["new", name, *options(file=taken)],
        Request("POST", path("pipelines", "from-file"), {"name": name, "path": taken}),
    )
    return add_file(file).then(made) if adds else made


def add_file(file: str) -> Action:
    """Add a data file for steps to read."""
    return action(["files", *options(add=file)], Request("POST", path("files"), uploads=file))


def copy(name: str, new_name: str) -> Action:
    """Make a copy, without the schedule."""
    asked = Request("POST", path("pipelines", name, "copy"), {"name": new_name})
    return action(["new", new_name, *options(like=name)], asked)


def save(name: str) -> Action:
    """Save a YAML file as the pipeline's next version."""
    return action(["apply", FILE], Request("PUT", path("pipelines", name), sends=FILE))


def export(name: str) -> Action:
    """Write the pipeline to a YAML file."""
    file = _file(name, "yaml")
    asked = Request("GET", path("pipelines", name), accept=YAML_TYPE, saves=file)
    return action(["export", name, "-o", file], asked)


def script(name: str) -> Action:
    """Write the pipeline as a Python script."""
    file = _file(name, "py")
    asked = Request("GET", path("pipelines", name, "script"), saves=file)
    return action(["export", name, "--script", "-o", file], asked)


def pause(names: Sequence[str]) -> Action:
    """Have neither schedules nor triggers start pipelines."""
    return of_each(["pause"], names, "POST", "pipelines", EACH, "pause")


def resume(names: Sequence[str]) -> Action:
    """End the pause of pipelines."""
    return of_each(["resume"], names, "POST", "pipelines", EACH, "resume")


def delete(names: Sequence[str]) -> Action:
    """Delete pipelines with their versions."""
    return of_each(["delete", "pipeline"], names, "DELETE", "pipelines", EACH)


def create_webhook(name: str) -> Action:
    """Give a pipeline a webhook."""
    return action(["webhook", name], Request("POST", path("pipelines", name, "webhook")))


def renew_webhook(name: str) -> Action:
    """Give a webhook a new token."""
    return action(["webhook", name, "--renew"], Request("POST", path("pipelines", name, "webhook", "rotate")))


def delete_webhook(name: str) -> Action:
    """Take a webhook away."""
    return action(["webhook", name, "--delete"], Request("DELETE", path("pipelines", name, "webhook")))


def compare_versions(name: str, before: int, after: int) -> Action:
    """Say what changed between two versions."""
    asked = Request("GET", path("pipelines", name, "versions", before, "diff", after))
    return action(["versions", name, "--diff", str(before), str(after)], asked)


def restore(name: str, version: int) -> Action:
    """Save an earlier version as the newest."""
    asked = Request("POST", path("pipelines", name, "versions", version, "restore"))
    return action(["restore", name, str(version)], asked)


def _file(name: str, ending: str) -> str:
    return f"{name.replace(' ', '-').replace('/', '-')}.{ending}"
