"""What the reader and writer of YAML promise."""

import contextlib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from etlml.documents import PipelineDraft
from etlml.errors import InvalidInput
from etlml.services.yaml_text import LARGEST_TEXT, from_yaml, to_yaml
from tests.services.factories import a_document


class TestFromYaml:
    """Reading."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("on", "on"),
            ("yes", "yes"),
            ("no", "no"),
            ("NO", "NO"),
            ("off", "off"),
            ("2013-01-01", "2013-01-01"),
            ("12:30:45", "12:30:45"),
            ("true", True),
            ("False", False),
            ("~", None),
            ("null", None),
            ("", None),
            ("012", 12),
            ("0o17", 15),
            ("0x1F", 31),
            ("-3", -3),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("1_000", "1_000"),
            ("'1'", "1"),
        ],
    )
    def test_scalar_is_what_yaml_1_2_says(self, text: str, value: object) -> None:
        found = from_yaml(f"a: {text}")["a"]
        assert found == value
        assert type(found) is type(value)

    def test_key_on_is_text(self) -> None:
        assert from_yaml("{op: join, on: [tailnum]}") == {"op": "join", "on": ["tailnum"]}

    def test_merge_keys_and_aliases_work(self) -> None:
        assert from_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}") == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}

    def test_json_is_yaml_too(self) -> None:
        assert from_yaml('{"a": [1, true, null, "\\u00e9"]}') == {"a": [1, True, None, "é"]}

    def test_byte_order_mark_is_passed_over(self) -> None:
        assert from_yaml("\ufeffa: 1".encode()) == {"a": 1}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: [1,\nb: 2", r"line 2, column 5"),
            ("a: 1\nb: 2\na: 3", r"the key 'a' stands there twice at line 3, column 1.\na: 3\n\^"),
            ("steps:\n\t- id: a", r"line 2, column 1. Tabs cannot indent YAML"),
            ("- 1", r"The YAML is a list; a mapping is needed"),
            ("", r"The YAML is empty"),
            ("a: *b", r"undefined alias"),
            ("a: &a [*a]", r"an alias stands for what it is a part of"),
            ("a: !!python/object/apply:os.system [x]", r"could not determine a constructor"),
            ("a: 1\n---\nb: 2", r"another document at line 2"),
            ("? [a]\n: b", r"unhashable key"),
            ("a: !!bool maybe", r"cannot be read"),
            ("a: !!timestamp 99", r"cannot be read"),
            ("a: " + "9" * 5000, r"the integer is too long"),
            ("[" * 100_000, r"nests deeper than 40 levels"),
            ("- " * 100_000, r"nests deeper than 40 levels"),
            ("a: \0", r"control characters are not allowed"),
            ("a: " + "x" * LARGEST_TEXT, r"at most 1,048,576 are read"),
        ],
    )
    def test_what_is_no_document_is_refused_with_its_place(self, text: str, message: str) -> None:
        with pytest.raises(InvalidInput, match=message):
            from_yaml(text)

    def test_text_that_is_not_utf8_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="not UTF-8: byte 4 cannot be read"):
            from_yaml(b"a: \xff")

    def test_aliases_that_stand_for_billions_of_values_are_refused(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
        with pytest.raises(InvalidInput, match="stands for more than 200,000 values"):
            from_yaml("\n".join(lines))

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="a:-[]{}&*!|>'\"#? \n\t,0.e%@`~<", max_size=60))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        with contextlib.suppress(InvalidInput):
            from_yaml(text)


class TestToYaml:
    """Writing."""

    def test_defaults_are_left_out_and_fields_come_in_reading_order(self) -> None:
        text = to_yaml(PipelineDraft.model_validate(a_document(schedule="0 6 * * *")))
        assert text.splitlines()[0] == "name: small"
        assert list(from_yaml(text)) == ["name", "schedule", "params", "steps"]
        assert list(from_yaml(text)["steps"][0]) == ["id", "type", "config"]

    def test_places_are_whole_and_short(self) -> None:
        steps = [
            {"id": "a", "type": "extract", "position": {"x": 0, "y": 0}},
            {"id": "b", "type": "transform", "position": {"x": 260.5, "y": -40}},
        ]
        text = to_yaml(PipelineDraft.model_validate({"name": "p", "steps": steps}))
        assert "position: {x: 0, y: 0}" in text
        assert "position: {x: 260.5, y: -40}" in text
        assert to_yaml(PipelineDraft.model_validate(from_yaml(text))) == text

    def test_a_webhook_is_left_out_and_other_triggers_stay(self) -> None:
        triggers = [{"kind": "webhook", "token_hash": "abc"}, {"kind": "file", "path": "in/*.csv"}]
        text = to_yaml(PipelineDraft.model_validate(a_document(triggers=triggers)))
        assert from_yaml(text)["triggers"] == [{"kind": "file", "path": "in/*.csv"}]

    def test_code_is_a_block(self) -> None:
        steps = [
            {"id": "a", "type": "transform", "config": {"ops": [{"op": "python", "code": "def f():\n    return 1\n"}]}}
        ]
        assert "code: |\n            def f():\n" in to_yaml(PipelineDraft.model_validate({"name": "p", "steps": steps}))

    @settings(max_examples=150, deadline=None)
    @given(
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
            st.one_of(
                st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
                st.sampled_from(
                    ["on", "yes", "1e3", "0o7", "012", "~", "null", "2013-01-01", "<<", "a\nb", " a", "a: b", "1:2"]
                ),
                st.integers(-(2**63), 2**63 - 1),
                st.floats(allow_nan=False, allow_infinity=False),
                st.booleans(),
                st.none(),
            ),
            max_size=5,
        )
    )
    def test_what_is_written_reads_the_same_in_yaml_1_1_and_1_2(self, params: dict[str, object]) -> None:
        draft = PipelineDraft.model_validate(a_document(params=params))
        text = to_yaml(draft)
        assert PipelineDraft.model_validate(from_yaml(text)) == draft
        assert PipelineDraft.model_validate(yaml.safe_load(text)) == draft
