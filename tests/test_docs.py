"""The documentation is complete: what can be written, set, typed or raised has its entry."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml
from pydantic import BaseModel

from api.main import create_app
from etlml.cli import app
from etlml.documents import PipelineDraft, Role, ScheduleOptions, Step, StepType
from etlml.engine.retention import RetentionPolicy
from etlml.errors import known_errors
from etlml.services.preferences import Preferences
from etlml.settings import Settings, get_settings
from etlml.steps.registry import config_classes

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """From a heading to the next one of the same depth; empty if there is none."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^\1 |\Z)", text_of(page), re.M | re.S)
    return found[2] if found else ""


def row(text: str, name: str) -> str:
    """The row of a table whose first cell is ``name``; empty if there is none."""
    found = re.search(rf"^\| (?:`\w+`, )*`{re.escape(name)}`(?:, `\w+`)* \|.*$", text, re.M)
    return found[0] if found else ""


def says(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model within an annotation: a union's members, a list's items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def by_name(step_type: str, field: str, discriminator: str) -> dict[str, type[BaseModel]]:
    """The members of the union in a step's config, by the name that people write."""
    annotation = config_classes()[step_type].model_fields[field].annotation
    return {str(model.model_fields[discriminator].default): model for model in models_in(annotation)}


def own_fields(model: type[BaseModel], *, but: set[str]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items() if name not in but]


def test_every_setting_has_its_row() -> None:
    missing = [name for name in Settings.model_fields if not row(text_of("settings.md"), f"ETLML_{name.upper()}")]
    assert not missing
    assert "`ETLML_SECRET_<NAME>`" in text_of("settings.md")


@pytest.mark.parametrize("name", [*RetentionPolicy.model_fields, "log_retention_days"])
def test_every_setting_of_retention_has_its_row(name: str) -> None:
    assert row(section("operations.md", "Retention"), name)


def test_every_row_of_the_settings_is_a_setting() -> None:
    written = set(re.findall(r"^\| `ETLML_(\w+)` \|", text_of("settings.md"), re.M))
    assert written == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", PipelineDraft.model_fields)
def test_every_field_of_a_pipeline_has_its_row(name: str) -> None:
    assert row(section("pipelines.md", "The pipeline"), name)


@pytest.mark.parametrize("name", ScheduleOptions.model_fields)
def test_every_option_of_a_schedule_is_there(name: str) -> None:
    assert says(row(section("pipelines.md", "The pipeline"), "options"), name)


@pytest.mark.parametrize("name", Step.model_fields)
def test_every_field_of_a_step_has_its_row(name: str) -> None:
    assert row(section("pipelines.md", "A step"), name)


@pytest.mark.parametrize("step_type", get_args(StepType))
def test_every_step_type_has_its_section_with_every_field(step_type: str) -> None:
    text = section("pipelines.md", step_type)
    assert text
    assert [name for name in own_fields(config_classes()[step_type], but=set()) if not says(text, name)] == []


@pytest.mark.parametrize(
    ("step_type", "field", "discriminator"),
    [("extract", "source", "kind"), ("load", "sink", "kind"), ("transform", "ops", "op")],
)
def test_every_source_sink_and_op_has_its_row_with_every_field(step_type: str, field: str, discriminator: str) -> None:
    text, missing = section("pipelines.md", step_type), []
    for name, model in by_name(step_type, field, discriminator).items():
        line = row(text, name)
        shared = {discriminator, "label", "enabled"}
        missing += [f"{name}.{each}" for each in own_fields(model, but=shared) if not says(line, each)]
        missing += [] if line else [name]
        missing += [each for each in shared & set(model.model_fields) if not says(text, each)]
    assert not missing


def test_every_rule_has_its_row_with_every_field() -> None:
    text, missing = text_of("rules.md"), []
    for name, model in by_name("validate", "rules", "rule").items():
        line = row(text, name)
        missing += [] if line else [name]
        shared = {"rule", "severity", "mostly", "where", "enabled"}
        missing += [f"{name}.{each}" for each in own_fields(model, but=shared) if not says(line, each)]
    assert not missing


def commands() -> dict[str, Any]:
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_its_section_with_every_option(name: str) -> None:
    text, missing = section("cli.md", name), []
    for parameter in commands()[name].params:
        if parameter.param_type_name == "option" and not parameter.hidden and parameter.name != "help":
            missing += [] if any(says(text, option) for option in parameter.opts) else [parameter.opts[0]]
    assert f"`etlml {name}" in text
    assert not missing


def test_every_error_has_its_row_with_its_status() -> None:
    from api.errors import STATUS_OF

    wrong = []
    for name, error in known_errors().items():
        status = next(int(code) for kind, code in STATUS_OF if issubclass(error, kind))
        if f"| {status} |" not in row(text_of("errors.md"), name):
            wrong.append(f"{name} {status}")
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_sections_lead_to_a_heading(page: Path) -> None:
    for target, section_ in re.findall(r"\]\(([\w./-]*\.md)?#([^)\s]+)\)", page.read_text(encoding="utf-8")):
        assert section_ in anchors(page.parent / target if target else page), (
            f"{page.name} links to {target}#{section_}"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_pages_show_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {*commands(), "test", "setup", "COMMAND"}
    for command in re.findall(r"(?:python start\.py|`etlml) ([a-zA-Z][\w-]*)", text):
        assert command in known, f"{page.name} shows the command {command!r}"


def yaml_blocks() -> Iterator[Any]:
    for page in PAGES:
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.S)):
            yield pytest.param(block, id=f"{page.name}-{number}")


@pytest.mark.parametrize("block", list(yaml_blocks()))
def test_pipelines_and_rules_that_pages_show_are_valid(block: str) -> None:
    document = yaml.safe_load(block)
    if isinstance(document, list):
        from etlml.validation.step_rules import check_rules, typed_rules

        check_rules(typed_rules(document), None)
    else:
        from etlml.services.drafts import problems_of

        assert problems_of(document) == []


@pytest.mark.parametrize("name", Preferences.model_fields)
def test_every_setting_of_the_installation_has_its_row(name: str) -> None:
    assert row(section("settings.md", "Of the installation") + section("operations.md", "Retention"), name)


@pytest.mark.usefixtures("home")
def test_every_route_is_named() -> None:
    paths = create_app(get_settings()).openapi()["paths"]
    ends = {[part for part in path.split("/") if "{" not in part][-1] for path in paths}
    assert {end for end in ends if f"/{end}" not in text_of("rest.md")} == set()


@pytest.mark.parametrize("role", get_args(Role))
def test_every_role_has_its_row(role: str) -> None:
    assert row(section("operations.md", "People and roles"), role)
