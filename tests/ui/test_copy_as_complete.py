"""Nothing that acts is without its commands: every route that writes, every call of a screen, every list with buttons."""

import ast
import inspect
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from etlml.services import Services
from etlml.ui import row_commands
from tests.ui.test_copy_as import EXAMPLES, builders, described, route_of

ROOT = Path(__file__).resolve().parents[2]
ROUTES_WITHOUT = {
    "POST /api/pipelines/preview": "computed by itself while somebody edits",
    "POST /api/hooks/{token}": "for other programs; its request is shown where the webhook is",
    "POST /api/experiments": "for programs that train",
    "POST /api/experiments/{experiment_id}/metrics": "for programs that train",
    "POST /api/experiments/{experiment_id}/complete": "for programs that train",
    "POST /api/auth/token": "signs in",
}
COPIED = {
    "api_keys.create": {"people.create_key"},
    "api_keys.delete": {"people.revoke_key"},
    "backfills.cancel": {"backfills.change"},
    "backfills.pause": {"backfills.change"},
    "backfills.resume": {"backfills.change"},
    "backfills.start": {"backfills.start"},
    "connections.create": {"connections.save"},
    "connections.delete": {"connections.delete"},
    "connections.test": {"connections.test"},
    "connections.update": {"connections.save"},
    "data_files.add": {"pipelines.add_file", "pipelines.reading"},
    "database.create_indexes": {"system.create_indexes"},
    "diagnostics.content": {"system.diagnostics"},
    "experiments.cancel": {"experiments.cancel"},
    "experiments.delete": {"experiments.delete"},
    "experiments.register": {"experiments.register"},
    "models.predict": {"models.predict"},
    "models.update": {"models.set_status", "models.describe"},
    "notifications.create": {"channels.save"},
    "notifications.delete": {"channels.delete"},
    "notifications.test": {"channels.test"},
    "notifications.update": {"channels.save", "channels.switch"},
    "packing.pack": {"system.pack"},
    "packing.unpack": {"system.unpack"},
    "pipelines.copy": {"pipelines.copy"},
    "pipelines.create": {"pipelines.new", "pipelines.from_template", "pipelines.reading"},
    "pipelines.create_from_yaml": {"pipelines.from_file"},
    "pipelines.delete": {"pipelines.delete"},
    "pipelines.restore": {"pipelines.restore"},
    "pipelines.update": {"pipelines.save"},
    "retention.apply": {"settings.free_now"},
    "runs.cancel": {"runs.cancel"},
    "runs.delete": {"runs.delete"},
    "runs.retry": {"runs.retry"},
    "runs.start": {"runs.start", "runs.start_all"},
    "schedules.pause": {"pipelines.pause"},
    "schedules.resume": {"pipelines.resume"},
    "secrets.delete": {"connections.delete_secret"},
    "secrets.set": {"connections.set_secret", "connections.save"},
    "settings.update": {"settings.change"},
    "users.create": {"people.add"},
    "users.delete": {"people.delete"},
    "users.update": {"people.change", "people.shut_out"},
    "validations.delete": {"validations.delete"},
    "validations.run": {"validations.run"},
    "webhooks.create": {"pipelines.create_webhook"},
    "webhooks.remove": {"pipelines.delete_webhook"},
    "webhooks.rotate": {"pipelines.renew_webhook"},
}
"""What a screen calls to act, with the functions that put the same in words."""
ELSEWHERE = {
    "etlml/ui/drafts.py": "pages/pipeline.py",  # saves for the page, whose buttons have the commands
}
READ_ONLY = {
    "audit", "backfill_plan", "comparison", "fires", "kept", "log_groups", "next_fires", "refusals", "rules",
    "sizes", "steps", "unpack_plan", "versions", "webhook_calls", "workers", "key",
}  # fmt: skip
"""Lists whose rows are looked at and opened only; ``versions`` and ``steps`` act beside the list."""


@lru_cache(maxsize=1)
def screens() -> dict[str, ast.Module]:
    files = [*(ROOT / "pages").glob("*.py"), *(ROOT / "etlml" / "ui").rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): path for path in files}
    return {name: ast.parse(path.read_text("utf-8")) for name, path in found.items() if "/copy_as/" not in name}


def dotted(node: ast.AST) -> str:
    """``a.b.c`` as it is written; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    before = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{before}.{node.attr}" if before and isinstance(node, ast.Attribute) else ""


def names_in(tree: ast.AST, root: str) -> Iterator[str]:
    """What follows ``root.`` in a module, two names deep."""
    for node in ast.walk(tree):
        _, there, rest = f".{dotted(node)}".partition(f".{root}.")
        if there and rest.count(".") == 1:
            yield rest


def drawn_in(tree: ast.AST) -> set[str]:
    """The functions of ``copy_as`` that a module uses, also by those of ``row_commands``."""
    used = {name for node in ast.walk(tree) if (name := dotted(node)).startswith("row_commands.")}
    functions = dict(inspect.getmembers(row_commands, inspect.isfunction))
    sources = [inspect.getsource(function) for name, function in functions.items() if f"row_commands.{name}" in used]
    if sources:  # some of them share what is below
        sources += [inspect.getsource(each) for name, each in functions.items() if name in ("_paused", "run_again")]
    return {name for each in [tree, *map(ast.parse, sources)] for name in names_in(each, "copy_as")}


def acts(service: str, method: str) -> bool:
    """Whether a method of a service does something: those say who does it, or try or ask something outside."""
    annotated = inspect.getsource(Services.__init__).partition(f"self.{service} = ")[2].partition("(")[0]
    function = getattr(getattr(inspect.getmodule(Services), annotated, None), method, None)
    known = inspect.isfunction(function) and "author" in inspect.signature(function).parameters
    return known or method in ("test", "predict")


def test_every_route_that_writes_can_be_copied() -> None:
    there = {f"{method.upper()} {path}" for path, found in described()["paths"].items() for method in found}
    sent = {
        f"{request.method} {route_of(f'/api{request.path}')}"
        for found in EXAMPLES.values()
        for each in found
        for request in each.requests
    }
    assert {route for route in there - sent if not route.startswith("GET ")} == set(ROUTES_WITHOUT)


def test_every_function_that_words_an_action_is_used_by_a_screen() -> None:
    used = {name for tree in screens().values() for name in names_in(tree, "copy_as")}
    assert set(builders()) <= used


def test_every_call_of_a_screen_that_acts_has_its_commands_beside_it() -> None:
    without = [
        f"{file}: {name}"
        for file, tree in screens().items()
        for name in set(names_in(tree, "services"))
        if acts(*name.split(".")) and not COPIED.get(name, set()) & drawn_in(screens()[ELSEWHERE.get(file, file)])
    ]
    assert without == []


def test_what_is_known_of_calls_is_still_true() -> None:
    called = {name for tree in screens().values() for name in names_in(tree, "services")}
    assert set(COPIED) - called <= {"data_files.add"}, "files.add, by a name of its own"
    assert all(acts(*name.split(".")) for name in COPIED)
    assert {each for found in COPIED.values() for each in found} <= set(EXAMPLES)


def test_every_list_whose_rows_can_be_acted_on_shows_the_commands() -> None:
    calls = [each for tree in screens().values() for each in ast.walk(tree) if isinstance(each, ast.Call)]
    keys = [
        ast.unparse(call.args[0]).removeprefix("f").strip("'")
        for call in calls
        if dotted(call.func) == "lists.draw" and not any(each.arg == "copies" for each in call.keywords)
    ]
    assert {key.partition("_{")[0] for key in keys} == READ_ONLY
