"""What can be copied is true: the command is one of ours, the request is one of REST's, curl and Python send the same."""

import importlib
import inspect
import json
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
import typer

from api.main import create_app
from etlml.cli import app as cli
from etlml.cli.options import pairs
from etlml.settings import get_settings
from etlml.ui import copy_as
from etlml.ui.copy_as import (
    Action,
    backfills,
    channels,
    connections,
    experiments,
    logs,
    models,
    people,
    pipelines,
    runs,
    settings,
    system,
    validations,
)
from etlml.ui.copy_as.action import pair

API = "http://127.0.0.1:8000/api"
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
ODD = 'it\'s "odd" $HOME {x} 100% ü'
DAYS, MOMENTS = (date(2026, 1, 1), date(2026, 1, 31)), (AT, AT)
FILTERS = {"level": "ERROR", "q": "a b", "since": AT, "source": "worker", "regex": True, "step_id": None}
EXAMPLES: dict[str, list[Action]] = {
    "runs.start": [runs.start("a"), runs.start(ODD, {"n": 1, "s": ODD, "l": [1, None], "e": "", "y": "yes"}, "step")],
    "runs.start_all": [runs.start_all(["a"]), runs.start_all(["a", "b c"])],
    "runs.follow": [runs.follow("r1")],
    "runs.cancel": [runs.cancel(["r1"]), runs.cancel(["r1", "r2"])],
    "runs.retry": [runs.retry(["r1"]), runs.retry(["r1", "r2"], "a step")],
    "runs.delete": [runs.delete(["r1"]), runs.delete(["r1", "r2"])],
    "runs.compare": [runs.compare("r1", "r2")],
    "runs.rows": [runs.rows("r1", "s")],
    "runs.compare_rows": [runs.compare_rows("r1", "r2", "s", ["a b", "c"]), runs.compare_rows("r1", "r2", "s", [])],
    "backfills.start": [backfills.start(ODD, DAYS, MOMENTS, "all", 2, {"day": "2026-01-31"})],
    "backfills.change": [
        backfills.change(["b1"], "pause"),
        backfills.change(["b1"], "resume"),
        backfills.change(["b1", "b2"], "cancel"),
    ],
    "pipelines.new": [pipelines.new(ODD)],
    "pipelines.from_template": [pipelines.from_template("a b", "csv-to-parquet")],
    "pipelines.from_file": [pipelines.from_file(), pipelines.from_file("my file.yaml")],
    "pipelines.check": [pipelines.check(), pipelines.check("my file.yaml")],
    "pipelines.reading": [pipelines.reading("a", "b c.csv"), pipelines.reading("a", "b c.csv", adds=True)],
    "pipelines.add_file": [pipelines.add_file("b c.csv")],
    "pipelines.copy": [pipelines.copy("a", "a copy")],
    "pipelines.save": [pipelines.save("a")],
    "pipelines.export": [pipelines.export("a/b c")],
    "pipelines.script": [pipelines.script("a")],
    "pipelines.pause": [pipelines.pause(["a"]), pipelines.pause(["a", ODD])],
    "pipelines.resume": [pipelines.resume(["a", "b"])],
    "pipelines.delete": [pipelines.delete(["a", "b"])],
    "pipelines.create_webhook": [pipelines.create_webhook("a")],
    "pipelines.renew_webhook": [pipelines.renew_webhook("a")],
    "pipelines.delete_webhook": [pipelines.delete_webhook("a")],
    "pipelines.compare_versions": [pipelines.compare_versions("a", 1, 2)],
    "pipelines.restore": [pipelines.restore("a", 1)],
    "experiments.cancel": [experiments.cancel("e1")],
    "experiments.register": [experiments.register("e1", "m"), experiments.register("e1", "m", ODD)],
    "experiments.delete": [experiments.delete(["e1"])],
    "models.set_status": [models.set_status("m", "v1.0", "deployed")],
    "models.describe": [models.describe("m", "v1.0", ["a", "b"], ODD), models.describe("m", "v1.0", [], "")],
    "models.predict": [models.predict("m", "v1.0", {"x": 1.5, "y": ODD, "z": None, "t": True})],
    "validations.run": [validations.run("a b.csv", [{"rule": "unique", "column": ODD, "mostly": 0.9}])],
    "validations.delete": [validations.delete(["v1"])],
    "logs.search": [logs.search(FILTERS), logs.search({"run_id": "r1", "step_id": "s"}), logs.search({})],
    "logs.groups": [logs.groups(FILTERS)],
    "logs.volume": [logs.volume(FILTERS)],
    "logs.export": [logs.export(FILTERS, packed=True), logs.export({})],
    "connections.save": [
        connections.save("shop", "http", {"url": ODD, "port": 1}, {"user": "${secret.U}"}, written={"token": "T"}),
        connections.save("shop", "http", {}, {}, ODD, stored="old"),
    ],
    "connections.test": [connections.test("shop")],
    "connections.delete": [connections.delete("shop")],
    "connections.set_secret": [connections.set_secret("T")],
    "connections.delete_secret": [connections.delete_secret("T")],
    "people.add": [people.add("ada", "editor")],
    "people.change": [people.change("ada", "admin"), people.change("ada", password=True)],
    "people.shut_out": [people.shut_out("ada", disabled=True), people.shut_out("ada", disabled=False)],
    "people.delete": [people.delete("ada")],
    "people.create_key": [people.create_key("night job", "viewer"), people.create_key("n", "viewer", 30, AT)],
    "people.revoke_key": [people.revoke_key("k1")],
    "channels.save": [
        channels.save("team", ["run_failed", "quarantine"], ["a b"], ["t"]),
        channels.save("team", ["run_failed"], url=False, stored="old"),
    ],
    "channels.test": [channels.test("team")],
    "channels.switch": [channels.switch("team", on=True), channels.switch("team", on=False)],
    "channels.delete": [channels.delete("team")],
    "settings.change": [settings.change({"run_retention_days": None, "environment_name": "5", "timezone": "UTC"})],
    "settings.look": [settings.look("dark", ""), settings.look("light", "#0f766e", "ada")],
    "settings.free_now": [settings.free_now()],
    "system.doctor": [system.doctor()],
    "system.create_indexes": [system.create_indexes()],
    "system.diagnostics": [system.diagnostics()],
    "system.pack": [system.pack(), system.pack(runs=True, experiments=True)],
    "system.unpack": [system.unpack(), system.unpack("a b.pack", replace=True, dry_run=True)],
}
EACH = [pytest.param(action, id=f"{name}-{at}") for name, found in EXAMPLES.items() for at, action in enumerate(found)]
ENVIRONMENT = {"ETLML_API_KEY": "k-123", "SECRET_T": "s3cret $x", "NEW_PASSWORD": "p4ss", "CHANNEL_URL": "json://h"}


