"""Templates: whole pipelines that work on the example data, to begin with and to change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etlml.documents import PipelineDraft
from etlml.errors import NotFound
from etlml.services.workspace import examples_dir
from etlml.services.yaml_text import from_yaml

FOLDER = "templates"
_ORDER = (
    "csv-to-parquet",
    "daily-merge",
    "join-and-aggregate",
    "quarantine-bad-rows",
    "train-a-classifier",
    "sql-report",
)


@dataclass(frozen=True)
class PipelineTemplate:
    """A pipeline to begin with.

    Attributes:
        key: Its name, which is also its file's.
        title: The name in words.
        steps: The steps' types in their order.
        yaml: The document as it stands in the file.
    """

    key: str
    title: str
    description: str
    steps: Sequence[str]
    yaml: str

    def document(self, name: str) -> dict[str, Any]:
        """The template as a document of another name, without the tag that marks it."""
        document = from_yaml(self.yaml)
        tags = [tag for tag in document.get("tags", ()) if tag != "template"]
        return {**document, "name": name, "tags": tags}


@lru_cache(maxsize=1)
def templates() -> Mapping[str, PipelineTemplate]:
    """All templates by key, the simplest first."""
    files = {file.stem: file for file in (examples_dir() / FOLDER).glob("*.yaml")}
    keys = [key for key in _ORDER if key in files] + sorted(files.keys() - set(_ORDER))
    return {key: _template(files[key].read_text(encoding="utf-8")) for key in keys}


def template(key: str) -> PipelineTemplate:
    """The template of that key; NotFound (did you mean) if there is none."""
    try:
        return templates()[key]
    except KeyError:
        raise NotFound("template", key, list(templates())) from None


def _template(text: str) -> PipelineTemplate:
    draft = PipelineDraft.model_validate(from_yaml(text))
    title = (
        draft.name.replace("-", " ")
        .capitalize()
        .replace("Csv", "CSV")
        .replace("Sql", "SQL")
        .replace("parquet", "Parquet")
    )
    return PipelineTemplate(draft.name, title, draft.description, [step.type for step in draft.steps], text)
