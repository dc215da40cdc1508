"""Accent colours: one that a person chose, made readable on light and on dark pages. Pure functions."""

import colorsys
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

ACCENTS: Mapping[str, str] = {
    "Indigo": "#4f5bd5",
    "Blue": "#2563eb",
    "Teal": "#0f766e",
    "Green": "#15803d",
    "Orange": "#c2410c",
    "Red": "#be123c",
    "Violet": "#7c3aed",
    "Grey": "#475569",
}
TEXT_CONTRAST = 4.5  # of text on its ground: WCAG 2.2, level AA
LARGE_CONTRAST = 3.0  # of large text, icons and borders
LIGHT_GROUND, DARK_GROUND, WHITE = "#ffffff", "#181c23", "#ffffff"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_STEPS = 200


class Accent(NamedTuple):
    """One accent as light pages and as dark pages show it, ``#rrggbb``."""

    light: str
    dark: str


DEFAULT = Accent("#4f5bd5", "#7580fa")


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 (black) to 1 (white). Source: WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21. Source: WCAG 2.2."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def accent(colour: str) -> Accent:
    """The accent that comes nearest to ``colour``: as text it is read on light and dark grounds, and white is read on it.

    A text that is no ``#rrggbb`` gives the default.
    """
    if not _HEX.fullmatch(colour) or colour.lower() == DEFAULT.light:
        return DEFAULT
    return Accent(_nearest(colour, _good_on_light), _nearest(colour, _good_on_dark))


def _good_on_light(colour: str) -> bool:
    return contrast(colour, LIGHT_GROUND) >= TEXT_CONTRAST


def _good_on_dark(colour: str) -> bool:
    return contrast(colour, DARK_GROUND) >= TEXT_CONTRAST and contrast(colour, WHITE) >= LARGE_CONTRAST


def _nearest(colour: str, is_good: Callable[[str], bool]) -> str:
    """The colour of the same hue whose lightness is nearest to it and good."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    steps = sorted((each / _STEPS for each in range(_STEPS + 1)), key=lambda each: abs(each - lightness))
    for step in (lightness, *steps):
        candidate = _hex(*colorsys.hls_to_rgb(hue, step, saturation))
        if is_good(candidate):
            return candidate
    return colour


def _hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{round(each * 255):02x}" for each in (red, green, blue))