class Sent(NamedTuple):
    """One request, however it is written."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any
    file: str


def builders() -> Iterator[str]:
    """Every function of the package that gives an action."""
    for found in pkgutil.iter_modules(copy_as.__path__):
        module = importlib.import_module(f"{copy_as.__name__}.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            own = function.__module__ == module.__name__ and found.name != "action"
            if own and inspect.signature(function).return_annotation is Action:
                yield f"{found.name}.{name}"


def test_every_builder_is_held_to_its_claims() -> None:
    assert sorted(builders()) == sorted(EXAMPLES)


@pytest.mark.parametrize("action", EACH)
def test_the_command_line_is_one_that_the_command_line_takes(action: Action) -> None:
    known: Any = typer.main.get_command(cli)
    for line in copy_as.shown(action, API)["Command line"].splitlines():
        program, command, *words = shlex.split(line)
        assert program == "etlml"
        assert command in known.commands, line
        known.commands[command].make_context(command, words)


def test_a_request_that_does_not_exist_is_found_out() -> None:
    with pytest.raises(AssertionError, match="knows no PATCH"):
        check_route(Sent("PATCH", f"{API}/runs/r1", {}, None, ""))
    with pytest.raises(AssertionError):
        check_route(Sent("POST", f"{API}/runs/r1/retry", {}, {"form": "start"}, ""))


@pytest.mark.parametrize("action", EACH)
def test_curl_and_python_send_the_same_to_a_route_that_is_there(
    action: Action, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    for request in action.requests:
        for name in filter(None, (request.sends, request.uploads)):
            (tmp_path / name).write_bytes(b"content")
    shown = copy_as.shown(action, API, signed_in=True)
    sent = by_curl(shown["curl"])
    assert sent == by_python(shown["Python"], monkeypatch)
    assert sent
    for each in sent:
        assert each.headers["x-api-key"] == "k-123"
        check_route(each)
    assert "k-123" not in "".join(shown.values())


def test_without_sign_in_no_key_is_asked_for() -> None:
    shown = copy_as.shown(runs.cancel(["r1"]), API)
    assert shown["curl"] == f"curl -X POST {API}/runs/r1/cancel"
    assert "environ" not in shown["Python"]


def test_values_read_as_themselves_on_the_command_line() -> None:
    values = {"n": 1, "s": ODD, "l": [1, None], "e": "", "y": "yes", "d": "2026-01-31", "m": {"a": 1}, "t": True}
    assert pairs([pair(name, value) for name, value in values.items()]) == values


def test_a_secret_that_is_written_now_is_asked_for_and_never_shown() -> None:
    shown = copy_as.shown(connections.save("shop", "http", {}, {}, written={"token": "SHOP_TOKEN"}), API)
    first, second = shown["Command line"].splitlines()
    assert first == "etlml secret SHOP_TOKEN"
    assert "--secret token=SHOP_TOKEN" in second
    assert '"value": "\'"$SECRET_SHOP_TOKEN"\'"' in shown["curl"]
    assert 'os.environ["SECRET_SHOP_TOKEN"]' in shown["Python"]


def by_curl(text: str) -> list[Sent]:
    """What a shell would have curl send."""
    script = "curl() { printf '%s\\0' \"$@\"; printf '\\n\\0'; }\n" + text
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    found: list[list[str]] = [[]]
    for word in done.stdout.split("\0")[:-1]:
        found.append([]) if word == "\n" else found[-1].append(word)
    return [one for words in found[:-1] for one in _curl_sends(words)]


def _curl_sends(words: list[str]) -> Iterator[Sent]:
    method, url, headers, body, file = "GET", "", {}, None, ""
    rest = iter(words)
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name.lower()] = value
        elif word == "-d":
            body = json.loads(next(rest))
        elif word in ("--data-binary", "-F", "-o"):
            file = next(rest).removeprefix("file=").removeprefix("@")
        else:
            url = word
    before, glob, after = url.partition("{")
    for each in after.partition("}")[0].split(",") if glob else [""]:
        whole = f"{before}{each}{after.partition('}')[2]}"
        yield Sent(method, whole, {k: v for k, v in headers.items() if v != "application/json"}, body, file)


def by_python(text: str, monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """What the program would have httpx send."""
    sent: list[Sent] = []

    class Reply:
        content = b"answer"

        def raise_for_status(self) -> None: ...

        def json(self) -> Any:
            return {}

    def send(method: str) -> Any:
        def request(url: str, **given: Any) -> Reply:
            opened = given.get("files", {}).get("file")
            if opened:
                opened.close()
            headers = {name.lower(): value for name, value in given.get("headers", {}).items()}
            file = Path(opened.name).name if opened else given.get("content", b"").decode() and "sent"
            sent.append(Sent(method.upper(), url, headers, given.get("json"), file))
            return Reply()

        return request

    recorder = ModuleType("httpx")
    for method in ("get", "post", "put", "patch", "delete"):
        setattr(recorder, method, send(method))
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "httpx", recorder)
        before = set(Path.cwd().iterdir())
        exec(compile(text, "copied.py", "exec"), {})
    made = [path.name for path in set(Path.cwd().iterdir()) - before]
    names = [path.name for path in before]
    return [one._replace(file=names[0] if one.file == "sent" else one.file or (made or [""])[0]) for one in sent]


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    """What REST says of itself."""
    return create_app(get_settings()).openapi()


def route_of(path: str) -> str:
    """The route that takes a path, as REST says it."""
    fits = [each for each in described()["paths"] if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", each), path)]
    assert fits, f"There is no {path}"
    return min(fits, key=lambda each: each.count("{"))


def check_route(sent: Sent) -> None:
    """Hold a request against what REST says of the route that takes it: method, parameters, fields of the body."""
    parts = urlsplit(sent.url)
    methods = described()["paths"][route_of(parts.path)]
    assert sent.method.lower() in methods, f"{parts.path} knows no {sent.method}"
    route = methods[sent.method.lower()]
    asked = {name for name, _ in parse_qsl(parts.query)}
    assert asked <= {each["name"] for each in route.get("parameters", ()) if each["in"] == "query"}
    content = route.get("requestBody", {}).get("content", {})
    if sent.body is not None:
        fields = _schema(content["application/json"]["schema"])
        assert set(fields.get("required", ())) <= set(sent.body) <= set(fields["properties"])
    elif sent.headers.get("content-type"):
        assert sent.headers["content-type"] in content
    else:
        assert not route.get("requestBody", {}).get("required") or "multipart/form-data" in content


def _schema(found: dict[str, Any]) -> dict[str, Any]:
    """A schema with its fields, behind references and beside null."""
    if options := found.get("anyOf"):
        return _schema(next(each for each in options if each.get("type") != "null"))
    name = found.get("$ref", "").rpartition("/")[2]
    return _schema(described()["components"]["schemas"][name]) if name else found
