"""Pydantic's complaints in plain words."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etlml.documents import PipelineDraft
from etlml.invalid import config_invalid


class Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")
    op: Literal["filter"]
    where: str


class Limit(BaseModel):
    model_config = ConfigDict(extra="forbid")
    op: Literal["limit"]
    rows: int = Field(ge=0)


class Keep(BaseModel):
    op: Literal["keep"]
    columns: dict[str, str] = Field(min_length=1)


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ops: list[Annotated[Filter | Limit | Keep, Field(discriminator="op")]]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"ops": [{"op": "filtr", "where": "x"}]}, "field 'ops[0]': there is no op 'filtr'. Did you mean 'filter'?"),
        ({"ops": [{"op": "filter", "wher": "x"}]}, "field 'ops[0].wher' is not known. Did you mean 'where'?"),
        ({"ops": [{"op": "filter"}]}, "field 'ops[0].where' is missing."),
        ({"ops": [{"where": "x"}]}, "field 'ops[0]' needs 'op', which says what it is."),
        (
            {"ops": [{"op": "limit", "rows": -1}]},
            "field 'ops[0].rows' is -1. It must be at least 0.",
        ),
        ({"ops": [{"op": "limit", "rows": "a few"}]}, "field 'ops[0].rows' is 'a few'. It must be a whole number."),
        ({"ops": [{"op": "filter", "where": 5}]}, "field 'ops[0].where' is 5. It must be a text."),
        ({"ops": [{"op": "keep", "columns": {}}]}, "field 'ops[0].columns' is empty. Add at least one."),
        ({"ops": 5}, "field 'ops' is 5. It must be a list."),
        ({"opps": []}, "field 'opps' is not known. Did you mean 'ops'?"),
    ],
)
def test_a_complaint_says_which_field_what_is_wrong_and_the_mend(document: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(document)
    assert message in config_invalid(caught.value, Config, where="Step 'clean'").message


def test_a_wrong_literal_lists_the_allowed_ones() -> None:
    with pytest.raises(ValidationError) as caught:
        PipelineDraft.model_validate({"name": "x", "steps": [{"id": "a", "type": "extrct"}]})
    error = config_invalid(caught.value, PipelineDraft, where="The pipeline")
    assert (
        "field 'steps[0].type' is 'extrct'. It must be one of: extract, transform, load, validate, train."
        in error.message
    )
    assert "Did you mean 'extract'?" in error.message


def test_a_name_that_cannot_be_one_says_what_can() -> None:
    with pytest.raises(ValidationError) as caught:
        PipelineDraft.model_validate({"name": "a/b", "steps": []})
    assert "'a/b': begin with a letter" in config_invalid(caught.value, PipelineDraft, where="Pipeline").message
