"""What the palette finds by the words that people type."""

import pytest

from etlml.ui.templates import OTHER_WORDS, TEMPLATES, palette


def found(*words: str) -> set[str]:
    """The keys of all entries that hold each of the words, as the canvas looks for them."""
    return {
        item["key"]
        for item in palette()
        if all(word in " ".join((item["label"], item["type"], item["hint"], item["words"])).lower() for word in words)
    }


class TestPalette:
    @pytest.mark.parametrize("key", [key for key in TEMPLATES if "." in key])
    def test_each_step_is_found_by_its_key(self, key: str) -> None:
        assert key in found(key.partition(".")[2])

    @pytest.mark.parametrize(
        ("typed", "key"),
        [
            ("cast", "transform.cast"),
            ("fill_null", "transform.fill_null"),
            ("formula", "transform.derive"),
            ("merge", "transform.join"),
            ("concat", "transform.union"),
            ("group by", "transform.aggregate"),
            ("quarantine", "validate.between"),
            ("classification", "train.random_forest_classifier"),
        ],
    )
    def test_a_step_is_found_by_the_words_of_other_programs(self, typed: str, key: str) -> None:
        assert key in found(*typed.split())

    def test_other_words_are_only_given_to_steps_that_are_there(self) -> None:
        assert set(OTHER_WORDS) <= set(TEMPLATES)
