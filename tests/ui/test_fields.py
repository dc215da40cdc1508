"""From typed configurations to the fields of forms."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from etlml.steps.registry import config_classes
from etlml.ui import fields


class Cat(BaseModel):
    """Purrs. And more."""

    kind: Literal["cat"] = "cat"
    lives: int = Field(9, ge=1, le=9)


class Dog(BaseModel):
    """Barks."""

    kind: Literal["dog"] = "dog"
    column: str
    tricks: list[str] = Field(default_factory=list)


class Zoo(BaseModel):
    name: str = Field(description="What it is called.")
    size: Literal["small", "large"] = "small"
    star: Annotated[Cat | Dog, Field(discriminator="kind")]
    animals: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = Field(default_factory=list)
    prices: dict[str, float] = Field(default_factory=dict)
    bound: int | float | str | None = None
    open: bool | None = None


BY_NAME = {one.name: one for one in fields.fields_of(Zoo)}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("name", "text"),
        ("size", "choice"),
        ("star", "union"),
        ("animals", "unions"),
        ("prices", "map"),
        ("bound", "scalar"),
        ("open", "toggle"),
    ],
)
def test_each_type_gets_its_kind_of_field(name: str, kind: str) -> None:
    assert BY_NAME[name].kind == kind


def test_help_and_bounds_come_from_the_class() -> None:
    cat = BY_NAME["star"].variant("cat")
    assert BY_NAME["name"].help == "What it is called."
    assert cat is not None
    assert (cat.help, cat.fields[0].minimum, cat.fields[0].maximum) == ("Purrs. And more.", 1, 9)


def test_a_column_is_picked_among_columns() -> None:
    dog = BY_NAME["star"].variant("dog")
    assert dog is not None
    assert dog.fields[0].picks == "column"


def test_every_step_type_has_a_form() -> None:
    for model in config_classes().values():
        assert all(one.kind != "yaml" for one in fields.fields_of(model))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("0.5", 0.5),
        ("true", True),
        ("007", "007"),
        ("1e3", 1000.0),
        ("nan", "nan"),
        ("2026-01-31", "2026-01-31"),
    ],
)
def test_parsed_scalar_takes_numbers_for_numbers(text: str, value: Any) -> None:
    assert fields.parsed_scalar(text) == value
    assert type(fields.parsed_scalar(text)) is type(value)


def test_kept_leaves_defaults_and_empty_values_out() -> None:
    values = {"name": "a", "size": "small", "prices": {}, "bound": "", "open": False}
    assert fields.kept(fields.fields_of(Zoo), values) == {"name": "a", "open": False}


def test_summary_is_the_own_label_or_the_first_values() -> None:
    dog = BY_NAME["star"].variant("dog")
    assert dog is not None
    assert fields.summary(dog, {"column": "tail", "tricks": ["sit", "roll"]}) == "tail · sit, roll"
    assert fields.summary(dog, {"label": "The good one"}) == "The good one"


def test_moved_stays_within_the_list() -> None:
    assert fields.moved(["a", "b", "c"], 0, 1) == ["b", "a", "c"]
    assert fields.moved(["a", "b", "c"], 2, 5) == ["a", "b", "c"]


def test_what_is_chosen_from_is_told_in_one_short_line() -> None:
    keep = fields.Variant(
        "drop_null", "Leave out the rows that have no value in any of `columns`: those, and no others.", ()
    )
    assert fields.offered(keep) == "Drop null — Leave out the rows that have no value in any of columns"
    assert fields.offered(keep, 20) == "Drop null — Leave out the rows …"
    assert fields.offered(fields.Variant("sql", "", ())) == "SQL"


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("integer", 5, True),
        ("integer", 5.0, True),
        ("integer", 2.5, False),
        ("integer", 0, False),
        ("integer", 10, False),
        ("integer", "${params.n}", True),
        ("integer", None, True),
        ("number", 2.5, True),
        ("number", float("nan"), False),
        ("number", [1], False),
        ("list", ["a"], True),
        ("list", "a", False),
        ("list", None, True),
        ("map", {"a": 1}, True),
        ("map", ["a"], False),
        ("unions", 5, False),
        ("text", 5, True),
    ],
)
def test_a_widget_is_given_only_what_it_can_show(kind: Any, value: Any, fits: bool) -> None:
    assert fields.fits(fields.FormField("x", kind, "X", minimum=1, maximum=9), value) == fits
