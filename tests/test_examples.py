"""The examples that ship are right: they check clean, and their data are where and what their README says."""

from pathlib import Path

import pytest

from etlml.documents import PipelineDraft
from etlml.services.yaml_text import from_yaml
from etlml.steps.check import check_pipeline
from etlml.validation.adhoc import validate_data

EXAMPLES = Path(__file__).parents[1] / "examples"
PIPELINES = sorted((EXAMPLES / "pipelines").glob("*.yaml"))
DATA = sorted(file for file in (EXAMPLES / "data").iterdir() if file.suffix != ".md")
LARGEST_BYTES = 8 * 2**20


def a_draft(file: Path) -> PipelineDraft:
    return PipelineDraft.model_validate(from_yaml(file.read_bytes()))


@pytest.mark.parametrize("file", PIPELINES, ids=lambda file: file.stem)
def test_an_example_pipeline_checks_clean_and_stands_on_the_canvas(file: Path) -> None:
    draft = a_draft(file)
    assert check_pipeline(draft) == []
    assert draft.name == file.stem
    assert draft.description
    places = [(step.position.x, step.position.y) for step in draft.steps if step.position]
    assert len(set(places)) == len(draft.steps)


def test_the_examples_show_every_step_type_a_schedule_and_parameters() -> None:
    drafts = {file.stem: a_draft(file) for file in PIPELINES}
    assert sorted(drafts) == ["daily-summary", "flights", "penguins"]
    assert {step.type for step in drafts["flights"].steps} == {"extract", "transform", "load", "validate", "train"}
    assert drafts["daily-summary"].schedule == "0 6 * * *"
    assert drafts["flights"].params


@pytest.mark.parametrize("file", DATA, ids=lambda file: file.name)
def test_the_readme_tells_each_file_with_its_rows_and_licence(file: Path) -> None:
    lines = (EXAMPLES / "data" / "README.md").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"| `{file.name}` ")]
    rows = validate_data(file, []).row_count
    assert f"| {rows:,} |" in line
    assert "CC0" in line


def test_the_data_stay_small() -> None:
    assert sum(file.stat().st_size for file in DATA) < LARGEST_BYTES
