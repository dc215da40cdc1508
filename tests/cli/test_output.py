"""How commands read lists of words and print what they found."""

import json

import pytest
import typer

from etlml.cli.options import given, one_of, words
from etlml.cli.output import Columns, print_list, shortened

COLUMNS: Columns[dict[str, int]] = {"NAME": lambda one: next(iter(one)), "SUM": lambda one: sum(one.values())}


def test_a_list_is_a_table_of_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_list([{"a": 1, "b": 2}, {"c": 4}], COLUMNS, as_json=False, empty="Nothing.")
    assert capsys.readouterr().out == "NAME\tSUM\na\t3\nc\t4\n"


def test_a_list_as_json_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_list([{"a": 1}], COLUMNS, as_json=True, empty="Nothing.")
    assert json.loads(capsys.readouterr().out) == [{"a": 1}]


def test_an_empty_list_says_what_to_do_but_is_empty_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_list([], COLUMNS, as_json=False, empty="Add one.")
    print_list([], COLUMNS, as_json=True, empty="Add one.")
    found = capsys.readouterr()
    assert (found.out, found.err) == ("[]\n", "Add one.\n")


def test_a_long_text_is_cut_to_its_first_line_and_a_width() -> None:
    assert (shortened("a\nb"), shortened("abcdef", 4)) == ("a", "abc…")


def test_words_stand_between_commas() -> None:
    assert words(" a, b,,") == ["a", "b"]


def test_an_option_is_one_of_its_words_whatever_its_case() -> None:
    assert (one_of(["Red"], "red", "--c"), one_of(["Red"], None, "--c")) == ("Red", None)
    with pytest.raises(typer.BadParameter, match="'blue' is not one of: Red"):
        one_of(["Red"], "blue", "--c")


def test_options_that_were_left_out_are_not_given() -> None:
    assert given(a=None, b=False, c="") == {"b": False, "c": ""}
