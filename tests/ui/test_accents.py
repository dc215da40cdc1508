"""Accents are readable in both modes, whatever colour somebody chose."""

import pytest

from etlml.ui.accents import (
    ACCENTS,
    DARK_GROUND,
    DEFAULT,
    LARGE_CONTRAST,
    LIGHT_GROUND,
    TEXT_CONTRAST,
    WHITE,
    accent,
    contrast,
)


@pytest.mark.parametrize(
    "colour", [*ACCENTS.values(), "#ffff00", "#000000", "#ffffff", "#ff0000", "#00ff00", "#808080"]
)
def test_an_accent_is_read_on_both_grounds_and_white_on_it(colour: str) -> None:
    shown = accent(colour)
    assert contrast(shown.light, LIGHT_GROUND) >= TEXT_CONTRAST
    assert contrast(shown.dark, DARK_GROUND) >= TEXT_CONTRAST
    assert contrast(shown.dark, WHITE) >= LARGE_CONTRAST


def test_a_colour_that_is_good_stays_as_it_is() -> None:
    assert accent("#0f766e").light == "#0f766e"


@pytest.mark.parametrize("text", ["", "red", "#12", "#4f5bd5"])
def test_what_is_no_colour_gives_the_default(text: str) -> None:
    assert accent(text) == DEFAULT


def test_contrast_is_that_of_the_source() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
